// SPDX-License-Identifier: GPL-2.0-only
/* cxx.c - drives the C++20 coroutines of cxx_coroutine.cc. */
#include <linux/kernel.h>

#include <kcoro/kcoro.h>

#include "test.h"

static s64 sum_of(bool frees)
{
	struct kcoro_frame_counters c;
	unsigned int level, cls;
	s64 sum = 0;

	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			kcoro_pool_read(kcoro_pool_default(), level, cls, &c);
			sum += frees ? c.frees : c.allocs;
		}
	}
	return sum;
}

/* 100 + 1 frames of the chain and 100 leaves, each allocated and freed once. */
static int chain(void)
{
	s64 allocs = sum_of(false), frees = sum_of(true);
	int guards, total = kcoro_test_cxx_sum(100, &guards);

	EXPECT(total == 5050);
	EXPECT(guards == 201);
	allocs = sum_of(false) - allocs;
	frees = sum_of(true) - frees;
	EXPECT(allocs >= 201);
	EXPECT(allocs == frees);
	pr_info("kcoro_test: C++20 coroutines in the kernel: 1 + .. + 100 = %d by a chain of 201 co_awaits, %lld frames allocated, %lld freed\n",
		total, allocs, frees);
	return 0;
}

const struct kcoro_test_case kcoro_cxx_cases[] = {
	{ "cxx_chain", chain },
	{}
};
