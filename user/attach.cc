// SPDX-License-Identifier: GPL-2.0-only
// attach.cc - `kcoro attach`: leads to what can be attached.
#include "user/verbs.h"

#include <CLI/CLI.hpp>

namespace kcoro {

void add_attach(CLI::App &app, request &asked)
{
	auto *attach = app.add_subcommand("attach", "attach a filter or latency histograms");

	attach->fallthrough();
	attach->require_subcommand(0, 1);
	attach->footer("What is attached stays when the command ends, until `kcoro detach`\n"
		       "or a reboot.");
	add_attach_sni(*attach, asked);
	add_attach_dns(*attach, asked);
	add_attach_handshake(*attach, asked);
	add_attach_knock(*attach, asked);
	add_attach_latency(*attach, asked);
	add_attach_coro(*attach, asked);
}

} // namespace kcoro
