// SPDX-License-Identifier: GPL-2.0-only
// bodies.hpp - the coroutines that are measured, the same for each library L:
//
//	L::task<T>	lazy, awaited once
//	L::value(got)	the value of what `co_await task<T>` gives
//	L::run(task)	run a task<int> that waits for nothing
//	L::event	`co_await e` waits; e.wake() resumes who waits, in the place
//	L::started	started(e, task): runs it up to its first wait; done()
//
// limit_bench.cpp has the same bodies, spelt out.
#ifndef KCORO_TESTS_CXX_BENCH_BODIES_HPP
#define KCORO_TESTS_CXX_BENCH_BODIES_HPP

namespace bodies {

inline constexpr int batch = 1000;

template <typename L> typename L::template task<int> leaf(int i)
{
	co_return i;
}

template <typename L> typename L::template task<int> await_leaves(int n)
{
	int sum = 0;

	for (int i = 0; i < n; ++i)
		sum += L::value(co_await leaf<L>(i));
	co_return sum;
}

template <typename L> typename L::template task<int> await_events(typename L::event &e, int n)
{
	for (int i = 0; i < n; ++i)
		co_await e;
	co_return n;
}

template <typename L> typename L::template task<int> fib(int n)
{
	if (n < 2)
		co_return n;
	int a = L::value(co_await fib<L>(n - 1));
	int b = L::value(co_await fib<L>(n - 2));
	co_return a + b;
}

template <typename L> typename L::template task<int> chain(int depth)
{
	if (depth == 0)
		co_return 0;
	int below = L::value(co_await chain<L>(depth - 1));
	co_return below + 1;
}

} // namespace bodies

#endif
