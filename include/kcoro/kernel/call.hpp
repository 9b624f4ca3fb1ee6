/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * call.hpp - kernel::call: have a function run in a kernel thread, where it may sleep for long,
 * and await what it returns.
 *
 * Brief:         `co_await call(f)` with an f that gives a long, which a body on softirq or
 *                worker must not call itself.
 * Thread safety: f runs in another thread; the body waits meanwhile.
 * Allocation:    none. f and the call lie in the frame.
 * Cancellation:  a function that runs can't be stopped: a stop is told at the next wait, and a kill
 *                takes effect when it has returned.
 * Traps:         name an f that has captures (rules of docs/cxx.md).
 */
#ifndef KCORO_KERNEL_CALL_HPP
#define KCORO_KERNEL_CALL_HPP

#include <kcoro/kernel/wait.hpp>

namespace kcoro::inline KCORO_ABI::kernel {

template <typename F> struct [[nodiscard]] call : detail::core_awaiter<call<F>> {
	static constexpr wait_kind kind = wait_kind::call;

	explicit call(F &f) noexcept : function(f) {}
	bool arm() noexcept
	{
		if (!this->aim())
			return false;
		kcoro_cxx_call(room, this, run, static_cast<call *>(this));
		return true;
	}
	static bool disarm(wait_node &) noexcept { return false; }
	result<long> take() noexcept
	{
		if (this->error)
			return failure{this->error};
		return result<long>(static_cast<long>(this->value));
	}

	F &function;
	alignas(8) unsigned char room[KCORO_CXX_CALL_ROOM];

private:
	static long run(void *self) noexcept { return static_cast<call *>(self)->function(); }
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_CALL_HPP
