/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * timeout.hpp - timeout: wait for something, but not longer.
 *
 * Brief:         `co_await timeout(member, 20_ms)` with a task, a join_handle or a leaf awaiter
 *                gives what the member gives, or -ETIMEDOUT.
 * Thread safety: for the body.
 * Allocation:    as sleep_for; a task's coroutine lies in the frame.
 * Cancellation:  a task that is late is told -ETIMEDOUT where it waits, and waited for; what
 *                it still returns without an error is given, so that nothing is lost. A
 *                joined coroutine is left alone.
 */
#ifndef KCORO_TIMEOUT_HPP
#define KCORO_TIMEOUT_HPP

#include <kcoro/sleep.hpp>
#include <kcoro/when.hpp>

namespace kcoro::inline KCORO_ABI {

namespace detail {

template <typename M> class timed {
public:
	timed(M &member, duration d) noexcept
		: member_(member), late_(sleep_for(d)),
		  both_(1, KCORO_STATE_TIMEOUT, member_, late_)
	{
	}
	timed(const timed &) = delete;
	timed &operator=(const timed &) = delete;

	bool await_ready() const noexcept { return false; }
	bool await_suspend(chained_handle auto h) noexcept { return both_.await_suspend(h); }
	auto await_resume() -> decltype(std::declval<M &>().take())
	{
		readiness got = both_.await_resume();

		if (got.is(0))
			return member_.take();
		return failure{got.error ? got.error : err::timed_out};
	}

private:
	M &member_;
	sleep_until late_;
	group_of<M, sleep_until> both_;
};

} // namespace detail

template <detail::group_member M> [[nodiscard]] auto timeout(M &&member, duration d) noexcept
{
	return detail::timed<std::remove_reference_t<M>>(member, d);
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_TIMEOUT_HPP
