// SPDX-License-Identifier: GPL-2.0-only
// chain.cc - a chain of C++20 coroutines, any of whose frames may be refused.

#include <kcoro/task.hpp>

namespace {

int made, destroyed;

// Lives in the frame: made when the body begins, destroyed exactly once.
struct guard {
	guard() { made++; }
	~guard() { destroyed++; }
};

kcoro::task<int> leaf(int n)
{
	guard g;
	co_return n;
}

kcoro::task<int> sum(int depth)
{
	guard g;
	if (depth == 0)
		co_return 0;
	auto child = sum(depth - 1);
	auto below = co_await child;
	// A task without a frame can be awaited; what it or one below gave goes up.
	if (below.error)
		co_return below.error;
	if (below.value < 0)
		co_return below.value;
	auto last = leaf(depth);
	auto here = co_await last;
	co_return here.error ? here.error : below.value + here.value;
}

} // namespace

extern "C" int faults_chain_sum(int depth, int *made_out, int *destroyed_out)
{
	made = destroyed = 0;
	int total;
	{
		auto root = sum(depth);
		auto got = root.run();
		total = got.error ? got.error : got.value;
	}
	*made_out = made;
	*destroyed_out = destroyed;
	return total;
}
