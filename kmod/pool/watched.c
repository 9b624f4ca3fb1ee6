// SPDX-License-Identifier: GPL-2.0-only
/*
 * watched.c - allocate and free while somebody watches: a listener on a tracepoint,
 * the fault point, or the debug mode. The hot path in window.c comes here then.
 *
 * Callable from every context, NMI included. Nothing here is inside a window, so it
 * may be traced and probed. ktime_get_mono_fast_ns() is NMI safe.
 */
#include <linux/ktime.h>

#include "../context.h"
#include "../trace/trace.h"
#include "fault.h"
#include "frame_debug.h"
#include "pool.h"

/* In debug mode a magazine serves only where the slab may not be called. */
static bool use_magazine(void)
{
	return !kcoro_frame_debug || !kcoro_context_may_slab();
}

static void *alloc(struct kcoro_pool *pool, unsigned int cls, size_t size, gfp_t gfp,
		   enum kcoro_place *place)
{
	void *frame;

	if (kcoro_fault_hit(kcoro_context_level()))
		return kcoro_refill_fail(pool, cls, KCORO_FAILED_INJECTED, place);
	*place = KCORO_PLACE_MAGAZINE;
	frame = use_magazine() ? kcoro_window_pop(pool, cls) : NULL;
	if (!frame)
		frame = kcoro_refill_alloc(pool, cls, size, gfp, place);
	return frame;
}

/* As kcoro_pool_alloc_class(), whose other half it is. */
void *kcoro_watched_alloc(struct kcoro_pool *pool, unsigned int cls, size_t size, gfp_t gfp)
{
	u64 start = ktime_get_mono_fast_ns();
	enum kcoro_place place;
	void *frame;

	frame = alloc(pool, cls, size, gfp, &place);
	if (gfp == KCORO_GFP_AUTO)
		gfp = kcoro_context_gfp();
	trace_kcoro_frame_alloc(kcoro_class_size(cls), cls, kcoro_context_level(), gfp, place,
				ktime_get_mono_fast_ns() - start);
	if (kcoro_frame_debug && frame)
		kcoro_frame_debug_alloc(pool, frame);
	if (frame && pool->flags & KCORO_POOL_ZERO)
		memset(frame, 0, size);
	return frame;
}

/* As kcoro_pool_free_class(), whose other half it is. */
void kcoro_watched_free(struct kcoro_pool *pool, unsigned int cls, void *frame)
{
	enum kcoro_place place = KCORO_PLACE_MAGAZINE;
	u64 start;

	if (kcoro_frame_debug && !kcoro_frame_debug_free(&pool, frame, &cls))
		return;
	start = ktime_get_mono_fast_ns();
	if (!use_magazine() || !kcoro_window_push(pool, cls, frame))
		kcoro_refill_free(pool, cls, frame, &place);
	trace_kcoro_frame_free(kcoro_class_size(cls), cls, kcoro_context_level(), place,
			       ktime_get_mono_fast_ns() - start);
}
