// SPDX-License-Identifier: GPL-2.0-only
// ops_options.cc - see ops_options.h.
#include "user/ops_options.h"

#include <CLI/CLI.hpp>

namespace kcoro {

namespace {

constexpr double shortest = 0.001, longest = 86400.0; // seconds

// CLI::Range takes "nan": it is neither below nor above anything.
std::string check_seconds(std::string &word)
{
	double seconds = 0;

	if (CLI::detail::lexical_cast(word, seconds) && seconds >= shortest && seconds <= longest)
		return {};
	return fmt::format("Value {} not in range {} to {}", word, shortest, longest);
}

} // namespace

void add_seconds(CLI::App &verb, const std::string &name, double &to, const std::string &help)
{
	verb.add_option(name, to, help)
		->check(CLI::Validator(check_seconds, ""))
		->type_name("SECONDS");
}

void add_ops_pool(CLI::App &verb, std::string &name, std::string &quota,
		  const std::string &usual_name)
{
	verb.add_option("--name", name,
			"of its pool and its coroutines, which no\nother filter has (default:\n" +
				usual_name + ")")
		->type_name("NAME");
	verb.add_option("--pool-quota", quota,
			"what the pool may hold, 64K at least\n(default: enough for all)")
		->type_name("SIZE");
}

} // namespace kcoro
