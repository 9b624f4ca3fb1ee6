/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * result.hpp - result<T>: a value, or the errno that stands in its place; and what has
 * become of a coroutine.
 *
 * Brief:         each await gives a result. error is 0 or a negative errno; the value is
 *                there when error is 0. A T that is trivial is always there (T{} with an
 *                error), so that result<int> travels in one register.
 * Thread safety: that of T.
 * Allocation:    none.
 * Cancellation:  the errno of a stop is that of its status: -ECANCELED, -ETIMEDOUT, -EINTR.
 * Traps:         value of an error is not there unless T is trivial: ask first.
 *
 *	kcoro::result<int> got = co_await child;
 *	if (!got)
 *		co_return kcoro::failure{got.error};
 *	use(got.value);
 *
 * value_or_status() makes a value of any outcome; specialise status_value<T> to say which
 * one stands for an error.
 */
#ifndef KCORO_RESULT_HPP
#define KCORO_RESULT_HPP

#include <concepts>
#include <new>
#include <type_traits>

#include <kcoro/platform.hpp>

namespace kcoro::inline KCORO_ABI {

/* Linux' numbers, which C++ in the kernel can't get from its headers. */
namespace err {
inline constexpr int no_entry = -2;	 /* ENOENT */
inline constexpr int interrupted = -4;	 /* EINTR: killed */
inline constexpr int again = -11;	 /* EAGAIN */
inline constexpr int no_memory = -12;	 /* ENOMEM */
inline constexpr int busy = -16;	 /* EBUSY */
inline constexpr int invalid = -22;	 /* EINVAL */
inline constexpr int no_space = -28;	 /* ENOSPC */
inline constexpr int closed = -32;	 /* EPIPE */
inline constexpr int deadlock = -35;	 /* EDEADLK */
inline constexpr int shut_down = -108;	 /* ESHUTDOWN */
inline constexpr int timed_out = -110;	 /* ETIMEDOUT */
inline constexpr int in_progress = -115; /* EINPROGRESS */
inline constexpr int stale = -116;	 /* ESTALE: a keyed table has gone */
inline constexpr int cancelled = -125;	 /* ECANCELED */
inline constexpr int threw = -131;	 /* ENOTRECOVERABLE: rethrown where it is awaited */
} // namespace err

/* What has become of a coroutine; the numbers are those of enum kcoro_status. */
enum class status : unsigned char {
	created,
	ready, /* waits for its executor */
	running,
	suspended, /* awaits something */
	done,	   /* these four are final */
	cancelled,
	killed,
	timed_out,
};

/* A status as an error, as kcoro_status_errno() does it. */
constexpr int status_errno(status s) noexcept
{
	switch (s) {
	case status::done:
		return 0;
	case status::cancelled:
		return err::cancelled;
	case status::timed_out:
		return err::timed_out;
	case status::killed:
		return err::interrupted;
	default:
		return err::in_progress;
	}
}

/* An error to be returned: converts to a result of any kind. */
struct failure {
	int error;
};

/* Values that are copied like plain bytes, and cost nothing to make. */
template <typename T>
concept plain_value = std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
		      std::is_default_constructible_v<T>;

template <typename T> struct [[nodiscard]] result {
	static_assert(!std::is_reference_v<T>, "a result holds a value: return a pointer");

	int error;
	union {
		T value;
	};

	result(T v) : error(0), value(static_cast<T &&>(v)) {}
	result(failure f) noexcept : error(f.error) {}
	result(const result &other)
		requires std::copy_constructible<T>
		: error(other.error)
	{
		if (!error)
			new (&value) T(other.value);
	}
	result(result &&other) noexcept(std::is_nothrow_move_constructible_v<T>)
		: error(other.error)
	{
		if (!error)
			new (&value) T(static_cast<T &&>(other.value));
	}
	result &operator=(const result &other)
		requires std::copy_constructible<T>
	{
		if (this != &other) {
			result copy(other);
			drop();
			new (this) result(static_cast<result &&>(copy));
		}
		return *this;
	}
	result &operator=(result &&other) noexcept(std::is_nothrow_move_constructible_v<T>)
	{
		if (this != &other) {
			drop();
			new (this) result(static_cast<result &&>(other));
		}
		return *this;
	}
	~result() { drop(); }

	explicit operator bool() const noexcept { return error == 0; }

private:
	void drop() noexcept
	{
		if (!error)
			value.~T();
	}
};

template <plain_value T> struct [[nodiscard]] result<T> {
	int error = 0;
	T value{};

	constexpr result() noexcept = default;
	constexpr result(T v) noexcept : value(v) {}
	constexpr result(failure f) noexcept : error(f.error) {}
	constexpr result(int e, T v) noexcept : error(e), value(v) {}

	explicit constexpr operator bool() const noexcept { return error == 0; }
};

template <> struct [[nodiscard]] result<void> {
	int error = 0;

	constexpr result() noexcept = default;
	constexpr result(failure f) noexcept : error(f.error) {}

	explicit constexpr operator bool() const noexcept { return error == 0; }
};

/* Which T stands for an error; a signed integer is the errno itself. */
template <typename T> struct status_value {
	static T from(int error)
	{
		if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
			return static_cast<T>(error);
		else
			return T{};
	}
};

/* A value, whatever happened. */
template <typename T> T value_or_status(result<T> &&got)
{
	if (got)
		return static_cast<T &&>(got.value);
	return status_value<T>::from(got.error);
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_RESULT_HPP
