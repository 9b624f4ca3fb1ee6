// SPDX-License-Identifier: GPL-2.0-only
// ops_options.cc - see ops_options.h.
#include "user/ops_options.h"

namespace kcoro {

namespace {

constexpr double shortest = 0.001, longest = 86400.0; // seconds

} // namespace

void add_seconds(const cli_verb &verb, const std::string &name, double &to, const std::string &help)
{
	verb.option(name, to, help).range(shortest, longest).value("SECONDS");
}

void add_ops_pool(const cli_verb &verb, std::string &name, std::string &quota,
		  const std::string &usual_name)
{
	verb.option("--name", name,
		    "of its pool and its coroutines, which no\nother filter has (default:\n" +
			    usual_name + ")")
		.value("NAME");
	verb.option("--pool-quota", quota,
		    "what the pool may hold, 64K at least\n(default: enough for all)")
		.value("SIZE");
}

} // namespace kcoro
