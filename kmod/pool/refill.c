// SPDX-License-Identifier: GPL-2.0-only
/*
 * refill.c - what a miss comes to: batches from and to the slab.
 *
 * kcoro_refill_alloc() and kcoro_refill_free() are called from every level,
 * after the window, with preemption as the caller has it. Where the slab must not
 * be called (NMI; on PREEMPT_RT whenever not preemptible) an allocation fails and
 * a free goes to the per-CPU deferred list; both raise the irq_work, which queues
 * the worker of this CPU:
 *
 *   NMI, RT atomic --> wanted bit / deferred list --> irq_work --> worker --> slab
 *
 * The worker runs in process context on its CPU. It fills magazines of levels
 * 0..2 with interrupts off. A level 3 magazine it replaces whole with one atomic
 * exchange of the pointer: an NMI on this CPU is either before or after it, and
 * has left the old magazine when the exchange returns. When its CPU has gone
 * offline the work runs elsewhere; it then only empties the deferred list.
 *
 * Counters of a slot are bumped with this_cpu_inc(), one instruction, because
 * this code may be interrupted by its own level only in NMI.
 */
#include <linux/irq_work.h>
#include <linux/slab.h>

#include "../context.h"
#include "frame_debug.h"
#include "pool.h"

#define count(pool, level, cls, what) \
	this_cpu_inc((pool)->cpu->count[kcoro_slot(level, cls)].what)

static struct kcoro_magazine *magazine_alloc(enum kcoro_level level, unsigned int cls, gfp_t gfp)
{
	u32 capacity = kcoro_magazine_capacity(level, cls);
	struct kcoro_magazine *mag;

	mag = kmalloc(struct_size(mag, slots, capacity), gfp | __GFP_NOWARN);
	if (mag) {
		mag->count = 0;
		mag->capacity = capacity;
	}
	return mag;
}

/* This level's first magazine of the class; without memory things work on, only slower. */
static void magazine_first(struct kcoro_pool *pool, enum kcoro_level level, unsigned int cls,
			   gfp_t gfp)
{
	struct kcoro_magazine *mag;

	if (this_cpu_read(pool->cpu->loaded[kcoro_slot(level, cls)]) != &kcoro_magazine_none)
		return;
	mag = magazine_alloc(level, cls, gfp);
	if (mag && !kcoro_window_load(pool, cls, mag))
		kfree(mag);
}

/* @place is NULL where nobody asks: the hot path would pay for a variable on the stack. */
static void tell(enum kcoro_place *place, enum kcoro_place what)
{
	if (place)
		*place = what;
}

/* The list node of a frame that waits for the worker. */
static struct llist_node *node_of(void *frame)
{
	return kcoro_frame_debug ? kcoro_frame_debug_node(frame) : frame;
}

static void *frame_of(struct llist_node *node)
{
	return kcoro_frame_debug ? kcoro_frame_debug_of_node(node) : node;
}

/* Have the worker of this CPU look after this slot and the deferred list. */
static void raise_worker(struct kcoro_pool *pool, enum kcoro_level level, unsigned int cls,
			 void *frame)
{
	struct kcoro_pool_cpu *pc;

	preempt_disable();
	pc = this_cpu_ptr(pool->cpu);
	if (frame)
		llist_add(node_of(frame), &pc->deferred);
	set_bit(kcoro_slot(level, cls), &pc->wanted);
	irq_work_queue(&pc->irq_work);
	preempt_enable();
}

/* The allocation fails, and that is all. */
void *kcoro_refill_fail(struct kcoro_pool *pool, unsigned int cls, enum kcoro_place *place)
{
	count(pool, kcoro_context_level(), cls, failures);
	tell(place, KCORO_PLACE_NONE);
	return NULL;
}

/* It fails, because the slab is out of bounds here, and the worker sees to the next one. */
void *kcoro_refill_later(struct kcoro_pool *pool, unsigned int cls, enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();

	count(pool, level, cls, alloc_misses);
	raise_worker(pool, level, cls, NULL);
	return kcoro_refill_fail(pool, cls, place);
}

void *kcoro_refill_alloc(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp,
			 enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	void *frames[KCORO_BATCH_MAX];
	u32 n, kept;

	if (!kcoro_context_may_slab())
		return kcoro_refill_later(pool, cls, place);
	count(pool, level, cls, alloc_misses);
	if (gfp == KCORO_GFP_AUTO)
		gfp = kcoro_context_gfp();
	/* In debug mode each frame comes alone, and no magazine is between it and the slab. */
	if (!kcoro_frame_debug)
		magazine_first(pool, level, cls, gfp);
	n = kcoro_slab_alloc(cls, gfp, frames,
			     kcoro_frame_debug ? 1 : kcoro_batch_size(level, cls));
	if (!n)
		return kcoro_refill_fail(pool, cls, place);
	tell(place, KCORO_PLACE_SLAB);
	count(pool, level, cls, refills);
	count(pool, level, cls, allocs);
	n--;
	/* The caller may have slept and be on another CPU: any magazine will do. */
	kept = kcoro_window_put(pool, cls, frames, n);
	kcoro_slab_free(frames + kept, n - kept);
	return frames[n];
}

/* The frame waits for the worker, which hands it to the slab. */
void kcoro_refill_defer(struct kcoro_pool *pool, void *frame, unsigned int cls,
			enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();

	count(pool, level, cls, free_misses);
	count(pool, level, cls, frees);
	count(pool, level, cls, deferred);
	raise_worker(pool, level, cls, frame);
	tell(place, KCORO_PLACE_DEFERRED);
}

void kcoro_refill_free(struct kcoro_pool *pool, void *frame, unsigned int cls,
		       enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	void *frames[KCORO_BATCH_MAX + 1];
	u32 n = 0;

	if (!kcoro_context_may_slab()) {
		kcoro_refill_defer(pool, frame, cls, place);
		return;
	}
	count(pool, level, cls, free_misses);
	count(pool, level, cls, frees);
	if (!kcoro_frame_debug) {
		magazine_first(pool, level, cls, GFP_NOWAIT);
		n = kcoro_window_take(pool, cls, frames, kcoro_batch_size(level, cls));
	}
	if (n || kcoro_frame_debug)
		count(pool, level, cls, drains);
	if (!kcoro_frame_debug && kcoro_window_put(pool, cls, &frame, 1)) {
		tell(place, KCORO_PLACE_MAGAZINE);
	} else {
		frames[n++] = frame;
		tell(place, KCORO_PLACE_SLAB);
	}
	kcoro_slab_free(frames, n);
}

void kcoro_refill_irq_work(struct irq_work *irq_work)
{
	struct kcoro_pool_cpu *pc = container_of(irq_work, struct kcoro_pool_cpu, irq_work);

	queue_work_on(pc->cpu, kcoro_pool_wq, &pc->work);
}

static void work_free_deferred(struct kcoro_pool_cpu *pc)
{
	struct llist_node *node, *next;
	void *frame;

	llist_for_each_safe(node, next, llist_del_all(&pc->deferred)) {
		frame = frame_of(node);
		kcoro_slab_free(&frame, 1);
	}
}

/* Level 3: a full magazine takes the place of the present one. */
static void work_replace_nmi(struct kcoro_pool_cpu *pc, unsigned int cls)
{
	unsigned int slot = kcoro_slot(KCORO_LEVEL_NMI, cls);
	struct kcoro_magazine *mag, *old;
	u32 n = 0;

	mag = magazine_alloc(KCORO_LEVEL_NMI, cls, GFP_KERNEL);
	if (!mag)
		return;
	while (mag->count < mag->capacity &&
	       (n = kcoro_slab_alloc(cls, GFP_KERNEL, &mag->slots[mag->count],
			       min_t(u32, mag->capacity - mag->count, KCORO_BATCH_MAX))))
		mag->count += n;
	preempt_disable();
	if (smp_processor_id() == pc->cpu) {
		old = xchg(&pc->loaded[slot], mag);
		this_cpu_inc(pc->pool->cpu->count[slot].refills);
	} else {
		old = mag;
	}
	preempt_enable();
	if (old == &kcoro_magazine_none)
		return;
	kcoro_slab_free(old->slots, old->count);
	kfree(old);
}

/* Levels 0..2: a first magazine where there is none, and a batch of frames. */
static void work_fill(struct kcoro_pool_cpu *pc, enum kcoro_level level, unsigned int cls)
{
	unsigned int slot = kcoro_slot(level, cls);
	struct kcoro_magazine *mag = NULL;
	void *frames[KCORO_BATCH_MAX];
	unsigned long flags;
	u32 n, kept = 0;

	if (READ_ONCE(pc->loaded[slot]) == &kcoro_magazine_none)
		mag = magazine_alloc(level, cls, GFP_KERNEL);
	n = kcoro_slab_alloc(cls, GFP_KERNEL, frames, kcoro_batch_size(level, cls));
	local_irq_save(flags);
	if (smp_processor_id() == pc->cpu) {
		if (mag && pc->loaded[slot] == &kcoro_magazine_none) {
			pc->loaded[slot] = mag;
			mag = NULL;
		}
		kept = kcoro_magazine_put(pc->loaded[slot], frames, n);
		if (kept)
			this_cpu_inc(pc->pool->cpu->count[slot].refills);
	}
	local_irq_restore(flags);
	kcoro_slab_free(frames + kept, n - kept);
	kfree(mag);
}

void kcoro_refill_work(struct work_struct *work)
{
	struct kcoro_pool_cpu *pc = container_of(work, struct kcoro_pool_cpu, work);
	unsigned long wanted = xchg(&pc->wanted, 0);
	unsigned int slot;

	work_free_deferred(pc);
	for_each_set_bit(slot, &wanted, KCORO_SLOTS) {
		if (slot / KCORO_CLASSES == KCORO_LEVEL_NMI)
			work_replace_nmi(pc, slot % KCORO_CLASSES);
		else
			work_fill(pc, slot / KCORO_CLASSES, slot % KCORO_CLASSES);
	}
}
