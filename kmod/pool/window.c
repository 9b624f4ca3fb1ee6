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

/* Bits of the preempt count that say: not task level. */
#define ABOVE_TASK (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/* A flag of its own tells success: testing the frame would cost a load's worth more. */
static __always_inline bool slot_pop(struct kcoro_pool_cpu *pc, unsigned long slot, void **frame)
{
	struct kcoro_magazine *mag = pc->loaded[slot];
	u32 n = mag->count;

	if (unlikely(!n))
		return false;
	mag->count = --n;
	pc->allocs[slot]++;
	*frame = mag->slots[n];
	return true;
}

static __always_inline bool slot_push(struct kcoro_pool_cpu *pc, unsigned long slot, void *frame)
{
	struct kcoro_magazine *mag = pc->loaded[slot];
	u32 n = mag->count;

	if (unlikely(n >= mag->capacity))
		return false;
	mag->slots[n] = frame;
	mag->count = n + 1;
	pc->frees[slot]++;
	return true;
}

/* The slot of softirq and hardirq level. */
static __always_inline unsigned long irq_slot(unsigned int count, unsigned long cls)
{
	return kcoro_slot(count & HARDIRQ_MASK ? KCORO_LEVEL_HARDIRQ : KCORO_LEVEL_SOFTIRQ, cls);
}

static __always_inline bool nmi_begin(struct kcoro_pool_cpu *pc)
{
	if (pc->nmi_busy)
		return false;
	pc->nmi_busy = 1;
	barrier();
	return true;
}

static __always_inline void nmi_end(struct kcoro_pool_cpu *pc)
{
	barrier();
	pc->nmi_busy = 0;
}

/*
 * The level is that of interrupt_context_level(), asked for so that the one that is
 * needed most costs least.
 */
static __always_inline bool window_pop(struct kcoro_pool *pool, unsigned long cls, void **frame)
{
	struct kcoro_pool_cpu *pc;
	unsigned int count;
	bool done = false;

	preempt_disable_notrace();
	count = preempt_count();
	pc = raw_cpu_ptr(pool->cpu);
	if (likely(!(count & ABOVE_TASK))) {
		done = slot_pop(pc, kcoro_slot(KCORO_LEVEL_TASK, cls), frame);
	} else if (likely(!(count & NMI_MASK))) {
		done = slot_pop(pc, irq_slot(count, cls), frame);
	} else if (nmi_begin(pc)) {
		done = slot_pop(pc, kcoro_slot(KCORO_LEVEL_NMI, cls), frame);
		nmi_end(pc);
	}
	preempt_enable_notrace();
	return done;
}

static __always_inline bool window_push(struct kcoro_pool *pool, void *frame, unsigned long cls)
{
	struct kcoro_pool_cpu *pc;
	unsigned int count;
	bool done = false;

	preempt_disable_notrace();
	count = preempt_count();
	pc = raw_cpu_ptr(pool->cpu);
	if (likely(!(count & ABOVE_TASK))) {
		done = slot_push(pc, kcoro_slot(KCORO_LEVEL_TASK, cls), frame);
	} else if (likely(!(count & NMI_MASK))) {
		done = slot_push(pc, irq_slot(count, cls), frame);
	} else if (nmi_begin(pc)) {
		done = slot_push(pc, kcoro_slot(KCORO_LEVEL_NMI, cls), frame);
		nmi_end(pc);
	}
	preempt_enable_notrace();
	return done;
}

notrace void *kcoro_pool_alloc_class(struct kcoro_pool *pool, unsigned long cls)
{
	void *frame;

	if (static_branch_unlikely(&kcoro_pool_watched))
		return kcoro_watched_alloc(pool, cls, KCORO_GFP_AUTO);
	if (likely(window_pop(pool, cls, &frame)))
		return frame;
	return kcoro_refill_alloc(pool, cls, KCORO_GFP_AUTO, NULL);
}
NOKPROBE_SYMBOL(kcoro_pool_alloc_class);
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_class);

notrace void *kcoro_pool_alloc_class_gfp(struct kcoro_pool *pool, unsigned long cls, gfp_t gfp)
{
	void *frame;

	if (static_branch_unlikely(&kcoro_pool_watched))
		return kcoro_watched_alloc(pool, cls, gfp);
	if (likely(window_pop(pool, cls, &frame)))
		return frame;
	return kcoro_refill_alloc(pool, cls, gfp, NULL);
}
NOKPROBE_SYMBOL(kcoro_pool_alloc_class_gfp);
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_class_gfp);

notrace void kcoro_pool_free_class(struct kcoro_pool *pool, unsigned long cls, void *frame)
{
	if (static_branch_unlikely(&kcoro_pool_watched))
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
	void *frame;

	return window_pop(pool, cls, &frame) ? frame : NULL;
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
