// SPDX-License-Identifier: GPL-2.0-only
/* cxx.c - drives the C++20 coroutines of cxx_coroutine.cc. */
#include <linux/kernel.h>

#include <kcoro/kcoro.h>

#include <kcoro/cxx.h>

#include "coro.h"
#include "cxx_spawn.h"

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

/* On each executor: it sleeps, and comes to its end. */
static int spawns(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	int queue;

	EXPECT(!IS_ERR(scope));
	for (queue = 0; queue < 3; queue++) {
		const struct cxx_spawn what = { queue, 3, 5, NSEC_PER_MSEC };
		struct cxx_seen seen = {};

		EXPECT(!kcoro_test_cxx_spawn(scope, &what, &seen));
		kcoro_cxx_wait(&seen.over);
		EXPECT(seen.result == 5 && seen.resumed == 5 && seen.destroyed == 1);
		EXPECT(seen.status == KCORO_STATUS_DONE);
	}
	EXPECT(!kcoro_scope_wait(scope, 10 * HZ) && !kcoro_scope_destroy(scope));
	return 0;
}

/* What it waits for gives -ECANCELED, -ETIMEDOUT; a kill destroys its frames. */
static int stops(void)
{
	const struct cxx_spawn what = { 0, 3, 5, 3600UL * NSEC_PER_SEC };
	const struct cxx_spawn deep = { 0, 10000, 5, 3600UL * NSEC_PER_SEC };
	struct cxx_seen seen = {}, killed = {};
	struct kcoro_scope *scope = test_scope(0, 0);

	EXPECT(!IS_ERR(scope));
	EXPECT(!kcoro_test_cxx_spawn(scope, &what, &seen));
	EXPECT(SOON(kcoro_scope_live(scope) == 2));
	msleep(20);
	EXPECT(!seen.over);
	kcoro_scope_cancel(scope);
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.result == -ECANCELED && seen.status == KCORO_STATUS_CANCELLED);
	EXPECT(seen.resumed == 1 && seen.destroyed == 1);
	EXPECT(!kcoro_test_cxx_spawn(scope, &what, &killed));
	EXPECT(!kcoro_scope_destroy(scope));
	/* Who awaits it may have been told of its end, or found no place, before its own kill. */
	EXPECT(killed.resumed == 0 && (!killed.over || killed.result < 0));

	/* However many await each other: the stack does not grow with them. */
	scope = test_scope(0, 0);
	EXPECT(!IS_ERR(scope));
	EXPECT(!kcoro_test_cxx_spawn(scope, &deep, &killed));
	EXPECT(SOON(kcoro_scope_live(scope) == 2));
	EXPECT(!kcoro_scope_destroy(scope));
	EXPECT(killed.resumed == 0 && (!killed.over || killed.result < 0));

	scope = test_scope(0, 50 * NSEC_PER_MSEC);
	EXPECT(!IS_ERR(scope));
	memset(&seen, 0, sizeof(seen));
	EXPECT(!kcoro_test_cxx_spawn(scope, &what, &seen));
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.result == -ETIMEDOUT && seen.status == KCORO_STATUS_TIMED_OUT);
	EXPECT(seen.destroyed == 1);
	EXPECT(kcoro_test_cxx_spawn(scope, &what, &seen) == -ETIMEDOUT);
	EXPECT(kcoro_test_cxx_spawn(NULL, &what, &seen) == -EINVAL);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

/* A scope's refusal is the spawn's error. */
static int spawn_errors(void)
{
	const struct cxx_spawn what = { 0, 0, 1, 3600UL * NSEC_PER_SEC };
	struct cxx_seen seen = {}, full = {};
	struct kcoro_scope *scope = test_scope(1, 0);
	int error = 0;

	/* One is in; the other one, which it spawns, has no place. */
	EXPECT(!IS_ERR(scope));
	EXPECT(!kcoro_test_cxx_spawn(scope, &what, &seen));
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.result == -EAGAIN);
	EXPECT(!kcoro_scope_wait(scope, 10 * HZ));
	EXPECT(!kcoro_test_cxx_spawn_late(scope, &error));
	EXPECT(kcoro_test_cxx_spawn(scope, &what, &full) == -EAGAIN);
	EXPECT(!kcoro_scope_destroy(scope));
	EXPECT(error == -EAGAIN);

	scope = test_scope(0, 0);
	EXPECT(!IS_ERR(scope));
	EXPECT(!kcoro_test_cxx_spawn_late(scope, &error));
	msleep(20);
	EXPECT(!kcoro_scope_destroy(scope));
	EXPECT(error == -ESHUTDOWN);
	return 0;
}

const struct kcoro_test_case kcoro_cxx_cases[] = {
	{ "cxx_chain", chain },
	{ "cxx_spawns", spawns },
	{ "cxx_stops", stops },
	{ "cxx_spawn_errors", spawn_errors },
	{}
};
