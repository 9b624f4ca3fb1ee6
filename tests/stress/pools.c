// SPDX-License-Identifier: GPL-2.0-only
/*
 * pools.c - the pools in use: the default one, one that stays, and two that a
 * kthread ends and makes anew all the time.
 *
 * kcoro_pool_destroy() wants nobody in the pool; the count of holders sees to
 * that: each frame and each running operation is one, and nobody becomes one
 * after the last has gone. Then all frames are back, and the pool's counters know of
 * each allocation that got nothing.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sizes.h>

#include "stress.h"

#define POOLS 4
#define POOL_DEFAULT 0
#define POOL_STAYS 1
#define POOL_RENEWED 2	/* and what follows */

struct stress_pool {
	struct kcoro_pool *pool;
	bool zeroed;
	atomic_t holders;
	atomic64_t failed;		/* allocations of this pool that got nothing */
	atomic64_t failed_large;	/* the same of sizes above the classes */
};

static struct stress_pool pools[POOLS];
/* The sum of "failed" over all pools that were checked. */
static u64 failures;
static struct task_struct *renewer;
static struct stress_rng rng;

struct kcoro_pool *stress_pool_of(struct stress_pool *pool)
{
	return pool->pool;
}

struct kcoro_pool *stress_pool_watched(void)
{
	return pools[POOL_STAYS].pool;
}

bool stress_pool_is_zeroed(const struct stress_pool *pool)
{
	return pool->zeroed;
}

/* An allocation got nothing: by a holder, in any context. */
void stress_pool_failed(struct stress_pool *pool, size_t size)
{
	atomic64_inc(size > KCORO_FRAME_SIZE_MAX ? &pool->failed_large : &pool->failed);
}

/* The same of a coroutine, whose frame comes from the default pool. */
void stress_pool_failed_coro(void)
{
	atomic64_inc(&pools[POOL_DEFAULT].failed);
}

/* Of all pools, without large frames, when everybody has stopped. */
u64 stress_pools_failures(void)
{
	return failures;
}

/* A reserve of some size, or none any more. In process context, while it is held. */
void stress_pool_reserve(struct stress_pool *pool, struct stress_rng *from)
{
	u32 size = 1 + stress_below(from, KCORO_FRAME_SIZE_MAX), count = stress_below(from, 40);
	int err;

	/* The default pool's would stay behind. */
	if (pool == &pools[POOL_DEFAULT])
		return;
	err = kcoro_pool_reserve(pool->pool, size, count);
	if (err && err != -EDQUOT && err != -ENOMEM)
		stress_error("reserve: of %u frames of %u bytes said %d", count, size, err);
}

/* NULL when it is being renewed. */
struct stress_pool *stress_pool_get(struct stress_rng *from)
{
	struct stress_pool *pool = &pools[stress_below(from, POOLS)];

	return atomic_inc_not_zero(&pool->holders) ? pool : NULL;
}

void stress_pool_put(struct stress_pool *pool)
{
	atomic_dec_return_release(&pool->holders);
}

/* One that is renewed is sometimes zeroed, sometimes accounted, sometimes short of memory. */
static int pool_begin(struct stress_pool *pool)
{
	bool renewed = pool >= &pools[POOL_RENEWED];
	const struct kcoro_pool_attr attr = {
		.size = sizeof(attr),
		.name = "stress",
		.flags = renewed ? stress_below(&rng, 4) : 0,
		.quota = renewed && stress_below(&rng, 2) ? SZ_64K << stress_below(&rng, 4) : 0,
	};
	struct kcoro_pool *p = kcoro_pool_create(&attr);

	if (IS_ERR(p))
		return PTR_ERR(p);
	atomic64_inc(&stress_events[STRESS_POOL_CREATED]);
	pool->pool = p;
	pool->zeroed = attr.flags & KCORO_POOL_ZERO;
	atomic64_set(&pool->failed, 0);
	atomic64_set(&pool->failed_large, 0);
	atomic_set_release(&pool->holders, 1);
	return 0;
}

/* Each failure has a reason in the counters, and each of those somebody has seen. */
static void check_failures(struct stress_pool *pool, const struct kcoro_pool_info *info)
{
	u64 seen = atomic64_read(&pool->failed), counted = 0, reasons = 0;
	u64 large = atomic64_read(&pool->failed_large);
	unsigned int level, cls;

	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		for (level = 0; level < KCORO_LEVELS; level++) {
			struct kcoro_frame_counters c;

			kcoro_pool_read(pool->pool, level, cls, &c);
			counted += c.failures;
			reasons += c.failed_quota + c.failed_slab + c.failed_context;
			if (c.failed_quota && !info->quota)
				stress_error("failures: %llu at the quota of a pool that has none",
					     c.failed_quota);
		}
	}
	if (counted != seen || reasons != seen || info->large_failures != large)
		stress_error("failures: pool \"%s\" counted %llu, with a reason %llu, of large frames %llu; seen were %llu and %llu",
			     info->name, counted, reasons, info->large_failures, seen, large);
	failures += seen;
}

/* The quota holds at any time, the equation when all frames have come back. */
static void check_balance(struct stress_pool *pool)
{
	static struct kcoro_pool_info info;
	unsigned int level, cls;

	kcoro_pool_read_info(pool->pool, &info);
	if (info.live || (info.quota && info.held_most > info.quota))
		stress_error("balance: %llu bytes live in pool \"%s\" at its end, most held %llu of %llu",
			     info.live, info.name, info.held_most, info.quota);

	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		s64 live = 0;

		for (level = 0; level < KCORO_LEVELS; level++) {
			struct kcoro_frame_counters c;

			kcoro_pool_read(pool->pool, level, cls, &c);
			live += c.allocs - c.frees;
		}
		/* One too many here must not hide one too few there. */
		if (live)
			stress_error("balance: %lld frames of class %u live in pool \"%s\" at its end",
				     live, cls, info.name);
	}
	check_failures(pool, &info);
}

static void pool_end(struct stress_pool *pool)
{
	unsigned int waited = 0;

	/* Ours is the first reference: without it nobody new comes. */
	stress_pool_put(pool);
	while (atomic_read_acquire(&pool->holders)) {
		stress_shelf_clear(pool);
		msleep(1);
		/* A frame that failed its check holds its pool for ever. */
		if (++waited > 20000 || (waited > 1000 && atomic_read(&stress_errors))) {
			stress_error("pool_end: %d holders never came back",
				     atomic_read(&pool->holders));
			return;
		}
	}
	check_balance(pool);
	kcoro_pool_destroy(pool->pool);
	atomic64_inc(&stress_events[STRESS_POOL_DESTROYED]);
}

/* Frames of coroutines go a little after their scope. */
static void wait_until_empty(struct kcoro_pool *pool)
{
	static struct kcoro_pool_info info;
	int i;

	for (i = 0; i < 100; i++) {
		kcoro_pool_read_info(pool, &info);
		if (!info.live)
			return;
		msleep(100);
	}
}

static void refused(void)
{
	struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "stress" };
	u32 which = stress_below(&rng, 4);

	if (which == 0)
		attr.flags = 1U << 7;
	if (which == 1)
		attr.quota = U64_MAX;
	attr.reserved[2] = which == 2;
	attr.size -= which == 3;
	if (IS_ERR(kcoro_pool_create(&attr)))
		atomic64_inc(&stress_events[STRESS_POOL_REFUSED]);
	else
		stress_error("bad_call: a pool with bad attribute %u was made", which);
	kcoro_pool_destroy(NULL);
}

static int renew(void *unused)
{
	unsigned int which = POOL_RENEWED;

	while (!kthread_should_stop()) {
		struct stress_pool *pool = &pools[which];

		which = which + 1 < POOLS ? which + 1 : POOL_RENEWED;
		if (atomic_read(&pool->holders))
			pool_end(pool);
		if (!atomic_read(&pool->holders) && pool_begin(pool))
			stress_error("pool_create: failed");
		refused();
		msleep(20 + stress_below(&rng, 60));
	}
	return 0;
}

int stress_pools_start(void)
{
	unsigned int i;
	int err;

	stress_seed(&rng, 900);
	pools[POOL_DEFAULT].pool = kcoro_pool_default();
	atomic_set(&pools[POOL_DEFAULT].holders, 1);
	for (i = POOL_STAYS; i < POOLS; i++) {
		err = pool_begin(&pools[i]);
		if (err)
			goto err_pools;
	}
	renewer = kthread_run(renew, NULL, "kcoro_stress/pools");
	if (!IS_ERR(renewer))
		return 0;
	err = PTR_ERR(renewer);
err_pools:
	while (--i >= POOL_STAYS)
		pool_end(&pools[i]);
	return err;
}

/* Everybody else has stopped. */
void stress_pools_stop(void)
{
	unsigned int i;

	kthread_stop(renewer);
	stress_shelf_clear(NULL);
	for (i = POOL_STAYS; i < POOLS; i++)
		if (atomic_read(&pools[i].holders))
			pool_end(&pools[i]);
	if (atomic_read(&pools[POOL_DEFAULT].holders) != 1)
		stress_error("balance: %d frames of the default pool are missing",
			     atomic_read(&pools[POOL_DEFAULT].holders) - 1);
	wait_until_empty(pools[POOL_DEFAULT].pool);
	check_balance(&pools[POOL_DEFAULT]);
}
