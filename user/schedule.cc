// SPDX-License-Identifier: GPL-2.0-only
// schedule.cc - see schedule.h.
#include "user/schedule.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string>

namespace kcoro {

namespace {

constexpr double shortest = 0.01, longest = 86400.0; // seconds

// CLI::Range takes "nan": it is neither below nor above anything.
std::string check_interval(std::string &word)
{
	double seconds = 0;

	if (CLI::detail::lexical_cast(word, seconds) && seconds >= shortest && seconds <= longest)
		return {};
	return fmt::format("Value {} not in range {} to {}", word, shortest, longest);
}

} // namespace

void add_interface(CLI::App &verb, std::string &interface)
{
	// It may be left out: a number is an interval.
	auto is_no_number = [](std::string &word) -> std::string {
		double number = 0;
		return CLI::detail::lexical_cast(word, number) ? "is a number" : "";
	};

	verb.validate_positionals();
	verb.add_option("IFACE", interface, "of the filter on this interface only")
		->check(CLI::Validator(is_no_number, ""))
		->type_name(" ");
}

void add_schedule(CLI::App &verb, schedule &when)
{
	verb.add_option("interval", when.interval, "seconds between reports")
		->check(CLI::Validator(check_interval, ""))
		->type_name(" ");
	verb.add_option("count", when.count, "reports; without: until Ctrl-C")
		->check(CLI::Range(1L, 1L << 31).description(""))
		->type_name(" ");
}

} // namespace kcoro
