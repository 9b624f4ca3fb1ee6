// SPDX-License-Identifier: GPL-2.0-only
// attach_handshake_options.cc - the command line of `kcoro attach handshake`.
#include "user/attach_handshake.h"

#include "user/ops_options.h"
#include "user/verbs.h"

#include <memory>

namespace kcoro {

namespace {

constexpr const char *footer =
	R"(Follows TCP handshakes, in both directions: how long they take, whose never
finish, and how many of a source are half open.

EXAMPLES:
  kcoro attach handshake eth0
  kcoro attach handshake --port 443 --timeout 3 eth0
  kcoro attach handshake --limit 100 eth0
Then: kcoro hist handshake, kcoro status, kcoro detach handshake eth0)";

} // namespace

void add_attach_handshake(const cli_verb &attach)
{
	auto verb = attach.add("handshake", "half-open TCP connections, latencies");
	auto wish = std::make_shared<handshake_request>();
	auto quota = std::make_shared<std::string>();

	verb.footer(footer);
	add_place(verb, wish->place, "interface to look at");
	verb.option("--port", wish->port, "this server port only (default: all)")
		.range(0U, 65535U)
		.value("PORT");
	add_seconds(verb, "--timeout", wish->timeout,
		    "how long the SYN-ACK is awaited, and then\nthe ACK (default 5)");
	verb.option("--limit", wish->limit,
		    "drop SYNs of a source that has so many\nhalf open (default: none)")
		.range(0U, KCORO_OPS_LIMIT_MAX)
		.value("N");
	verb.option("--max-flows", wish->max_flows, "handshakes at a time (default 16384)")
		.range(1U, KCORO_OPS_LIMIT_MAX)
		.value("N");
	add_ops_pool(verb, wish->name, *quota, "handshake-IFACE");
	verb.action([=](const output &out) -> outcome {
		if (auto right = check_pool_options("--name", wish->name, *quota, wish->pool_quota);
		    !right)
			return right;
		return attach_handshake(*wish, out);
	});
}

} // namespace kcoro
