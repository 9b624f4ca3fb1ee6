// SPDX-License-Identifier: GPL-2.0-only
// verbs.h - the verbs of the command. Each stands in a file of its own and adds itself.
#ifndef KCORO_USER_VERBS_H
#define KCORO_USER_VERBS_H

#include "user/cli_verb.h"

namespace kcoro {

void add_attach(const cli_verb &app);
void add_attach_sni(const cli_verb &attach);
void add_attach_dns(const cli_verb &attach);
void add_attach_handshake(const cli_verb &attach);
void add_attach_knock(const cli_verb &attach);
void add_attach_latency(const cli_verb &attach);
void add_attach_coro(const cli_verb &attach);
void add_detach(const cli_verb &app);
void add_sni(const cli_verb &app);
void add_status(const cli_verb &app);
void add_stat(const cli_verb &app);
void add_pool(const cli_verb &app);
void add_ps(const cli_verb &app);
void add_hist(const cli_verb &app);
void add_hist_dns(const cli_verb &hist);
void add_hist_handshake(const cli_verb &hist);
void add_events(const cli_verb &app);
void add_doctor(const cli_verb &app);

} // namespace kcoro

#endif
