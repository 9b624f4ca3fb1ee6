/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sleep.hpp - sleep_for and sleep_until, on the clock of platform::now().
 *
 * Brief:         `co_await sleep_for(5_ms)` gives result<void>: 0 when the time has passed.
 * Thread safety: for the body.
 * Allocation:    none here; the executor's list of timers may grow, and then -ENOMEM can come.
 * Cancellation:  ends at once, with the errno of the stop.
 *
 *	using namespace kcoro::literals;
 *	co_await kcoro::sleep_for(20_ms);
 */
#ifndef KCORO_SLEEP_HPP
#define KCORO_SLEEP_HPP

#include <cstdint>

#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

/* A length of time, in nanoseconds. */
struct duration {
	std::uint64_t ns;
};

inline namespace literals {
constexpr duration operator""_ns(unsigned long long n)
{
	return {n};
}
constexpr duration operator""_us(unsigned long long n)
{
	return {n * 1000};
}
constexpr duration operator""_ms(unsigned long long n)
{
	return {n * 1000000};
}
constexpr duration operator""_s(unsigned long long n)
{
	return {n * 1000000000};
}
} // namespace literals

struct [[nodiscard]] sleep_until : leaf_awaiter<sleep_until> {
	static constexpr wait_kind kind = wait_kind::timer;

	/* @when: nanoseconds of platform::now(). */
	explicit sleep_until(std::uint64_t when) noexcept { clock.when = when; }

	bool await_ready() const noexcept { return false; }
	bool arm() noexcept
	{
		clock.expired = expired;
		clock.of = this;
		/* Another thread may see it expire: nothing is read after this. */
		if (owner->where().ops->timer_start(owner->where(), clock))
			return true;
		error = err::no_memory;
		return false;
	}
	static bool disarm(wait_node &w) noexcept
	{
		auto &self = static_cast<sleep_until &>(w);

		return w.owner->where().ops->timer_stop(w.owner->where(), self.clock);
	}
	result<void> take() noexcept
	{
		return error ? result<void>(failure{error}) : result<void>();
	}

private:
	struct own_timer : timer {
		sleep_until *of;
	};
	static void expired(timer &t) noexcept { fire(*static_cast<own_timer &>(t).of); }

	own_timer clock{};
};

inline sleep_until sleep_for(duration d) noexcept
{
	return sleep_until(platform::now() + d.ns);
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_SLEEP_HPP
