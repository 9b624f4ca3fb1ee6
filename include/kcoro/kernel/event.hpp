/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.hpp - kernel::event: an event of the core (struct kcoro_event), which C code has and
 * sets, awaited by a body in C++. Between C++ alone kcoro/event.hpp is there, too; this one is
 * the faster.
 *
 * Brief:         `co_await e.wait()` gives the value with which it was set.
 * Thread safety: set() in any context, NMI included: see kcoro_event_set_value().
 * Allocation:    none. The wait lies in the frame that awaits.
 * Cancellation:  the wait ends with the errno of the stop; a pulse is not lost by it.
 * Traps:         names an event, and has none: that stays as long as anybody waits for it.
 *
 *	kcoro::kernel::event ready(of_c);
 *	auto got = co_await ready.wait();
 */
#ifndef KCORO_KERNEL_EVENT_HPP
#define KCORO_KERNEL_EVENT_HPP

#include <kcoro/kernel/wait.hpp>

extern "C" {
/* include/kcoro/await.h */
void kcoro_event_set_value(kcoro_event *event, long long value) noexcept;
void kcoro_event_set_here(kcoro_event *event, long long value) noexcept;
bool kcoro_event_reset(kcoro_event *event) noexcept;
}

namespace kcoro::inline KCORO_ABI::kernel {

class event {
public:
	explicit constexpr event(kcoro_event *of_core) noexcept : event_(of_core) {}

	/* It has happened; @value is 0 or more. */
	void set(long long value = 0) const noexcept { kcoro_event_set_value(event_, value); }
	/* The same, and who waited on this CPU runs before it returns: see the C function. */
	void set_here(long long value = 0) const noexcept { kcoro_event_set_here(event_, value); }
	/* It has not happened any more; was it set? */
	bool reset() const noexcept { return kcoro_event_reset(event_); }

	struct waiter : detail::core_awaiter<waiter> {
		static constexpr wait_kind kind = wait_kind::event;

		explicit waiter(kcoro_event *e) noexcept : source(e) {}
		bool arm() noexcept { return aim() && kcoro_cxx_event_wait(source, this); }
		static bool disarm(wait_node &w) noexcept
		{
			auto &self = static_cast<waiter &>(w);

			return kcoro_cxx_event_leave(self.source, &self);
		}
		result<long long> take() noexcept
		{
			return error ? result<long long>(failure{error}) : result<long long>(value);
		}

		kcoro_event *source;
	};

	[[nodiscard]] waiter wait() const noexcept { return waiter(event_); }

private:
	kcoro_event *event_;
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_EVENT_HPP
