// SPDX-License-Identifier: GPL-2.0-only
// verbs.h - the verbs of the command. Each stands in a file of its own and adds itself.
#ifndef KCORO_USER_VERBS_H
#define KCORO_USER_VERBS_H

#include "user/loop.h"
#include "user/output.h"
#include "user/result.h"

#include <functional>

namespace CLI {
class App;
}

namespace kcoro {

// What the parsed command line asks for. Parsing only fills it in; main() runs it.
struct request {
	output out;
	std::function<outcome()> run;
};

void add_attach(CLI::App &app, request &asked);
void add_attach_sni(CLI::App &attach, request &asked);
void add_attach_dns(CLI::App &attach, request &asked);
void add_attach_handshake(CLI::App &attach, request &asked);
void add_attach_knock(CLI::App &attach, request &asked);
void add_attach_latency(CLI::App &attach, request &asked);
void add_attach_coro(CLI::App &attach, request &asked);
void add_detach(CLI::App &app, request &asked);
void add_sni(CLI::App &app, request &asked);
void add_status(CLI::App &app, request &asked);
void add_stat(CLI::App &app, request &asked);
void add_pool(CLI::App &app, request &asked);
void add_ps(CLI::App &app, request &asked);
void add_hist(CLI::App &app, request &asked);
void add_hist_dns(CLI::App &hist, request &asked);
void add_hist_handshake(CLI::App &hist, request &asked);
void add_events(CLI::App &app, request &asked);
void add_doctor(CLI::App &app, request &asked);

} // namespace kcoro

#endif
