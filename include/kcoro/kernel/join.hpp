/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * join.hpp - kernel::join: a body in C++ awaits a coroutine of the core, say one in C. Those in
 * C++ have join_handles.
 *
 * Brief:         `co_await join(other)` gives what its body returned, or the errno of what became
 *                of it.
 * Thread safety: for the body, which has a reference to the other one, and keeps it.
 * Allocation:    none. The wait lies in the frame that awaits.
 * Cancellation:  a stop is passed on to the other one, if nobody else waits for it, and the wait
 *                goes on until that has ended; else the wait ends.
 */
#ifndef KCORO_KERNEL_JOIN_HPP
#define KCORO_KERNEL_JOIN_HPP

#include <kcoro/kernel/wait.hpp>

extern "C" {
/* include/kcoro/coro.h */
long long kcoro_coro_result(const kcoro_coro *co) noexcept;
}

namespace kcoro::inline KCORO_ABI::kernel {

struct [[nodiscard]] join : detail::core_awaiter<join> {
	static constexpr wait_kind kind = wait_kind::join;

	explicit join(kcoro_coro *of_core) noexcept : other(of_core) {}
	bool arm() noexcept { return aim() && waits(kcoro_cxx_join(other, this)); }
	static bool unhook(wait_node &w, unsigned int stop) noexcept
	{
		auto &self = static_cast<join &>(w);

		if (stop && kcoro_cxx_join_pass_on(self.other, &self, stop))
			return false;
		return kcoro_cxx_join_leave(self.other, &self);
	}
	static bool disarm(wait_node &w) noexcept { return unhook(w, 0); }
	result<long long> take() noexcept
	{
		long long got = error ? error : kcoro_coro_result(other);

		if (got < 0)
			return failure{static_cast<int>(got)};
		return result<long long>(got);
	}

	kcoro_coro *other;
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_JOIN_HPP
