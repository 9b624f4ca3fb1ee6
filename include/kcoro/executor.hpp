/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * executor.hpp - where coroutines are resumed: what the library asks of it.
 *
 * Brief:         an executor has a queue of coroutines, and calls coro::run() for each,
 *                never for one of them twice at the same time. It has timers.
 * Thread safety: post() is called from any thread, unless the executor is `alone`.
 * Allocation:    none: a coroutine and a timer are links of the executor's lists.
 *
 * User space has run_loop and thread_pool; the kernel's stand in kmod/cxx. Functions are
 * pointers and not virtual, so that a header needs no runtime.
 */
#ifndef KCORO_EXECUTOR_HPP
#define KCORO_EXECUTOR_HPP

#include <cstddef>
#include <cstdint>

#include <kcoro/platform.hpp>

namespace kcoro::inline KCORO_ABI {

class coro;
struct executor;

/* A call at a time. Lies where its owner wants it, and stays there while it is armed. */
struct timer {
	std::uint64_t when;		   /* nanoseconds of platform::now() */
	void (*expired)(timer &) noexcept; /* on the executor, once; the timer is disarmed */
	std::size_t place = 0;		   /* the executor's: where it is kept; 0: disarmed */
	[[no_unique_address]] platform::timer_room room;
};

struct executor_ops {
	/* Have co.run() called. Each post is followed by one run before the next post. */
	void (*post)(executor &, coro &) noexcept;
	/* False: no memory. On the executor, or before anything runs there. */
	bool (*timer_start)(executor &, timer &) noexcept;
	/* False: it expires or has expired. After true, expired() is not called. */
	bool (*timer_stop)(executor &, timer &) noexcept;
	/*
	 * For one more coroutine: the executor that it is to have, this one or one of its own,
	 * which is then posted once at least. Null: @error says why there is none. May be null:
	 * this one.
	 */
	executor *(*place)(executor &, int &error) noexcept = nullptr;
	/* The coroutine at @of is awaited by the one at @by; null: by nobody any more. May be null. */
	void (*awaited)(executor &of, executor *by) noexcept = nullptr;
	/*
	 * It has finished, with this error; who waits for it is told next. Members of groups end
	 * in this way, too. May be null.
	 */
	void (*ended)(executor &, coro &, int error) noexcept = nullptr;
};

struct executor {
	const executor_ops *ops;
	/* Runs on one thread, and run() is never called from inside of run(). */
	bool serial;
	/* Serial, and all wakes and stops come from that thread, too: no atomic operations. */
	bool alone;
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_EXECUTOR_HPP
