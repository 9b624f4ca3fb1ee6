// SPDX-License-Identifier: GPL-2.0-only
/*
 * window.c - the hot path of the frame pool.
 *
 * A window is the time between preemption off and on, alone with this CPU's
 * magazines of this level. Inside: no traced call, no probe, no slab, no lock;
 * every function that opens one is notrace and NOKPROBE, because an optimised
 * kprobe or an fentry program would run at this very level and could come back
 * in. Tracepoints, latency and the slab come after the window.
 *
 * Levels 0..2 don't nest on one CPU with preemption off. Level 3 does (#DB, #MC,
 * int3 inside an NMI): nmi_busy makes the nested one miss. The order there is
 * test, set, work, clear: who interrupts between test and set is done before the
 * interrupted one goes on.
 */
#include <linux/kprobes.h>
#include <linux/percpu.h>

#include "../context.h"
#include "../trace/trace.h"
#include "pool.h"

struct kcoro_magazine kcoro_magazine_none;

DEFINE_STATIC_KEY_FALSE(kcoro_pool_watched);

/* Preemption off; NULL when this is a nested NMI: then the window is closed already. */
static __always_inline struct kcoro_pool_cpu *window_open(struct kcoro_pool *pool,
							  enum kcoro_level *level)
{
	struct kcoro_pool_cpu *pc;

	preempt_disable_notrace();
	pc = raw_cpu_ptr(pool->cpu);
	*level = kcoro_context_level();
	if (unlikely(*level == KCORO_LEVEL_NMI)) {
		if (pc->nmi_busy) {
			preempt_enable_notrace();
			return NULL;
		}
		pc->nmi_busy = 1;
		barrier();
	}
	return pc;
}

static __always_inline void window_close(struct kcoro_pool_cpu *pc, enum kcoro_level level)
{
	if (unlikely(level == KCORO_LEVEL_NMI)) {
		barrier();
		pc->nmi_busy = 0;
	}
	preempt_enable_notrace();
}

static __always_inline void *window_pop(struct kcoro_pool *pool, unsigned int cls)
{
	struct kcoro_pool_cpu *pc;
	enum kcoro_level level;
	void *frame;

	pc = window_open(pool, &level);
	if (unlikely(!pc))
		return NULL;
	frame = kcoro_magazine_pop(pc->loaded[kcoro_slot(level, cls)]);
	if (likely(frame))
		pc->count[kcoro_slot(level, cls)].allocs++;
	window_close(pc, level);
	return frame;
}

static __always_inline bool window_push(struct kcoro_pool *pool, void *frame, unsigned int cls)
{
	struct kcoro_pool_cpu *pc;
	enum kcoro_level level;
	bool done;

	pc = window_open(pool, &level);
	if (unlikely(!pc))
		return false;
	done = kcoro_magazine_push(pc->loaded[kcoro_slot(level, cls)], frame);
	if (likely(done))
		pc->count[kcoro_slot(level, cls)].frees++;
	window_close(pc, level);
	return done;
}

notrace void *kcoro_pool_alloc_class(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp)
{
	void *frame;

	if (static_branch_unlikely(&kcoro_pool_watched) || trace_kcoro_frame_alloc_enabled())
		return kcoro_watched_alloc(pool, cls, gfp);
	frame = window_pop(pool, cls);
	if (likely(frame))
		return frame;
	return kcoro_refill_alloc(pool, cls, gfp, NULL);
}
NOKPROBE_SYMBOL(kcoro_pool_alloc_class);
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_class);

notrace void kcoro_pool_free_class(struct kcoro_pool *pool, void *frame, unsigned int cls)
{
	if (static_branch_unlikely(&kcoro_pool_watched) || trace_kcoro_frame_free_enabled())
		kcoro_watched_free(pool, frame, cls);
	else if (unlikely(!window_push(pool, frame, cls)))
		kcoro_refill_free(pool, frame, cls, NULL);
}
NOKPROBE_SYMBOL(kcoro_pool_free_class);
EXPORT_SYMBOL_GPL(kcoro_pool_free_class);

/**
 * kcoro_window_pop() - a frame from this CPU's magazine of this level
 * @pool: the pool
 * @cls: class
 *
 * Context: any. Return: the frame, counted as allocated, the caller's; or NULL.
 */
notrace void *kcoro_window_pop(struct kcoro_pool *pool, unsigned int cls)
{
	return window_pop(pool, cls);
}
NOKPROBE_SYMBOL(kcoro_window_pop);

/**
 * kcoro_window_push() - a frame into this CPU's magazine of this level
 * @pool: the pool
 * @frame: the frame
 * @cls: its class
 *
 * Context: any. Return: true when it is the magazine's, and counted as freed;
 * false when there was no room, and it remains the caller's.
 */
notrace bool kcoro_window_push(struct kcoro_pool *pool, void *frame, unsigned int cls)
{
	return window_push(pool, frame, cls);
}
NOKPROBE_SYMBOL(kcoro_window_push);

/**
 * kcoro_window_put() - put a batch into this CPU's magazine of this level
 * @pool: the pool
 * @cls: class of all of them
 * @frames: the batch
 * @have: its length, at most KCORO_BATCH_MAX
 *
 * Context: any. Return: how many found room; frames[0 .. n) are the magazine's.
 */
notrace u32 kcoro_window_put(struct kcoro_pool *pool, unsigned int cls, void *const *frames,
			     u32 have)
{
	struct kcoro_pool_cpu *pc;
	enum kcoro_level level;
	u32 n;

	pc = window_open(pool, &level);
	if (!pc)
		return 0;
	n = kcoro_magazine_put(pc->loaded[kcoro_slot(level, cls)], frames, have);
	window_close(pc, level);
	return n;
}
NOKPROBE_SYMBOL(kcoro_window_put);

/**
 * kcoro_window_take() - take a batch from this CPU's magazine of this level
 * @pool: the pool
 * @cls: class
 * @frames: where to
 * @want: how many, at most KCORO_BATCH_MAX
 *
 * Context: any. Return: how many; they are the caller's.
 */
notrace u32 kcoro_window_take(struct kcoro_pool *pool, unsigned int cls, void **frames, u32 want)
{
	struct kcoro_pool_cpu *pc;
	enum kcoro_level level;
	u32 n;

	pc = window_open(pool, &level);
	if (!pc)
		return 0;
	n = kcoro_magazine_take(pc->loaded[kcoro_slot(level, cls)], frames, want);
	window_close(pc, level);
	return n;
}
NOKPROBE_SYMBOL(kcoro_window_take);

/**
 * kcoro_window_load() - give this CPU and level its first magazine
 * @pool: the pool
 * @cls: class
 * @mag: an empty magazine
 *
 * Context: any. Return: true when @mag is in place and the pool's; false when
 * there is one already, and @mag remains the caller's.
 */
notrace bool kcoro_window_load(struct kcoro_pool *pool, unsigned int cls,
			       struct kcoro_magazine *mag)
{
	struct kcoro_pool_cpu *pc;
	enum kcoro_level level;
	unsigned int slot;
	bool loaded;

	pc = window_open(pool, &level);
	if (!pc)
		return false;
	slot = kcoro_slot(level, cls);
	loaded = pc->loaded[slot] == &kcoro_magazine_none;
	if (loaded)
		pc->loaded[slot] = mag;
	window_close(pc, level);
	return loaded;
}
NOKPROBE_SYMBOL(kcoro_window_load);
