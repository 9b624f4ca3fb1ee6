/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pin.hpp - kernel::pin: a coroutine chooses its CPU.
 *
 * Brief:         `co_await pin(cpu)` does not wait; from the next wait on the coroutine is
 *                resumed there, and its timers are there. While that CPU is offline, another
 *                one runs it. -EINVAL: there is no such CPU.
 * Thread safety: for the body.
 */
#ifndef KCORO_KERNEL_PIN_HPP
#define KCORO_KERNEL_PIN_HPP

#include <kcoro/kernel/executor.hpp>

extern "C" {
/* include/kcoro/coro.h */
int kcoro_coro_pin(kcoro_coro *co, unsigned int cpu) noexcept;
}

namespace kcoro::inline KCORO_ABI::kernel {

struct [[nodiscard]] pin {
	explicit pin(unsigned int where) noexcept : cpu(where) {}

	bool await_ready() const noexcept { return false; }
	bool await_suspend(chained_handle auto h) noexcept
	{
		coro &who = *h.promise().owner;

		error = err::deadlock;
		if (detail::place::has(who))
			error = kcoro_coro_pin(detail::place::of(who.where()).core, cpu);
		return false;
	}
	result<void> await_resume() const noexcept
	{
		return error ? result<void>(failure{error}) : result<void>();
	}

	unsigned int cpu;
	int error = 0;
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_PIN_HPP
