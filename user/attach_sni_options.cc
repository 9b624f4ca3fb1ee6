// SPDX-License-Identifier: GPL-2.0-only
// attach_sni_options.cc - the command line of `kcoro attach sni`.
#include "user/attach_sni.h"

#include "user/verbs.h"

#include <kcoro/abi.h>

#include <map>
#include <memory>

namespace kcoro {

namespace {

constexpr unsigned max_table_entries = 1U << 24; // struct kcoro_table_attr

constexpr const char *footer =
	R"(Blocks TLS connections by the server name in their ClientHello, also when the
hello comes in several segments. NAME is a host name, or *.SUFFIX for all names
below a suffix (not the suffix itself); names beyond ASCII go as punycode.

EXAMPLES:
  kcoro attach sni --block example.com '*.example.org' eth0
  kcoro attach sni --block-file names.txt -m xdp eth0
  kcoro attach sni --block example.com --dir egress --on-full closed eth0
  kcoro attach sni --block example.com --netns box veth0
Then: kcoro events, kcoro status, kcoro sni add NAME, kcoro detach sni eth0)";

} // namespace

void add_attach_sni(const cli_verb &attach)
{
	static const std::map<std::string, attachment_mode> modes{{"tc", ATTACHMENT_TC},
								  {"xdp", ATTACHMENT_XDP}};
	static const std::map<std::string, attachment_direction> directions{
		{"ingress", ATTACHMENT_INGRESS}, {"egress", ATTACHMENT_EGRESS}};
	static const std::map<std::string, attachment_on_full> policies{
		{"open", ATTACHMENT_OPEN}, {"closed", ATTACHMENT_CLOSED}};

	auto verb = attach.add("sni", "block TLS connections by server name");
	auto wish = std::make_shared<sni_request>();
	auto mode = std::make_shared<std::string>("tc");
	auto direction = std::make_shared<std::string>("ingress");
	auto policy = std::make_shared<std::string>("open");
	auto generic = std::make_shared<bool>(false);
	auto quota = std::make_shared<std::string>();

	verb.footer(footer);
	add_place(verb, wish->place, "interface to filter");
	verb.option("--block", wish->names, "block these names").commas().value("NAME...");
	verb.option("--block-file", wish->name_file, "and those in FILE, one per line")
		.value("FILE");
	verb.option("-m,--mode", *mode, "tc (default) or xdp").one_of({"tc", "xdp"}).value("MODE");
	verb.flag("--xdp-generic", *generic, "XDP without the driver's help (slow)");
	verb.option("--dir", *direction, "ingress (default) or egress")
		.one_of({"ingress", "egress"})
		.value("DIR");
	verb.option("--on-full", *policy,
		    "what can't be judged: open (default) passes\n"
		    "it, closed drops it")
		.one_of({"open", "closed"})
		.value("POLICY");
	verb.option("--port", wish->port, "this server port only (default: all)")
		.range(0U, 65535U)
		.value("PORT");
	verb.option("--max-flows", wish->max_flows, "flows at a time (default 16384)")
		.range(1U, max_table_entries)
		.value("N");
	verb.option("--pool", wish->pool, "name of its pool of frames (default:\nsni-IFACE)")
		.value("NAME");
	verb.option("--pool-quota", *quota,
		    "what the pool may hold, 64K at least\n"
		    "(default: enough for --max-flows)")
		.value("SIZE");
	verb.action([=](const output &out) -> outcome {
		wish->place.mode = modes.at(*mode);
		wish->place.direction = directions.at(*direction);
		wish->on_full = policies.at(*policy);
		if (*generic && wish->place.mode != ATTACHMENT_XDP)
			return misuse("--xdp-generic goes with -m xdp only");
		if (auto right = check_pool_options("--pool", wish->pool, *quota, wish->pool_quota);
		    !right)
			return right;
		if (*generic)
			wish->place.mode = ATTACHMENT_XDP_GENERIC;
		return attach_sni(*wish, out);
	});
}

} // namespace kcoro
