// SPDX-License-Identifier: GPL-2.0-only
// loop.h - waiting between reports, until Ctrl-C.
#ifndef KCORO_USER_LOOP_H
#define KCORO_USER_LOOP_H

#include "user/bpf.h"
#include "user/output.h"
#include "user/result.h"
#include "user/schedule.h"

#include <functional>

namespace kcoro {

// Turns SIGINT and SIGTERM into something to wait for.
class stopper {
public:
	stopper();

	// Waits for a signal, for `other` (if not -1) to become readable, or for so many
	// milliseconds. True when a signal came.
	bool wait(int milliseconds, int other = -1);

private:
	descriptor signals_;
};

// Calls report(first) once, or on schedule, until Ctrl-C. Reports keep the beat: a slow
// one doesn't delay the next ones.
outcome run_schedule(const schedule &when, const output &out,
		     const std::function<outcome(bool first)> &report);

} // namespace kcoro

#endif
