// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserve.c - frames set aside in process context, so that later allocations succeed
 * in any context, whatever the slab says.
 *
 * A reserve is a list of chunks, each a bitmap and an array of frames. A set bit says
 * that the frame is there.
 *
 *   put:   frame into its place -> bit set        (under reserve_lock)
 *   take:  bit cleared, by whom it was set -> frame out of its place
 *
 * A place is filled only when it is empty, so that a taker between its two steps
 * still finds its frame. Takers need no lock: kcoro_reserve_take() may be called from
 * every context, NMI included. Of n bits that are set n takers get one each, and only
 * who has seen each chunk empty goes without. Chunks are only added, and freed with
 * the pool.
 *
 * The rest is process context, under reserve_lock.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "pool.h"

/* So that a chunk is 512 bytes. */
#define CHUNK_FRAMES 62

/* Between two attempts to fill up, when there was no memory. */
#define RETRY_JIFFIES (HZ / 10)

struct kcoro_reserve_chunk {
	struct kcoro_reserve_chunk *next;
	unsigned long there;		/* bit per frame */
	void *frames[CHUNK_FRAMES];
};

/**
 * kcoro_reserve_take() - a frame from the reserve
 * @pool: the pool
 * @cls: class
 *
 * Context: any. The caller raises the worker, which fills the reserve up again.
 * Return: the frame, the caller's, or NULL.
 */
void *kcoro_reserve_take(struct kcoro_pool *pool, unsigned int cls)
{
	/* Pairs with the release in add_chunks(). */
	struct kcoro_reserve_chunk *chunk = smp_load_acquire(&pool->reserve[cls].chunks);
	unsigned long there;
	unsigned int i;

	for (; chunk; chunk = chunk->next) {
		while ((there = READ_ONCE(chunk->there))) {
			i = __ffs(there);
			if (!test_and_clear_bit(i, &chunk->there))
				continue;
			WRITE_ONCE(pool->reserve_low, true);
			return xchg(&chunk->frames[i], NULL);
		}
	}
	return NULL;
}

/**
 * kcoro_reserve_there() - frames in the reserve now
 * @pool: the pool
 * @cls: class
 *
 * Context: any, while the pool exists.
 */
u32 kcoro_reserve_there(struct kcoro_pool *pool, unsigned int cls)
{
	/* Pairs with the release in add_chunks(). */
	struct kcoro_reserve_chunk *chunk = smp_load_acquire(&pool->reserve[cls].chunks);
	u32 sum = 0;

	for (; chunk; chunk = chunk->next)
		sum += hweight_long(READ_ONCE(chunk->there));
	return sum;
}

/* The frames that find a place are the reserve's: frames[0 .. n). */
static u32 put(struct kcoro_reserve *reserve, void **frames, u32 have)
{
	struct kcoro_reserve_chunk *chunk;
	unsigned int i;
	u32 n = 0;

	for (chunk = reserve->chunks; chunk; chunk = chunk->next) {
		for (i = 0; i < CHUNK_FRAMES && n < have; i++) {
			if (READ_ONCE(chunk->frames[i]))
				continue;
			WRITE_ONCE(chunk->frames[i], frames[n++]);
			/* The frame before its bit. */
			smp_mb__before_atomic();
			set_bit(i, &chunk->there);
		}
	}
	return n;
}

/* Places for so many frames. */
static int add_chunks(struct kcoro_pool *pool, struct kcoro_reserve *reserve, u32 frames)
{
	struct kcoro_reserve_chunk *chunk;
	u32 places = 0;

	for (chunk = reserve->chunks; chunk; chunk = chunk->next)
		places += CHUNK_FRAMES;
	for (; places < frames; places += CHUNK_FRAMES) {
		chunk = kzalloc(sizeof(*chunk), kcoro_quota_gfp(pool, GFP_KERNEL));
		if (!chunk)
			return -ENOMEM;
		chunk->next = reserve->chunks;
		/* A taker that sees it sees it whole. */
		smp_store_release(&reserve->chunks, chunk);
		cond_resched();
	}
	return 0;
}

/* Until so many are there. Returns 0, -ENOMEM or -EDQUOT: then there are fewer. */
static int fill(struct kcoro_pool *pool, unsigned int cls, u32 wanted)
{
	struct kcoro_reserve *reserve = &pool->reserve[cls];
	u32 there = kcoro_reserve_there(pool, cls), n, kept;
	void *frames[KCORO_BATCH_MAX];
	int err;

	while (there < wanted) {
		n = kcoro_slab_alloc(pool, cls, GFP_KERNEL, frames,
				     min_t(u32, wanted - there, KCORO_BATCH_MAX), &err);
		if (!n)
			return err;
		kept = put(reserve, frames, n);
		kcoro_slab_free(pool, cls, frames + kept, n - kept);
		there += kept;
		/* A place whose taker is not done yet: the next run sees to it. */
		if (kept < n)
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/* Until no more than so many are there. */
static void empty(struct kcoro_pool *pool, unsigned int cls, u32 wanted)
{
	u32 there = kcoro_reserve_there(pool, cls);
	void *frame;

	for (; there > wanted; there--) {
		frame = kcoro_reserve_take(pool, cls);
		if (!frame)
			return;
		kcoro_slab_free(pool, cls, &frame, 1);
		cond_resched();
	}
}

int kcoro_pool_reserve(struct kcoro_pool *pool, size_t size, unsigned int count)
{
	unsigned int cls = kcoro_size_class(size);
	struct kcoro_reserve *reserve;
	int err = 0;
	u32 before;

	if (cls >= KCORO_CLASSES || count > KCORO_RESERVE_MAX)
		return -EINVAL;
	if (pool->quota && (u64)count * kcoro_class_size(cls) > pool->quota)
		return -EDQUOT;
	reserve = &pool->reserve[cls];
	mutex_lock(&pool->reserve_lock);
	before = reserve->wanted;
	if (count > before)
		err = add_chunks(pool, reserve, count);
	if (!err && fill(pool, cls, count)) {
		/* What is cached may be in the way of the quota. */
		kcoro_trim_release(pool, (size_t)count * kcoro_class_size(cls));
		err = fill(pool, cls, count);
	}
	WRITE_ONCE(reserve->wanted, err ? before : count);
	empty(pool, cls, reserve->wanted);
	mutex_unlock(&pool->reserve_lock);
	return err;
}
EXPORT_SYMBOL_GPL(kcoro_pool_reserve);

static void reserve_work(struct work_struct *work)
{
	struct kcoro_pool *pool = container_of(to_delayed_work(work), struct kcoro_pool,
					       reserve_work);
	unsigned int cls;
	int err = 0;

	mutex_lock(&pool->reserve_lock);
	/* Before the look at the chunks: who takes from now on raises us again. */
	xchg(&pool->reserve_low, false);
	for (cls = 0; cls < KCORO_CLASSES; cls++)
		err |= fill(pool, cls, pool->reserve[cls].wanted);
	mutex_unlock(&pool->reserve_lock);
	if (!err)
		return;
	/* Of what is cached some may go instead: it is freed for the next attempt. */
	kcoro_trim_release(pool, KCORO_BATCH_MAX * SZ_1K);
	queue_delayed_work(kcoro_unbound_wq, &pool->reserve_work, RETRY_JIFFIES);
}

/**
 * kcoro_reserve_start() - make a pool ready for reserves
 * @pool: the pool
 */
void kcoro_reserve_start(struct kcoro_pool *pool)
{
	mutex_init(&pool->reserve_lock);
	INIT_DELAYED_WORK(&pool->reserve_work, reserve_work);
}

/**
 * kcoro_reserve_stop() - give all of them back
 * @pool: the pool, which nobody allocates from any more
 */
void kcoro_reserve_stop(struct kcoro_pool *pool)
{
	struct kcoro_reserve_chunk *chunk, *next;
	unsigned int cls;

	cancel_delayed_work_sync(&pool->reserve_work);
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		empty(pool, cls, 0);
		for (chunk = pool->reserve[cls].chunks; chunk; chunk = next) {
			next = chunk->next;
			kfree(chunk);
		}
		pool->reserve[cls].chunks = NULL;
		pool->reserve[cls].wanted = 0;
	}
}
