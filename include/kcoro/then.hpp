/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * then.hpp - then: what is done with a task's result, as a task of its own.
 *
 * Brief:         then(task, f) calls f(result<T>) when the task has ended; then(task, data, f)
 *                calls f(data, result<T>), with data kept in the frame. f gives a value, or a
 *                task, which is awaited.
 * Thread safety: as task.
 * Allocation:    one frame.
 * Cancellation:  passes through; f is called with the error.
 *
 *	auto t = kcoro::then(read(), [](kcoro::result<int> n) { return n.value * 2; });
 */
#ifndef KCORO_THEN_HPP
#define KCORO_THEN_HPP

#include <type_traits>
#include <utility>

#include <kcoro/task.hpp>

namespace kcoro::inline KCORO_ABI {

namespace detail {

template <typename T> struct then_value {
	using type = T;
	static constexpr bool is_task = false;
};
template <typename T, typename F> struct then_value<task<T, F>> {
	using type = T;
	static constexpr bool is_task = true;
};

} // namespace detail

template <typename T, typename P, typename Data, typename F,
	  typename R = std::invoke_result_t<F &, Data &, result<T>>>
task<typename detail::then_value<R>::type> then(task<T, P> first, Data data, F f)
{
	auto got = co_await first;

	if constexpr (detail::then_value<R>::is_task) {
		auto next = f(data, std::move(got));
		auto last = co_await next;

		if constexpr (!std::is_void_v<typename detail::then_value<R>::type>)
			co_return std::move(last);
	} else if constexpr (std::is_void_v<R>) {
		f(data, std::move(got));
	} else {
		co_return f(data, std::move(got));
	}
}

template <typename T, typename P, typename F, typename R = std::invoke_result_t<F &, result<T>>>
task<typename detail::then_value<R>::type> then(task<T, P> first, F f)
{
	auto got = co_await first;

	if constexpr (detail::then_value<R>::is_task) {
		auto next = f(std::move(got));
		auto last = co_await next;

		if constexpr (!std::is_void_v<typename detail::then_value<R>::type>)
			co_return std::move(last);
	} else if constexpr (std::is_void_v<R>) {
		f(std::move(got));
	} else {
		co_return f(std::move(got));
	}
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_THEN_HPP
