/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slot.hpp - slot<T>: room for one value, which stays until it is reset.
 *
 * Brief:         any number wait() for the value, and each gets a copy; put() waits until the
 *                slot is empty, set() replaces what is there. reset() empties it, and lets the
 *                next put() through. For a queue, where each value goes to one, see channel.
 * Thread safety: any, by its policy. Values are copied under its lock.
 * Allocation:    none here.
 * Cancellation:  a wait ends with the errno of the stop; the value was not put.
 * Traps:         copying a T must not throw.
 *
 *	kcoro::slot<int> config;
 *	auto got = co_await config.wait();
 *	config.set(5);
 */
#ifndef KCORO_SLOT_HPP
#define KCORO_SLOT_HPP

#include <concepts>
#include <utility>

#include <kcoro/result.hpp>
#include <kcoro/threads.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

template <std::copy_constructible T, typename Threads = threads::standard> class slot {
	using guard = typename Threads::guard;

public:
	slot() noexcept = default;
	slot(const slot &) = delete;
	slot &operator=(const slot &) = delete;

	bool is_ready() noexcept
	{
		guard g(lock_);

		return value_.error == 0;
	}
	/* Does somebody wait for the value? */
	bool is_pending() noexcept
	{
		guard g(lock_);

		return !receivers_.empty();
	}
	/* A copy, or -EAGAIN. */
	result<T> get() noexcept
	{
		guard g(lock_);

		return value_;
	}
	/* The value from now on; all who wait get it. */
	void set(T v) noexcept
	{
		wait_node *chain;

		{
			guard g(lock_);

			chain = take_value(std::move(v));
		}
		fire_all(chain);
	}
	/* Empty from now on; the oldest put() fills it again. */
	void reset() noexcept
	{
		wait_node *chain = nullptr;
		wait_node *s;

		{
			guard g(lock_);

			value_ = result<T>(failure{err::again});
			s = senders_.pop();
			if (s)
				chain = take_value(std::move(static_cast<sender *>(s)->value));
		}
		fire_all(chain);
		if (s)
			fire(*s);
	}
	/* All who wait, on both sides, go on with an error. */
	void resume_all(int error) noexcept
	{
		wait_node *senders, *receivers;

		{
			guard g(lock_);

			senders = with_error(senders_.pop_all(), error);
			receivers = with_error(receivers_.pop_all(), error);
		}
		fire_all(senders);
		fire_all(receivers);
	}

	struct receiver : leaf_awaiter<receiver> {
		static constexpr wait_kind kind = wait_kind::channel;

		explicit receiver(slot &s) noexcept : of(s) {}
		bool await_ready() noexcept
		{
			got = of.get();
			return !got.error;
		}
		bool arm() noexcept
		{
			guard g(of.lock_);

			if (!of.value_.error) {
				got = of.value_;
				return false;
			}
			of.receivers_.push(*this);
			return true;
		}
		static bool disarm(wait_node &w) noexcept
		{
			slot &s = static_cast<receiver &>(w).of;
			guard g(s.lock_);

			return s.receivers_.remove(w);
		}
		result<T> take() noexcept
		{
			if (this->error)
				return failure{this->error};
			return std::move(got);
		}

		slot &of;
		result<T> got{failure{err::again}};
	};

	struct sender : leaf_awaiter<sender> {
		static constexpr wait_kind kind = wait_kind::channel;

		sender(slot &s, T &&v) noexcept : of(s), value(std::move(v)) {}
		bool await_ready() const noexcept { return false; }
		bool arm() noexcept
		{
			wait_node *chain;

			{
				guard g(of.lock_);

				if (!of.value_.error) {
					of.senders_.push(*this);
					return true;
				}
				chain = of.take_value(std::move(value));
			}
			fire_all(chain);
			return false;
		}
		static bool disarm(wait_node &w) noexcept
		{
			slot &s = static_cast<sender &>(w).of;
			guard g(s.lock_);

			return s.senders_.remove(w);
		}
		result<void> take() noexcept
		{
			return this->error ? result<void>(failure{this->error}) : result<void>();
		}

		slot &of;
		T value;
	};

	[[nodiscard]] receiver wait() noexcept { return receiver(*this); }
	[[nodiscard]] sender put(T v) noexcept { return sender(*this, std::move(v)); }

private:
	static wait_node *with_error(wait_node *chain, int error) noexcept
	{
		for (wait_node *w = chain; w; w = w->next)
			w->error = error;
		return chain;
	}
	/* Under the lock: who is to be fired. */
	wait_node *take_value(T &&v) noexcept
	{
		value_ = result<T>(std::move(v));
		for (wait_node *w = receivers_.first(); w; w = w->next)
			static_cast<receiver *>(w)->got = value_;
		return receivers_.pop_all();
	}

	[[no_unique_address]] typename Threads::lock lock_;
	result<T> value_{failure{err::again}};
	wait_list senders_;
	wait_list receivers_;
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_SLOT_HPP
