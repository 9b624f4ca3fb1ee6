// SPDX-License-Identifier: GPL-2.0-only
// attach_knock_options.cc - the command line of `kcoro attach knock`.
#include "user/attach_knock.h"

#include "user/ops_options.h"
#include "user/verbs.h"

#include <CLI/CLI.hpp>

#include <memory>

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
	for (const auto &word : CLI::detail::split(text, ',')) {
		unsigned port = 0;

		if (!CLI::detail::lexical_cast(word, port) || port < 1 || port > 65535)
			return misuse("--ports: \"{}\" is no port, 1 to 65535", printable(word));
		ports.push_back(port);
	}
	return done{};
}

} // namespace

void add_attach_knock(CLI::App &attach, request &asked)
{
	auto *verb = attach.add_subcommand("knock", "port knocking, the teaching example");
	auto wish = std::make_shared<knock_request>();
	auto quota = std::make_shared<std::string>();
	auto ports = std::make_shared<std::string>();

	verb->fallthrough();
	verb->footer(footer);
	add_place(*verb, wish->place, "interface to guard");
	verb->add_option("--ports", *ports, "to knock at, in this order")
		->required()
		->type_name("A,B,...");
	verb->add_option("--open", wish->open, "the port that opens (default 22)")
		->check(CLI::Range(1U, 65535U).description(""))
		->type_name("PORT");
	add_seconds(*verb, "--within", wish->within,
		    "from the first knock to the last\n(default 10)");
	add_seconds(*verb, "--for", wish->stay, "how long the port is open then\n(default 30)");
	verb->add_option("--max-sources", wish->max_sources,
			 "that knock or are let in at a time\n(default 1024)")
		->check(CLI::Range(1U, KCORO_OPS_LIMIT_MAX).description(""))
		->type_name("N");
	add_ops_pool(*verb, wish->name, *quota, "knock-IFACE");
	verb->callback([=, &asked] {
		asked.run = [=, &asked]() -> outcome {
			if (auto right = parse_ports(*ports, wish->ports); !right)
				return right;
			if (auto right = check_pool_options("--name", wish->name, *quota,
							    wish->pool_quota);
			    !right)
				return right;
			return attach_knock(*wish, asked.out);
		};
	});
}

} // namespace kcoro
