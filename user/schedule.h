// SPDX-License-Identifier: GPL-2.0-only
// schedule.h - [interval [count]] of a verb.
#ifndef KCORO_USER_SCHEDULE_H
#define KCORO_USER_SCHEDULE_H

#include "user/cli_verb.h"

#include <string>

namespace kcoro {

struct schedule {
	double interval = 0; // seconds; 0: one report
	long count = 0;	     // reports; 0: until Ctrl-C
};

// Adds [IFACE], of a filter; before the schedule.
void add_interface(const cli_verb &verb, std::string &interface);

// Adds [interval [count]].
void add_schedule(const cli_verb &verb, schedule &when);

} // namespace kcoro

#endif
