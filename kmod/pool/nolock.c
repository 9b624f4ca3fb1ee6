// SPDX-License-Identifier: GPL-2.0-only
/*
 * nolock.c - allocate and free for callers that may be inside any lock, the slab's
 * and the workqueue's among them: tracing programs.
 *
 * Magazine, depot if its lock is free, reserve, or nothing: no waiting, no slab, no work queue,
 * no tracepoint. What is missing or too much is left to the worker, which an irq_work
 * raises. Callable from every context, NMI included.
 */
#include <linux/export.h>

#include "../context.h"
#include "../trace/trace.h"
#include "fault.h"
#include "frame_debug.h"
#include "pool.h"

void *kcoro_pool_alloc_nolock(struct kcoro_pool *pool, size_t size)
{
	unsigned int cls = kcoro_size_class(size);
	void *frame;

	if (cls >= KCORO_CLASSES)
		return NULL;
	if (static_branch_unlikely(&kcoro_pool_watched) && kcoro_fault_hit(kcoro_context_level()))
		return kcoro_refill_fail(pool, cls, KCORO_FAILED_INJECTED, NULL);
	frame = kcoro_window_pop(pool, cls);
	if (!frame)
		frame = kcoro_depot_alloc(pool, cls, true);
	if (!frame)
		frame = kcoro_refill_later(pool, cls, NULL);
	if (kcoro_frame_debug && frame)
		kcoro_frame_debug_alloc(pool, frame);
	if (frame && pool->flags & KCORO_POOL_ZERO)
		memset(frame, 0, size);
	return frame;
}
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_nolock);

void kcoro_pool_free_nolock(struct kcoro_pool *pool, void *frame, size_t size)
{
	unsigned int cls = kcoro_size_class(size);

	if (!frame || cls >= KCORO_CLASSES)
		return;
	if (kcoro_frame_debug && !kcoro_frame_debug_free(&pool, frame, &cls))
		return;
	if (!kcoro_window_push(pool, cls, frame) && !kcoro_depot_free(pool, cls, frame, true))
		kcoro_refill_defer(pool, cls, frame, NULL);
}
EXPORT_SYMBOL_GPL(kcoro_pool_free_nolock);
