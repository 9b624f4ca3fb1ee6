// SPDX-License-Identifier: GPL-2.0-only
// loop.cc - see loop.h.
#include "user/loop.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <chrono>
#include <csignal>

namespace kcoro {

stopper::stopper()
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, nullptr);
	signals_ = descriptor(::signalfd(-1, &set, SFD_CLOEXEC));
}

bool stopper::wait(int milliseconds, int other)
{
	pollfd fds[] = {{signals_.get(), POLLIN, 0}, {other, POLLIN, 0}};

	::poll(fds, 2, milliseconds);
	return fds[0].revents != 0;
}

outcome run_schedule(const schedule &when, const output &out,
		     const std::function<outcome(bool first)> &report)
{
	using clock = std::chrono::steady_clock;

	auto step = std::chrono::duration_cast<clock::duration>(
		std::chrono::duration<double>(when.interval));
	auto next = clock::now();
	stopper stop;

	for (long n = 1;; n++) {
		if (auto reported = report(n == 1); !reported)
			return reported;
		if (when.interval <= 0 || n == when.count)
			return done{};

		next = std::max(next + step, clock::now());
		auto rest = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now());
		if (stop.wait(static_cast<int>(std::max<long>(rest.count(), 0))))
			return out.text("\n");
	}
}

} // namespace kcoro
