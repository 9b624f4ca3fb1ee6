/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * yield.hpp - yield: let the others of the executor run, and go on.
 *
 * Brief:         `co_await yield()` posts the coroutine behind those that are ready.
 * Thread safety: for the body.
 * Allocation:    none.
 * Cancellation:  does not wait, so that a stop is told at the next wait; a kill takes effect here.
 */
#ifndef KCORO_YIELD_HPP
#define KCORO_YIELD_HPP

#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

struct [[nodiscard]] yield : leaf_awaiter<yield> {
	static constexpr wait_kind kind = wait_kind::nothing;

	bool await_ready() const noexcept { return false; }
	bool arm() noexcept
	{
		fire(*this);
		return true;
	}
	static bool disarm(wait_node &) noexcept { return false; }
	void take() const noexcept {}
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_YIELD_HPP
