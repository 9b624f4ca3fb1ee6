// SPDX-License-Identifier: GPL-2.0-only
/*
 * large.c - frames above the classes, up to KCORO_FRAME_LARGE_MAX: whole pages, from
 * the page allocator and back, counted apart from the classes.
 *
 * Nothing is cached. Where the slab must not be called an allocation fails, and a free
 * waits for the worker, as that of a small frame does. Callable from any context, NMI
 * included, but for kcoro_large_release(): process context.
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "../context.h"
#include "../trace/trace.h"
#include "fault.h"
#include "pool.h"

static void *pages_get(struct kcoro_pool *pool, unsigned int order, gfp_t gfp)
{
	struct mem_cgroup *old = NULL;
	unsigned long page;

	if (pool->flags & KCORO_POOL_ZERO)
		gfp |= __GFP_ZERO;
	if (!kcoro_quota_charge(pool, PAGE_SIZE << order)) {
		/* What is cached may be in the way. */
		kcoro_trim_release(pool, PAGE_SIZE << order);
		if (!kcoro_quota_charge(pool, PAGE_SIZE << order))
			return NULL;
	}
	if (pool->memcg)
		old = set_active_memcg(pool->memcg);
	/* A compound page knows its order: pages_are() */
	page = __get_free_pages(kcoro_quota_gfp(pool, gfp) | __GFP_COMP, order);
	if (pool->memcg)
		set_active_memcg(old);
	if (!page)
		kcoro_quota_uncharge(pool, PAGE_SIZE << order);
	return (void *)page;
}

static void *alloc(struct kcoro_pool *pool, size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	void *frame = NULL;

	if (size <= KCORO_FRAME_LARGE_MAX && kcoro_refill_may_slab())
		frame = pages_get(pool, order, gfp);
	if (!frame) {
		atomic64_inc(&pool->large_failures);
		return NULL;
	}
	atomic64_inc(&pool->large_allocs);
	atomic_long_add(PAGE_SIZE << order, &pool->large_held);
	return frame;
}

/* The other half of kcoro_pool_alloc_gfp(), for sizes over KCORO_FRAME_SIZE_MAX. */
void *kcoro_pool_alloc_large(struct kcoro_pool *pool, size_t size, gfp_t gfp)
{
	bool watched = static_branch_unlikely(&kcoro_pool_watched);
	u64 start = watched ? ktime_get_mono_fast_ns() : 0;
	void *frame = NULL;

	if (gfp == KCORO_GFP_AUTO)
		gfp = kcoro_context_gfp();
	if (watched && kcoro_fault_hit(kcoro_context_level()))
		atomic64_inc(&pool->large_failures);
	else
		frame = alloc(pool, size, gfp);
	if (watched)
		trace_kcoro_frame_alloc(size, KCORO_CLASSES, kcoro_context_level(), gfp,
					frame ? KCORO_PLACE_PAGES : KCORO_PLACE_NONE,
					ktime_get_mono_fast_ns() - start);
	return frame;
}
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_large);

/**
 * kcoro_large_release() - the pages go back
 * @pool: the pool
 * @frame: the frame, counted as freed
 * @order: of its pages
 */
void kcoro_large_release(struct kcoro_pool *pool, void *frame, unsigned int order)
{
	free_pages((unsigned long)frame, order);
	kcoro_quota_uncharge(pool, PAGE_SIZE << order);
}

/* Was this allocated here with that order? What was not must not be freed as pages. */
static bool pages_are(const void *frame, unsigned int order)
{
	const struct folio *folio = virt_to_folio(frame);

	return !folio_test_slab(folio) && folio_order(folio) == order;
}

/* The other half of kcoro_pool_free(). */
void kcoro_pool_free_large(struct kcoro_pool *pool, void *frame, size_t size)
{
	bool watched = static_branch_unlikely(&kcoro_pool_watched);
	u64 start = watched ? ktime_get_mono_fast_ns() : 0;
	enum kcoro_place place = KCORO_PLACE_PAGES;
	unsigned int order = get_order(size);

	if (size <= KCORO_FRAME_SIZE_MAX || size > KCORO_FRAME_LARGE_MAX)
		return;
	if (!pages_are(frame, order)) {
		pr_err_ratelimited("kcoro: frame error: free of a large frame with another size, pool \"%s\": it stays live\n",
				   pool->name);
		return;
	}
	atomic64_inc(&pool->large_frees);
	atomic_long_sub(PAGE_SIZE << order, &pool->large_held);
	if (kcoro_refill_may_slab())
		kcoro_large_release(pool, frame, order);
	else
		kcoro_refill_defer(pool, KCORO_CLASSES + order, frame, &place);
	if (watched)
		trace_kcoro_frame_free(size, KCORO_CLASSES, kcoro_context_level(), place,
				       ktime_get_mono_fast_ns() - start);
}
EXPORT_SYMBOL_GPL(kcoro_pool_free_large);
