/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.hpp - event: something happens, and whoever waits goes on; and light_event, the lightest
 * wake there is.
 *
 * Brief:         `co_await e.wait()` gives result<void>. A latched event lets all go on until
 *                it is reset; a pulse lets one waiter go on for each set(), and remembers one
 *                set() when nobody waits.
 * Thread safety: event: any, by its policy (threads.hpp). light_event: one thread, and executors
 *                that are serial.
 * Allocation:    none. The wait lies in the frame that awaits.
 * Cancellation:  the wait ends with the errno of the stop; a pulse is not lost by it. At a
 *                light_event any stop is a kill.
 * Traps:         an event stays as long as anybody waits for it. light_event::wake() resumes in the
 *                place, on the caller's stack, and must be called only while somebody waits.
 *
 *	kcoro::event ready;
 *	kcoro::task<void> waiter() { co_await ready.wait(); }
 *	ready.set();
 */
#ifndef KCORO_EVENT_HPP
#define KCORO_EVENT_HPP

#include <kcoro/result.hpp>
#include <kcoro/threads.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

template <typename Threads = threads::standard> class basic_event {
public:
	/* @pulse: one waiter for each set(). */
	explicit basic_event(bool pulse = false) noexcept : pulse_(pulse) {}
	basic_event(const basic_event &) = delete;
	basic_event &operator=(const basic_event &) = delete;

	/* It has happened. */
	void set() noexcept
	{
		wait_node *w;

		{
			typename Threads::guard g(lock_);

			if (pulse_) {
				w = waits_.pop();
				set_ = !w;
			} else {
				set_ = true;
				w = waits_.pop_all();
			}
		}
		fire_all(w);
	}

	/* It has not happened any more; was it set? */
	bool reset() noexcept
	{
		typename Threads::guard g(lock_);
		bool was = set_;

		set_ = false;
		return was;
	}

	bool is_set() noexcept
	{
		typename Threads::guard g(lock_);

		return set_;
	}

	struct waiter : leaf_awaiter<waiter> {
		static constexpr wait_kind kind = wait_kind::event;

		explicit waiter(basic_event &e) noexcept : event(e) {}
		bool await_ready() noexcept
		{
			typename Threads::guard g(event.lock_);

			return event.take();
		}
		bool arm() noexcept
		{
			typename Threads::guard g(event.lock_);

			if (event.take())
				return false;
			event.waits_.push(*this);
			return true;
		}
		static bool disarm(wait_node &w) noexcept
		{
			basic_event &e = static_cast<waiter &>(w).event;
			typename Threads::guard g(e.lock_);

			return e.waits_.remove(w);
		}
		result<void> take() noexcept
		{
			return this->error ? result<void>(failure{this->error}) : result<void>();
		}

		basic_event &event;
	};

	[[nodiscard]] waiter wait() noexcept { return waiter(*this); }

private:
	/* Under the lock. */
	bool take() noexcept
	{
		bool was = set_;

		if (pulse_)
			set_ = false;
		return was;
	}

	[[no_unique_address]] typename Threads::lock lock_;
	bool pulse_;
	bool set_ = false;
	wait_list waits_;
};

using event = basic_event<>;

/*
 * One waiter, one thread, nothing remembered, no result: `co_await e` waits, e.wake() resumes.
 * Since the await has nothing to tell by, any stop is a kill there.
 */
class light_event : wait_node {
public:
	light_event() noexcept { ops = &light_ops; }
	light_event(const light_event &) = delete;
	light_event &operator=(const light_event &) = delete;

	/* Somebody waits: it goes on, on this stack, until it waits again or ends. */
	[[gnu::always_inline]] void wake() noexcept
	{
		coro *who = owner;

		who->unsuspend();
		who->go_on();
	}

	bool await_ready() const noexcept { return false; }
	void await_suspend(chained_handle auto h) noexcept
	{
		owner = h.promise().owner;
		owner->suspend_at(h, *this);
	}
	void await_resume() const noexcept {}

private:
	/* Who waits is suspended, and this thread is the only one. */
	static constexpr wait_ops light_ops = {
		[](wait_node &, unsigned int) noexcept { return true; },
		nullptr,
		wait_kind::event,
		true,
	};
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_EVENT_HPP
