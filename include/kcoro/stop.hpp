/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stop.hpp - cancel, kill and timeout, as a body sees them.
 *
 * Brief:         a stop comes as the result of what the body waits for: -ECANCELED asks,
 *                -ETIMEDOUT says that time is up, a kill does not come back: the frames are
 *                destroyed. `co_await stopping()` asks, `co_await accept_stop()` says that the
 *                body knows and will wait more to come to its end.
 * Thread safety: for the body.
 * Allocation:    none.
 * Cancellation:  told once. A body that waits again without accepting is killed there. What
 *                need not wait gives its value, stop or not: nothing is lost.
 *
 *	auto got = co_await channel.receive();
 *	if (got.error == kcoro::err::cancelled) {
 *		co_await kcoro::accept_stop();
 *		co_await say_good_bye();
 *		co_return kcoro::failure{got.error};
 *	}
 */
#ifndef KCORO_STOP_HPP
#define KCORO_STOP_HPP

#include <kcoro/coro.hpp>
#include <kcoro/task.hpp>

namespace kcoro::inline KCORO_ABI {

/* 0, or the errno of the stop. Does not count as having been told. */
struct stopping : private self {
	using self::await_ready;
	using self::await_suspend;
	int await_resume() const noexcept { return owner->stopping(); }
};

/* Takes back a cancel or a timeout; a kill stays. */
struct accept_stop : private self {
	using self::await_ready;
	using self::await_suspend;
	void await_resume() const noexcept { owner->accept(); }
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_STOP_HPP
