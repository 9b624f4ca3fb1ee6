// SPDX-License-Identifier: GPL-2.0-only
// attach.cc - `kcoro attach`: leads to what can be attached.
#include "user/verbs.h"

namespace kcoro {

void add_attach(const cli_verb &app)
{
	auto attach = app.add("attach", "attach a filter or latency histograms");

	attach.footer("What is attached stays when the command ends, until `kcoro detach`\n"
		      "or a reboot.");
	add_attach_sni(attach);
	add_attach_dns(attach);
	add_attach_handshake(attach);
	add_attach_knock(attach);
	add_attach_latency(attach);
	add_attach_coro(attach);
}

} // namespace kcoro
