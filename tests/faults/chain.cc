// SPDX-License-Identifier: GPL-2.0-only
// chain.cc - a chain of C++20 coroutines, any of whose frames may be refused.

#include "../kernel/chain.hpp"

extern "C" int faults_chain_sum(int depth, int *made, int *destroyed)
{
	chain::objects count;
	int total = chain::run(depth, count);

	*made = count.made;
	*destroyed = count.destroyed;
	return total;
}
