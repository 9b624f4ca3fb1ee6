/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * key.hpp - kernel::key_wait and kernel::key_hold: a body in C++ awaits a key of a keyed table, so
 * that an answer finds who asked.
 *
 * Brief:         `co_await key_wait(table, &key, sizeof(key))` gives the value with which the
 *                key is woken. Who waits for it again and again holds it, so that no answer
 *                is lost in between: then `co_await held.next()`.
 * Thread safety: for the body. Keys are woken in any context but NMI, by key_wake(), by
 *                kcoro_key_wake() in C, and by BPF programs.
 * Allocation:    none. All lies in the frame.
 * Cancellation:  the wait ends with the errno of the stop. kcoro_key_cancel() is one.
 *
 *	auto answer = kcoro::kernel::key_wait(table, &id, sizeof(id));
 *	auto got = co_await kcoro::timeout(answer, 2_s);
 */
#ifndef KCORO_KERNEL_KEY_HPP
#define KCORO_KERNEL_KEY_HPP

#include <kcoro/kernel/wait.hpp>

extern "C" {
/* include/kcoro/table.h */
int kcoro_key_wake(unsigned long long table_id, const void *key, unsigned int key_size,
		   long long value) noexcept;
}

namespace kcoro::inline KCORO_ABI::kernel {

/* What the key stands for has come. 0, or what kcoro_key_wake() says. */
inline int key_wake(unsigned long long table_id, const void *key, unsigned int key_size,
		    long long value) noexcept
{
	return kcoro_key_wake(table_id, key, key_size, value);
}

/* Until the key is woken; it is read when the wait begins. */
struct [[nodiscard]] key_wait : detail::core_awaiter<key_wait> {
	static constexpr wait_kind kind = wait_kind::key;

	key_wait(unsigned long long table_id, const void *key, unsigned int key_size) noexcept
		: table(table_id), at(key), size(key_size)
	{
	}
	bool arm() noexcept
	{
		return aim() && waits(kcoro_cxx_key_wait(core(), room, this, table, at, size));
	}
	static bool disarm(wait_node &w) noexcept
	{
		auto &self = static_cast<key_wait &>(w);

		return kcoro_cxx_key_leave(self.room, &self);
	}
	result<long long> take() noexcept
	{
		int err = failed(err::stale);

		return err ? result<long long>(failure{err}) : result<long long>(value);
	}

	unsigned long long table;
	const void *at;
	unsigned int size;
	alignas(8) unsigned char room[KCORO_CXX_KEY_ROOM] = {};
};

/*
 * Holds a key from hold() on until it is released or destroyed: up to KCORO_KEY_VALUES values are
 * kept for next().
 */
class key_hold {
public:
	key_hold() noexcept = default;
	key_hold(const key_hold &) = delete;
	key_hold &operator=(const key_hold &) = delete;
	~key_hold() { release(); }

	/* @only: it is an error if somebody else has the key: -EEXIST. */
	struct [[nodiscard]] hold {
		key_hold &of;
		unsigned long long table;
		const void *key;
		unsigned int size;
		bool only;
		int error = 0;

		bool await_ready() const noexcept { return false; }
		bool await_suspend(chained_handle auto h) noexcept
		{
			coro &who = *h.promise().owner;

			error = err::deadlock;
			if (detail::place::has(who))
				error = kcoro_cxx_key_hold(detail::place::of(who.where()).core,
							   of.room_, table, key, size, only);
			return false;
		}
		result<void> await_resume() const noexcept
		{
			return error ? result<void>(failure{error}) : result<void>();
		}
	};

	/* `co_await held.take(...)`: does not wait. */
	hold take(unsigned long long table_id, const void *key, unsigned int key_size,
		  bool only = false) noexcept
	{
		return {*this, table_id, key, key_size, only};
	}
	/* Values that were not taken are gone. */
	void release() noexcept { kcoro_cxx_key_release(room_); }

	struct waiter : detail::core_awaiter<waiter> {
		static constexpr wait_kind kind = wait_kind::key;

		explicit waiter(key_hold &h) noexcept : of(h) {}
		bool arm() noexcept { return aim() && waits(kcoro_cxx_key_next(of.room_, this)); }
		static bool disarm(wait_node &w) noexcept
		{
			auto &self = static_cast<waiter &>(w);

			return kcoro_cxx_key_leave(self.of.room_, &self);
		}
		result<long long> take() noexcept
		{
			int err = failed(err::stale);

			return err ? result<long long>(failure{err}) : result<long long>(value);
		}

		key_hold &of;
	};

	/* The next value. */
	[[nodiscard]] waiter next() noexcept { return waiter(*this); }

private:
	alignas(8) unsigned char room_[KCORO_CXX_KEY_HOLD_ROOM] = {};
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_KEY_HPP
