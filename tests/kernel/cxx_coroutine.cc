// SPDX-License-Identifier: GPL-2.0-only
// cxx_coroutine.cc - C++20 coroutines inside the kernel, on frames of the pool.

#include "chain.hpp"

// 1 + 2 + ... + depth, or a negative errno. *guards: destructors that ran.
extern "C" int kcoro_test_cxx_sum(int depth, int *guards)
{
	chain::objects count;
	int total = chain::run(depth, count);

	*guards = count.destroyed;
	return total;
}
