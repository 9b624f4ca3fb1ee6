/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * completion.hpp - completion<T>: a value that comes from outside, as from a callback.
 *
 * Brief:         the bridge from code that is no coroutine. One side calls set_value() or
 *                fail(), once; the other `co_await c.wait()`. reset() makes it anew.
 *                Callback is told when somebody begins to wait and when that goes on:
 *                no_callback, fn_callback (a function and a pointer), or any callable
 *                `void(phase)`: what is not used costs nothing.
 * Thread safety: by its policy; one waiter.
 * Allocation:    none.
 * Cancellation:  a waiter that is stopped leaves the completion as it was: the value can
 *                still come, and be waited for. A completion that is destroyed, or reset with
 *                a waiter, ends the wait with -EINTR.
 * Traps:         the callback of `suspend` is called before the coroutine is suspended: to set
 *                the value in there is right, and then nothing waits.
 *
 *	kcoro::completion<int> c;
 *	start_io(&c);			(whose end calls c.set_value(n))
 *	auto got = co_await c.wait();
 */
#ifndef KCORO_COMPLETION_HPP
#define KCORO_COMPLETION_HPP

#include <utility>

#include <kcoro/result.hpp>
#include <kcoro/threads.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

enum class phase : unsigned char {
	suspend, /* somebody is about to wait; may begin the work, or set the value */
	resume,	 /* it goes on */
};

struct no_callback {
	void operator()(phase) const noexcept {}
};

struct fn_callback {
	void (*fn)(void *data, phase) noexcept = nullptr;
	void *data = nullptr;

	void operator()(phase p) const noexcept
	{
		if (fn)
			fn(data, p);
	}
};

template <typename T, typename Callback = no_callback, typename Threads = threads::standard>
class completion {
public:
	explicit completion(Callback callback = {}) noexcept : callback_(std::move(callback)) {}
	completion(const completion &) = delete;
	completion &operator=(const completion &) = delete;
	~completion() { reset(); }

	/* False: it has a value or an error already. */
	template <typename... V> bool set_value(V &&...v)
	{
		return set(result<T>(std::forward<V>(v)...));
	}
	bool fail(int error) noexcept { return set(result<T>(failure{error})); }
	bool is_ready() noexcept
	{
		guard g(lock_);

		return value_.error != err::in_progress;
	}
	bool is_pending() noexcept
	{
		guard g(lock_);

		return waiter_;
	}
	/* Forget the value; who waits ends as killed. */
	void reset() noexcept
	{
		waiter *w;

		{
			guard g(lock_);

			value_ = result<T>(failure{err::in_progress});
			w = std::exchange(waiter_, nullptr);
			if (w)
				w->got = result<T>(failure{err::interrupted});
		}
		if (w)
			fire(*w);
	}

	struct waiter : leaf_awaiter<waiter> {
		static constexpr wait_kind kind = wait_kind::completion;

		explicit waiter(completion &c) noexcept : of(c), got(failure{err::in_progress}) {}
		bool await_ready() noexcept { return of.is_ready() && of.take(*this); }
		bool arm() noexcept
		{
			of.callback_(phase::suspend);
			guard g(of.lock_);

			if (of.value_.error != err::in_progress) {
				std::swap(got, of.value_);
				return false;
			}
			if (of.waiter_) {
				got = result<T>(failure{err::busy});
				return false;
			}
			of.waiter_ = this;
			return true;
		}
		static bool disarm(wait_node &w) noexcept
		{
			auto &self = static_cast<waiter &>(w);
			guard g(self.of.lock_);

			if (self.of.waiter_ != &self)
				return false;
			self.of.waiter_ = nullptr;
			return true;
		}
		/* The completion may be gone, if it was destroyed under the wait. */
		result<T> take()
		{
			if (this->error)
				return failure{this->error};
			if (got.error != err::interrupted)
				of.callback_(phase::resume);
			return std::move(got);
		}

		completion &of;
		result<T> got;
	};

	[[nodiscard]] waiter wait() noexcept { return waiter(*this); }

private:
	using guard = typename Threads::guard;

	bool take(waiter &w) noexcept
	{
		guard g(lock_);

		if (value_.error == err::in_progress)
			return false;
		std::swap(w.got, value_);
		return true;
	}
	bool set(result<T> &&v)
	{
		waiter *w;

		{
			guard g(lock_);

			if (value_.error != err::in_progress)
				return false;
			w = std::exchange(waiter_, nullptr);
			if (w)
				w->got = std::move(v);
			else
				value_ = std::move(v);
		}
		if (w)
			fire(*w);
		return true;
	}

	[[no_unique_address]] typename Threads::lock lock_;
	[[no_unique_address]] Callback callback_;
	waiter *waiter_ = nullptr;
	result<T> value_{failure{err::in_progress}};
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_COMPLETION_HPP
