// SPDX-License-Identifier: GPL-2.0-only
// schedule.cc - see schedule.h.
#include "user/schedule.h"

namespace kcoro {

namespace {

constexpr double shortest = 0.01, longest = 86400.0; // seconds

} // namespace

void add_interface(const cli_verb &verb, std::string &interface)
{
	verb.word("IFACE", interface, "of the filter on this interface only");
}

void add_schedule(const cli_verb &verb, schedule &when)
{
	verb.option("interval", when.interval, "seconds between reports")
		.range(shortest, longest)
		.value(" ");
	verb.option("count", when.count, "reports; without: until Ctrl-C")
		.range(1L, 1L << 31)
		.value(" ");
}

} // namespace kcoro
