// SPDX-License-Identifier: GPL-2.0-only
// attach_knock_options.cc - the command line of `kcoro attach knock`.
#include "user/attach_knock.h"

#include "user/ops_options.h"
#include "user/verbs.h"

#include <charconv>
#include <memory>
#include <sstream>

namespace kcoro {

namespace {

constexpr const char *footer =
	R"(Port knocking, the teaching example: a TCP port is open only for who has knocked
at other ports before, in their order and in time. A knock is a TCP SYN.

EXAMPLES:
  kcoro attach knock --ports 1111,2222,3333 --open 22 eth0
  kcoro attach knock --ports 1111,2222 --open 8080 --within 5 --for 60 eth0
Then: kcoro status, kcoro ps, kcoro detach knock eth0
Connections that exist go on; stay logged in while you try it.)";

// "1111,2222,3333"
outcome parse_ports(const std::string &text, std::vector<unsigned> &ports)
{
	std::istringstream words(text + ',');
	std::string word;

	while (std::getline(words, word, ',')) {
		const char *end = word.data() + word.size();
		unsigned port = 0;

		if (std::from_chars(word.data(), end, port).ptr != end || port < 1 || port > 65535)
			return misuse("--ports: \"{}\" is no port, 1 to 65535", printable(word));
		ports.push_back(port);
	}
	return done{};
}

} // namespace

void add_attach_knock(const cli_verb &attach)
{
	auto verb = attach.add("knock", "port knocking, the teaching example");
	auto wish = std::make_shared<knock_request>();
	auto quota = std::make_shared<std::string>();
	auto ports = std::make_shared<std::string>();

	verb.footer(footer);
	add_place(verb, wish->place, "interface to guard");
	verb.option("--ports", *ports, "to knock at, in this order").required().value("A,B,...");
	verb.option("--open", wish->open, "the port that opens (default 22)")
		.range(1U, 65535U)
		.value("PORT");
	add_seconds(verb, "--within", wish->within,
		    "from the first knock to the last\n(default 10)");
	add_seconds(verb, "--for", wish->stay, "how long the port is open then\n(default 30)");
	verb.option("--max-sources", wish->max_sources,
		    "that knock or are let in at a time\n(default 1024)")
		.range(1U, KCORO_OPS_LIMIT_MAX)
		.value("N");
	add_ops_pool(verb, wish->name, *quota, "knock-IFACE");
	verb.action([=](const output &out) -> outcome {
		if (auto right = parse_ports(*ports, wish->ports); !right)
			return right;
		if (auto right = check_pool_options("--name", wish->name, *quota, wish->pool_quota);
		    !right)
			return right;
		return attach_knock(*wish, out);
	});
}

} // namespace kcoro
