// SPDX-License-Identifier: GPL-2.0-only
// chain.hpp - a chain of C++20 coroutines on frames of the default pool, any of which
// may be refused. For cxx_coroutine.cc and tests/faults/chain.cc.
#ifndef KCORO_TEST_CHAIN_HPP
#define KCORO_TEST_CHAIN_HPP

#include <kcoro/task.hpp>

namespace chain {

// Objects that live in frames. Each must be destroyed exactly once.
struct objects {
	int made = 0;
	int destroyed = 0;
};

class guard {
public:
	explicit guard(objects &count) : count_(count) { count_.made++; }
	~guard() { count_.destroyed++; }
	guard(const guard &) = delete;
	guard &operator=(const guard &) = delete;

private:
	objects &count_;
};

inline kcoro::task<int> leaf(int n, objects &count)
{
	guard g(count);
	co_return n;
}

// Each awaits one more, so that at the deepest point all their frames are live.
inline kcoro::task<int> sum(int depth, objects &count)
{
	guard g(count);
	if (depth == 0)
		co_return 0;
	auto child = sum(depth - 1, count);
	auto below = co_await child;
	// A task without a frame can be awaited; what it or one below gave goes up.
	if (below.error)
		co_return below.error;
	if (below.value < 0)
		co_return below.value;
	auto last = leaf(depth, count);
	auto here = co_await last;
	co_return here.error ? here.error : below.value + here.value;
}

// 1 + 2 + ... + depth, or -ENOMEM when a frame was refused; count starts anew. Any
// context. All frames are freed when it returns.
inline int run(int depth, objects &count)
{
	count = {};
	auto root = sum(depth, count);
	auto got = root.run();
	return got.error ? got.error : got.value;
}

} // namespace chain

#endif // KCORO_TEST_CHAIN_HPP
