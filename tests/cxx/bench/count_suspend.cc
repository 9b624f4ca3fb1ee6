// SPDX-License-Identifier: GPL-2.0-only
// count_suspend.cc - `count_suspend limit|kcoro N`: suspend and resume N times, for callgrind.

#include <cstdlib>
#include <cstring>

#include <kcoro/event.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>

#include "limit.hpp"

static limit::task<int> await_limit(limit::event &e, int n)
{
	for (int i = 0; i < n; ++i)
		co_await e;
	co_return n;
}

static kcoro::task<int> await_kcoro(kcoro::light_event &e, int n)
{
	for (int i = 0; i < n; ++i)
		co_await e;
	co_return n;
}

int main(int argc, char **argv)
{
	const int n = argc > 2 ? std::atoi(argv[2]) : 1000;

	if (argc > 1 && !std::strcmp(argv[1], "limit")) {
		limit::event e;
		auto t = await_limit(e, n);

		t.start();
		while (!t.done())
			e.wake();
		return 0;
	}
	kcoro::user::run_loop loop(kcoro::user::run_loop::alone);
	kcoro::light_event e;
	auto h = kcoro::spawn(loop, await_kcoro(e, n));

	loop.run_until_idle();
	for (int left = n; left; left--)
		e.wake();
	return h.take().value != n;
}
