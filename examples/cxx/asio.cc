// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// asio.cc - coroutines on Asio's loop: it waits for poll_fd(), and a completion brings what
// Asio did back into a coroutine. Prints: timer of Asio: 0
#include <chrono>
#include <cstdio>

#include <asio.hpp>

#include <kcoro/completion.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>

static kcoro::task<int> wait_for(asio::steady_timer &timer)
{
	kcoro::completion<int> done;

	timer.async_wait([&](const asio::error_code &e) { done.set_value(e.value()); });
	co_return co_await done.wait();
}

int main()
{
	asio::io_context io;
	kcoro::user::run_loop loop;
	asio::posix::stream_descriptor watched(io, loop.poll_fd());
	asio::steady_timer timer(io, std::chrono::milliseconds(5));
	auto h = kcoro::spawn(loop, wait_for(timer));

	struct turn {
		asio::posix::stream_descriptor &fd;
		kcoro::user::run_loop &loop;
		kcoro::join_handle<int> &h;

		void operator()(const asio::error_code & = {}) const
		{
			loop.poll();
			if (!h.done())
				fd.async_wait(asio::posix::stream_descriptor::wait_read, *this);
		}
	};
	turn{watched, loop, h}();
	io.run();
	/* The descriptor is the loop's. */
	watched.release();
	std::printf("timer of Asio: %d\n", h.take().value);
	return 0;
}
