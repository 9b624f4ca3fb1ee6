// SPDX-License-Identifier: GPL-2.0-only
// cxx_coroutine.cc - C++20 coroutines inside the kernel, on frames of the pool.

#include <kcoro/task.hpp>

namespace {

int destroyed;

// A destructor in the frame: it must run exactly once per call.
struct guard {
	~guard() { destroyed++; }
};

kcoro::task<int> leaf(int n)
{
	guard g;
	co_return n;
}

// A chain of tasks, each awaiting one more: depth frames are live at the deepest point.
kcoro::task<int> sum(int depth)
{
	guard g;
	if (depth == 0)
		co_return 0;
	auto child = sum(depth - 1);
	auto below = co_await child;
	if (below.error)
		co_return below.error;
	auto last = leaf(depth);
	auto here = co_await last;
	co_return here.error ? here.error : below.value + here.value;
}

} // namespace

// 1 + 2 + ... + depth, or a negative errno. *guards: destructors that ran.
extern "C" int kcoro_test_cxx_sum(int depth, int *guards)
{
	destroyed = 0;
	int total;
	{
		auto root = sum(depth);
		auto got = root.run();
		total = got.error ? got.error : got.value;
	}
	*guards = destroyed;
	return total;
}
