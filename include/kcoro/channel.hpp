/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * channel.hpp - channel<T, Capacity>: a queue of values with many senders and receivers.
 *
 * Brief:         `co_await ch.send(v)` waits for room, `co_await ch.receive()` for a value;
 *                first in, first out, for values and for those who wait. With capacity 0 a
 *                sender waits for its receiver. try_send() and try_receive() are for plain
 *                code. After close() senders get -EPIPE, and receivers when it is empty.
 * Thread safety: any, by its policy. Values are moved under its lock.
 * Allocation:    none: values lie in the channel.
 * Cancellation:  a wait ends with the errno of the stop; the value was not sent, or none was
 *                taken.
 * Traps:         moving a T must not throw. It stays as long as anybody waits at it.
 *
 *	kcoro::channel<int, 8> ch;
 *	co_await ch.send(5);			(in one body)
 *	auto got = co_await ch.receive();	(in another)
 */
#ifndef KCORO_CHANNEL_HPP
#define KCORO_CHANNEL_HPP

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <kcoro/result.hpp>
#include <kcoro/threads.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

template <typename T, std::size_t Capacity = 1, typename Threads = threads::standard>
class channel {
	static_assert(std::is_nothrow_move_constructible_v<T>);

	using guard = typename Threads::guard;

public:
	channel() noexcept = default;
	channel(const channel &) = delete;
	channel &operator=(const channel &) = delete;
	~channel()
	{
		while (count_)
			(void)pop();
	}

	struct sender : leaf_awaiter<sender> {
		static constexpr wait_kind kind = wait_kind::channel;

		sender(channel &c, T &&v) noexcept : ch(c), value(std::move(v)) {}
		/* Without the lock where it would be of no use: arm() looks again. */
		bool await_ready() noexcept
		{
			return ch.count() != Capacity && ch.send_now(*this, false);
		}
		bool arm() noexcept { return !ch.send_now(*this, true); }
		static bool disarm(wait_node &w) noexcept
		{
			channel &c = static_cast<sender &>(w).ch;
			guard g(c.lock_);

			return c.senders_.remove(w);
		}
		result<void> take() noexcept
		{
			return this->error ? result<void>(failure{this->error}) : result<void>();
		}

		channel &ch;
		T value;
	};

	struct receiver : leaf_awaiter<receiver> {
		static constexpr wait_kind kind = wait_kind::channel;

		explicit receiver(channel &c) noexcept : ch(c) {}
		bool await_ready() noexcept { return ch.count() && ch.receive_now(*this, false); }
		bool arm() noexcept { return !ch.receive_now(*this, true); }
		static bool disarm(wait_node &w) noexcept
		{
			channel &c = static_cast<receiver &>(w).ch;
			guard g(c.lock_);

			return c.receivers_.remove(w);
		}
		result<T> take() noexcept
		{
			if (this->error)
				return failure{this->error};
			return std::move(got);
		}

		channel &ch;
		result<T> got{failure{err::in_progress}};
	};

	[[nodiscard]] sender send(T v) noexcept { return sender(*this, std::move(v)); }
	[[nodiscard]] receiver receive() noexcept { return receiver(*this); }

	/* 0, -EAGAIN (no room, and nobody who receives: @v is as it was), -EPIPE. Any thread. */
	int try_send(T &v) noexcept
	{
		wait_node *w = nullptr;
		int error;

		{
			guard g(lock_);

			error = put(v, w);
		}
		if (w)
			fire(*w);
		return error;
	}
	/* A value, -EAGAIN, or -EPIPE when it is closed and empty. Any thread. */
	result<T> try_receive() noexcept
	{
		result<T> got{failure{err::again}};
		wait_node *w = nullptr;

		{
			guard g(lock_);

			get(got, w);
		}
		if (w)
			fire(*w);
		return got;
	}
	void close() noexcept
	{
		wait_node *send, *receive;

		{
			guard g(lock_);

			closed_ = true;
			send = broken(senders_.pop_all());
			receive = broken(receivers_.pop_all());
		}
		fire_all(send);
		fire_all(receive);
	}
	std::size_t size() noexcept
	{
		guard g(lock_);

		return count_;
	}

private:
	/* Written under the lock, read without it as a hint. */
	std::size_t count() const noexcept { return __atomic_load_n(&count_, __ATOMIC_RELAXED); }
	void set_count(std::size_t n) noexcept { __atomic_store_n(&count_, n, __ATOMIC_RELAXED); }

	static wait_node *broken(wait_node *chain) noexcept
	{
		for (wait_node *w = chain; w; w = w->next)
			w->error = err::closed;
		return chain;
	}

	bool send_now(sender &s, bool wait) noexcept
	{
		wait_node *w = nullptr;

		{
			guard g(lock_);

			s.error = put(s.value, w);
			if (s.error == err::again) {
				s.error = 0;
				if (wait)
					senders_.push(s);
				return false;
			}
		}
		if (w)
			fire(*w);
		return true;
	}
	bool receive_now(receiver &r, bool wait) noexcept
	{
		wait_node *w = nullptr;

		{
			guard g(lock_);

			if (!get(r.got, w)) {
				if (wait)
					receivers_.push(r);
				return false;
			}
		}
		if (w)
			fire(*w);
		return true;
	}

	/* Under the lock; @w is to be fired after it. */
	int put(T &v, wait_node *&w) noexcept
	{
		if (closed_)
			return err::closed;
		if (wait_node *r = receivers_.pop()) {
			static_cast<receiver *>(r)->got = result<T>(std::move(v));
			w = r;
			return 0;
		}
		if (count_ == Capacity)
			return err::again;
		push(std::move(v));
		return 0;
	}
	bool get(result<T> &got, wait_node *&w) noexcept
	{
		if (count_) {
			got = pop();
			/* Room for the one who waits the longest. */
			if (wait_node *s = senders_.pop()) {
				push(std::move(static_cast<sender *>(s)->value));
				w = s;
			}
			return true;
		}
		/* Without capacity: straight from the sender. */
		if (wait_node *s = senders_.pop()) {
			got = result<T>(std::move(static_cast<sender *>(s)->value));
			w = s;
			return true;
		}
		if (closed_)
			got = result<T>(failure{err::closed});
		return closed_;
	}
	T *place(std::size_t i) noexcept
	{
		return std::launder(reinterpret_cast<T *>(slots_ + i * sizeof(T)));
	}
	void push(T &&v) noexcept
	{
		std::size_t at = head_ + count_;

		new (slots_ + (at < Capacity ? at : at - Capacity) * sizeof(T)) T(std::move(v));
		set_count(count_ + 1);
	}
	result<T> pop() noexcept
	{
		T *at = place(head_);
		result<T> got(std::move(*at));

		at->~T();
		head_ = head_ + 1 < Capacity ? head_ + 1 : 0;
		set_count(count_ - 1);
		return got;
	}

	[[no_unique_address]] typename Threads::lock lock_;
	bool closed_ = false;
	std::size_t head_ = 0;
	std::size_t count_ = 0;
	wait_list senders_;
	wait_list receivers_;
	alignas(T) unsigned char slots_[Capacity ? Capacity * sizeof(T) : 1];
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_CHANNEL_HPP
