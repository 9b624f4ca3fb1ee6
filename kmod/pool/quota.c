// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota.c - what a pool may hold, and whose memory cgroup pays for it.
 *
 * All that a pool took from the slab and the page allocator and did not give back is
 * held: frames of callers, cached ones, the reserve. It is counted in batches, off the
 * hot path, by charging before the memory is asked for and uncharging after it went.
 *
 * Callable from any context, NMI included; held is atomic, and never above the quota.
 */
#include <linux/gfp.h>

#include "pool.h"

/**
 * kcoro_quota_charge() - may the pool hold this much more?
 * @pool: the pool
 * @bytes: how much
 *
 * Return: true, and then it counts as held; else nothing happened.
 */
bool kcoro_quota_charge(struct kcoro_pool *pool, size_t bytes)
{
	long held = atomic_long_read(&pool->held), most;

	do {
		if (pool->quota && held + bytes > pool->quota)
			return false;
	} while (!atomic_long_try_cmpxchg(&pool->held, &held, held + bytes));

	held += bytes;
	most = atomic_long_read(&pool->held_most);
	while (held > most && !atomic_long_try_cmpxchg(&pool->held_most, &most, held))
		;
	return true;
}

/**
 * kcoro_quota_uncharge() - it holds so much less
 * @pool: the pool
 * @bytes: how much
 */
void kcoro_quota_uncharge(struct kcoro_pool *pool, size_t bytes)
{
	if (bytes)
		atomic_long_sub(bytes, &pool->held);
}

/**
 * kcoro_quota_gfp() - flags for memory that the pool pays for
 * @pool: the pool
 * @gfp: flags otherwise
 *
 * In a memory cgroup the limit shall hold: allocations that may not wait would pass it
 * with __GFP_HIGH (try_charge_memcg() in mm/memcontrol.c). And nobody shall be killed
 * for a frame there: those that may wait would do that, in the worker, too, which is
 * about frames that nobody has asked for yet.
 */
gfp_t kcoro_quota_gfp(struct kcoro_pool *pool, gfp_t gfp)
{
	gfp |= __GFP_NOWARN;
	if (!pool->memcg)
		return gfp;
	return (gfp | __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL) & ~__GFP_HIGH;
}
