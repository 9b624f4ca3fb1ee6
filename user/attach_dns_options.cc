// SPDX-License-Identifier: GPL-2.0-only
// attach_dns_options.cc - the command line of `kcoro attach dns`.
#include "user/attach_dns.h"

#include "user/ops_options.h"
#include "user/verbs.h"

#include <kcoro/abi.h>

#include <memory>

namespace kcoro {

namespace {

constexpr const char *footer =
	R"(Follows each DNS query, over UDP and TCP, until its answer or the timeout: how
long each server takes, with which code it answers, what it never answers, and
which queries are sent again. Nothing is changed or dropped.

EXAMPLES:
  kcoro attach dns eth0
  kcoro attach dns --timeout 3 --max-queries 100000 eth0
  kcoro attach dns --port 5353 lo
Then: kcoro hist dns eth0, kcoro status, kcoro ps -s dns-eth0, kcoro detach dns)";

} // namespace

void add_attach_dns(const cli_verb &attach)
{
	auto verb = attach.add("dns", "measure DNS servers, find lost answers");
	auto wish = std::make_shared<dns_request>();
	auto quota = std::make_shared<std::string>();

	verb.footer(footer);
	add_place(verb, wish->place, "interface to watch, both ways");
	verb.option("--port", wish->port, "of the servers (default 53)")
		.range(1U, 65535U)
		.value("PORT");
	add_seconds(verb, "--timeout", wish->timeout,
		    "how long an answer is awaited\n(default 10)");
	verb.option("--max-queries", wish->max_queries,
		    "queries that wait at a time\n(default 16384)")
		.range(1U, KCORO_OPS_LIMIT_MAX)
		.value("N");
	add_ops_pool(verb, wish->name, *quota, "dns-IFACE");
	verb.action([=](const output &out) -> outcome {
		if (auto right = check_pool_options("--name", wish->name, *quota, wish->pool_quota);
		    !right)
			return right;
		return attach_dns(*wish, out);
	});
}

} // namespace kcoro
