// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// epoll.cc - coroutines in a program that has an event loop of its own: the loop watches
// poll_fd(), and calls poll() when it is readable. Prints: 3 ticks
#include <cstdio>

#include <sys/epoll.h>
#include <unistd.h>

#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>

static kcoro::task<int> ticks(int n)
{
	using namespace kcoro::literals;

	for (int i = 0; i < n; i++)
		(void)co_await kcoro::sleep_for(5_ms);
	co_return n;
}

int main()
{
	kcoro::user::run_loop loop;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int fd = loop.poll_fd();
	epoll_event watch{};

	watch.events = EPOLLIN;
	if (epoll < 0 || fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &watch))
		return 1;
	auto h = kcoro::spawn(loop, ticks(3));
	while (!h.done()) {
		epoll_event event;

		if (epoll_wait(epoll, &event, 1, -1) > 0)
			loop.poll();
	}
	std::printf("%d ticks\n", h.take().value);
	close(epoll);
	return 0;
}
