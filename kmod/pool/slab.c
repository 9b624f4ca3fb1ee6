// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab.c - where frames come from and go to in the end: one slab cache per class.
 *
 * kcoro_slab_alloc(), kcoro_slab_free(): any context in which the slab may be
 * called (kcoro_context_may_slab()); whether they sleep is for the flags to say.
 * init and exit: process context.
 *
 * With frame_debug=1 an object is larger than its frame, and frame_debug.c knows
 * what is around it; everybody else sees pointers to frames alone.
 */
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "../context.h"
#include "frame_debug.h"
#include "pool.h"

/* Batch where interrupts are off: single calls, so keep it short. */
#define BATCH_IRQOFF 8

static struct kmem_cache *caches[KCORO_CLASSES];

static const char *const cache_names[KCORO_CLASSES] = {
	"kcoro_frame_64", "kcoro_frame_128", "kcoro_frame_192", "kcoro_frame_256",
	"kcoro_frame_512", "kcoro_frame_1k", "kcoro_frame_2k", "kcoro_frame_4k",
	"kcoro_frame_8k",
};

/* What the quota has room for: the batch, or one. */
static u32 charge(struct kcoro_pool *pool, unsigned int cls, u32 want)
{
	if (kcoro_quota_charge(pool, want * kcoro_class_size(cls)))
		return want;
	return want > 1 && kcoro_quota_charge(pool, kcoro_class_size(cls)) ? 1 : 0;
}

static u32 slab_get(struct kmem_cache *cache, gfp_t gfp, void **frames, u32 want)
{
	/* For what is only to be cached the page allocator's reserves are not touched. */
	gfp_t batch = (gfp & ~__GFP_HIGH) | __GFP_NORETRY | __GFP_NOMEMALLOC;
	u32 n = 0;

	if (want > 1 && !irqs_disabled()) {
		/* All or nothing; the answer is a number up to 6.x, later true or false. */
		n = kmem_cache_alloc_bulk(cache, batch, want, frames) ? want : 0;
	} else if (want > 1) {
		want = min_t(u32, want, BATCH_IRQOFF);
		for (; n < want; n++) {
			frames[n] = kmem_cache_alloc(cache, batch);
			if (!frames[n])
				break;
		}
	}
	if (!n) {
		frames[0] = kmem_cache_alloc(cache, gfp);
		n = frames[0] ? 1 : 0;
	}
	return n;
}

/**
 * kcoro_slab_alloc() - frames from the slab
 * @pool: the pool, which holds them from now on
 * @cls: class
 * @gfp: flags, of the caller of the pool
 * @frames: where to
 * @want: how many, 1 .. KCORO_BATCH_MAX
 *
 * One bulk call where interrupts are on, as it asks for, else single calls. The
 * batch must not fail the caller nor try hard: with no bulk to be had one single
 * frame is asked for with the full flags.
 *
 * Return: how many, from 0; they are the caller's. 0 with -EDQUOT in @err: the quota
 * had no room.
 */
u32 kcoro_slab_alloc(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp, void **frames,
		     u32 want, int *err)
{
	u32 charged = charge(pool, cls, want), n, i;
	struct mem_cgroup *old = NULL;

	*err = -EDQUOT;
	if (!charged)
		return 0;
	*err = -ENOMEM;
	if (pool->memcg)
		old = set_active_memcg(pool->memcg);
	n = slab_get(caches[cls], kcoro_quota_gfp(pool, gfp), frames, charged);
	if (pool->memcg)
		set_active_memcg(old);
	kcoro_quota_uncharge(pool, (charged - n) * kcoro_class_size(cls));
	for (i = 0; kcoro_frame_debug && i < n; i++)
		frames[i] = kcoro_frame_debug_prepare(frames[i], cls);
	return n;
}

/**
 * kcoro_slab_free() - frames to the slab
 * @pool: the pool, which held them until now
 * @cls: their class
 * @frames: the frames, no longer the caller's
 * @n: how many, from 0
 *
 * They leave with no cache named, whatever they came from.
 */
void kcoro_slab_free(struct kcoro_pool *pool, unsigned int cls, void **frames, u32 n)
{
	u32 i;

	if (!n)
		return;
	if (kcoro_frame_debug) {
		for (i = 0; i < n; i++)
			kcoro_frame_debug_release(frames[i]);
	} else if (!irqs_disabled()) {
		kfree_bulk(n, frames);
	} else {
		for (i = 0; i < n; i++)
			kfree(frames[i]);
	}
	kcoro_quota_uncharge(pool, n * kcoro_class_size(cls));
}

static void destroy_caches(void)
{
	unsigned int cls;

	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		kmem_cache_destroy(caches[cls]);
		caches[cls] = NULL;
	}
}

int __init kcoro_slab_init(void)
{
	unsigned int cls;

	/* Not merged with others: a bug elsewhere must not hit frames, nor the other way round. */
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		size_t size = kcoro_class_size(cls);

		if (kcoro_frame_debug)
			size = kcoro_frame_debug_size(size);
		caches[cls] = kmem_cache_create(cache_names[cls], size, 64, SLAB_NO_MERGE, NULL);
		if (!caches[cls]) {
			destroy_caches();
			return -ENOMEM;
		}
	}
	return 0;
}

void kcoro_slab_exit(void)
{
	destroy_caches();
}
