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

#include <kcoro/cxx.h>

#include "../context.h"
#include "../trace/trace.h"
#include "pool.h"

struct kcoro_magazine kcoro_magazine_none;

/*
 * The counters are stored between reading and changing the magazine's count, so that
 * the compiler changes it in memory; docs/frame-pool.md has the listing.
 */
static __always_inline void *slot_pop(struct kcoro_pool_cpu *pc, unsigned long slot)
{
	struct kcoro_magazine *mag = pc->loaded[slot];
	unsigned long n = mag->count;
	void *frame;

	if (unlikely(!n))
		return NULL;
	frame = mag->slots[n - 1];
	asm volatile("incq %0" : "+m" (pc->allocs[slot]));
	mag->count--;
	/* The invariant of a magazine, told to the compiler: it saves the caller a test. */
	if (!frame)
		__builtin_unreachable();
	return frame;
}

static __always_inline bool slot_push(struct kcoro_pool_cpu *pc, unsigned long slot, void *frame)
{
	struct kcoro_magazine *mag = pc->loaded[slot];
	u32 n = mag->count;

	if (unlikely(n >= mag->capacity))
		return false;
	mag->slots[n] = frame;
	asm volatile("incq %0" : "+m" (pc->frees[slot]) :: "memory");
	mag->count++;
	return true;
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
 * Task level has its window in the function that is called, the others are one jump
 * away: so the compiler keeps the arguments where they are. The levels are those of
 * interrupt_context_level(), asked bit by bit; they can't change under our feet.
 */
static __always_inline bool above_task(void)
{
	return unlikely(preempt_count() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET));
}

static __always_inline void *task_pop(struct kcoro_pool *pool, unsigned long cls)
{
	void *frame;

	preempt_disable_notrace();
	frame = slot_pop(raw_cpu_ptr(pool->cpu), kcoro_slot(KCORO_LEVEL_TASK, cls));
	preempt_enable_notrace();
	return frame;
}

static __always_inline bool task_push(struct kcoro_pool *pool, unsigned long cls, void *frame)
{
	bool done;

	preempt_disable_notrace();
	done = slot_push(raw_cpu_ptr(pool->cpu), kcoro_slot(KCORO_LEVEL_TASK, cls), frame);
	preempt_enable_notrace();
	return done;
}

/* Above task level preemption is off already. The barrier keeps each question a test of memory. */
static __always_inline void *above_pop(struct kcoro_pool *pool, unsigned long cls)
{
	struct kcoro_pool_cpu *pc = raw_cpu_ptr(pool->cpu);
	void *frame = NULL;

	if (!(preempt_count() & (NMI_MASK | HARDIRQ_MASK)))
		return slot_pop(pc, kcoro_slot(KCORO_LEVEL_SOFTIRQ, cls));
	barrier();
	if (likely(!(preempt_count() & NMI_MASK)))
		return slot_pop(pc, kcoro_slot(KCORO_LEVEL_HARDIRQ, cls));
	if (nmi_begin(pc)) {
		frame = slot_pop(pc, kcoro_slot(KCORO_LEVEL_NMI, cls));
		nmi_end(pc);
	}
	return frame;
}

static __always_inline bool above_push(struct kcoro_pool *pool, unsigned long cls, void *frame)
{
	struct kcoro_pool_cpu *pc = raw_cpu_ptr(pool->cpu);
	bool done = false;

	if (!(preempt_count() & (NMI_MASK | HARDIRQ_MASK)))
		return slot_push(pc, kcoro_slot(KCORO_LEVEL_SOFTIRQ, cls), frame);
	barrier();
	if (likely(!(preempt_count() & NMI_MASK)))
		return slot_push(pc, kcoro_slot(KCORO_LEVEL_HARDIRQ, cls), frame);
	if (nmi_begin(pc)) {
		done = slot_push(pc, kcoro_slot(KCORO_LEVEL_NMI, cls), frame);
		nmi_end(pc);
	}
	return done;
}

static __always_inline void *finish(struct kcoro_pool *pool, void *frame, size_t size)
{
	return likely(!(pool->flags & KCORO_POOL_ZERO)) ? frame : memset(frame, 0, size);
}

/* By section, because NOKPROBE_SYMBOL() takes the address, and that costs an endbr64. */
static noinline __kprobes void *alloc_above_task(struct kcoro_pool *pool, unsigned long cls,
						 size_t size, gfp_t gfp)
{
	void *frame = above_pop(pool, cls);

	if (likely(frame))
		return finish(pool, frame, size);
	return kcoro_refill_alloc(pool, cls, size, gfp, NULL);
}

static noinline __kprobes void free_above_task(struct kcoro_pool *pool, unsigned long cls,
					       void *frame)
{
	if (unlikely(!above_push(pool, cls, frame)))
		kcoro_refill_free(pool, cls, frame, NULL);
}

/* In full, for where the pool or the flags are constants. */
static __always_inline void *alloc_class(struct kcoro_pool *pool, unsigned long cls, size_t size,
					 gfp_t gfp, bool may_zero)
{
	void *frame;

	if (static_branch_unlikely(&kcoro_pool_watched))
		return kcoro_watched_alloc(pool, cls, size, gfp);
	if (above_task())
		return alloc_above_task(pool, cls, size, gfp);
	frame = task_pop(pool, cls);
	if (likely(frame))
		return may_zero ? finish(pool, frame, size) : frame;
	return kcoro_refill_alloc(pool, cls, size, gfp, NULL);
}

notrace void *kcoro_pool_alloc_class(struct kcoro_pool *pool, unsigned long cls, size_t size)
{
	return alloc_class(pool, cls, size, KCORO_GFP_AUTO, true);
}
NOKPROBE_SYMBOL(kcoro_pool_alloc_class);
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_class);

notrace void *kcoro_pool_alloc_class_gfp(struct kcoro_pool *pool, unsigned long cls, size_t size,
					 gfp_t gfp)
{
	return alloc_class(pool, cls, size, gfp, true);
}
NOKPROBE_SYMBOL(kcoro_pool_alloc_class_gfp);
EXPORT_SYMBOL_GPL(kcoro_pool_alloc_class_gfp);

static __always_inline void free_class(struct kcoro_pool *pool, unsigned long cls, void *frame)
{
	if (static_branch_unlikely(&kcoro_pool_watched))
		kcoro_watched_free(pool, cls, frame);
	else if (above_task())
		free_above_task(pool, cls, frame);
	else if (unlikely(!task_push(pool, cls, frame)))
		kcoro_refill_free(pool, cls, frame, NULL);
}

notrace void kcoro_pool_free_class(struct kcoro_pool *pool, unsigned long cls, void *frame)
{
	free_class(pool, cls, frame);
}
NOKPROBE_SYMBOL(kcoro_pool_free_class);
EXPORT_SYMBOL_GPL(kcoro_pool_free_class);

/* C++ awaits a task by a frame each: a window of their own spares what gets to another one. */
notrace void *kcoro_cxx_frame_alloc_class(unsigned long cls, unsigned long size)
{
	return alloc_class(kcoro_pool_of_all, cls, size, GFP_ATOMIC | __GFP_NOWARN, false);
}
NOKPROBE_SYMBOL(kcoro_cxx_frame_alloc_class);
EXPORT_SYMBOL_GPL(kcoro_cxx_frame_alloc_class);

notrace void kcoro_cxx_frame_free_class(void *frame, unsigned long cls)
{
	free_class(kcoro_pool_of_all, cls, frame);
}
NOKPROBE_SYMBOL(kcoro_cxx_frame_free_class);
EXPORT_SYMBOL_GPL(kcoro_cxx_frame_free_class);

/**
 * kcoro_window_pop() - a frame from this CPU's magazine of this level
 * @pool: the pool
 * @cls: class
 *
 * Context: any. Return: the frame, counted as allocated, the caller's; or NULL.
 */
notrace void *kcoro_window_pop(struct kcoro_pool *pool, unsigned int cls)
{
	return above_task() ? above_pop(pool, cls) : task_pop(pool, cls);
}
NOKPROBE_SYMBOL(kcoro_window_pop);

/**
 * kcoro_window_push() - a frame into this CPU's magazine of this level
 * @pool: the pool
 * @cls: its class
 * @frame: the frame
 *
 * Context: any. Return: true when it is the magazine's, and counted as freed;
 * false when there was no room, and it remains the caller's.
 */
notrace bool kcoro_window_push(struct kcoro_pool *pool, unsigned int cls, void *frame)
{
	return above_task() ? above_push(pool, cls, frame) : task_push(pool, cls, frame);
}
NOKPROBE_SYMBOL(kcoro_window_push);
