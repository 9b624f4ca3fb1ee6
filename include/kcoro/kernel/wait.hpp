/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.hpp - how an await of what the core has is made; for who writes one. kcoro/cxx.h has
 * the core's side.
 *
 * Brief:         derive from core_awaiter<Derived>, and give what leaf_awaiter wants. arm()
 *                begins with aim(), and gives the wait to the core; disarm() asks for it back.
 * Thread safety: for the body.
 * Allocation:    none: the wait lies in the frame that awaits.
 * Cancellation:  a stop disarms, as at the library's own sources.
 *
 * A coroutine that waits for one thing is itself what the core wakes, at the price of a body
 * in C. A member of a group is told by a call.
 */
#ifndef KCORO_KERNEL_WAIT_HPP
#define KCORO_KERNEL_WAIT_HPP

#include <kcoro/kernel/executor.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI::kernel::detail {

template <typename Derived> struct core_awaiter : leaf_awaiter<Derived>, kcoro_cxx_wait {
	/* What is written here is written by aim() and by the core. */
	core_awaiter() noexcept {}

	bool await_ready() const noexcept { return false; }

	/* Say who is told. False: nobody could be, in run() of plain code: -EDEADLK. */
	bool aim() noexcept
	{
		coro &who = *this->owner;

		if (!place::has(who)) [[unlikely]] {
			this->error = err::deadlock;
			return false;
		}
		place &at = place::of(who.where());
		if (!this->group && at.root == &who) [[likely]] {
			this->co = at.core;
			this->flags = 0;
		} else {
			this->call = called;
			this->flags = KCORO_CXX_WAIT_CALLS;
		}
		return true;
	}

	/* The core's own coroutine, also for a member of a group. */
	kcoro_coro *core() const noexcept { return place::of(this->owner->where()).core; }

	/* What an await of cxx.h gave: does it wait? */
	bool waits(int got) noexcept
	{
		if (got < 0) [[unlikely]]
			this->error = got;
		return got > 0;
	}

	/* An error, or the source went away under the wait. */
	int failed(int broken) const noexcept
	{
		if (this->error) [[unlikely]]
			return this->error;
		return this->flags & KCORO_CXX_WAIT_BROKEN ? broken : 0;
	}

private:
	static void called(kcoro_cxx_wait *w) noexcept { fire(static_cast<core_awaiter &>(*w)); }
};

} // namespace kcoro::inline KCORO_ABI::kernel::detail

#endif // KCORO_KERNEL_WAIT_HPP
