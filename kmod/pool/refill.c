// SPDX-License-Identifier: GPL-2.0-only
/*
 * refill.c - what a miss comes to: the depot, then batches from and to the slab.
 *
 * kcoro_refill_alloc() and kcoro_refill_free() are called from every level, after
 * the window, with preemption as the caller has it. Where the slab must not be
 * called (NMI; on PREEMPT_RT whenever not preemptible; in a probe at a depot's lock)
 * an allocation fails and a
 * free goes to the per-CPU deferred list; both raise the irq_work, which queues the
 * worker of this CPU:
 *
 *   NMI, RT atomic --> wanted bit / deferred list --> irq_work --> worker --> slab
 *
 * The worker runs in process context, on its CPU or, when that has gone offline, on
 * another: it touches no magazine that a CPU has. It fills one and gives it to the
 * depot, where the next miss finds it.
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

static struct kcoro_depot *depot_here(struct kcoro_pool *pool, unsigned int cls)
{
	return &pool->depots[raw_cpu_read(pool->cpu->node)][cls];
}

/*
 * An empty magazine for this level: for the CPU, if it has not two yet, else for the
 * depot. One that the depot has is taken before a new one is made. Without memory
 * things work on, only slower.
 */
static void magazine_add(struct kcoro_pool *pool, enum kcoro_level level, unsigned int cls,
			 gfp_t gfp)
{
	struct kcoro_magazine *mag = kcoro_depot_take(depot_here(pool, cls), false);

	if (!mag)
		mag = magazine_alloc(level, cls, gfp);
	if (mag && !kcoro_depot_load(pool, cls, mag))
		kcoro_depot_give(depot_here(pool, cls), mag);
}

/* This CPU has no magazine of this level and class yet. */
static bool magazine_missing(struct kcoro_pool *pool, enum kcoro_level level, unsigned int cls)
{
	return raw_cpu_read(pool->cpu->loaded[kcoro_slot(level, cls)]) == &kcoro_magazine_none;
}

/*
 * May the slab be called, and a depot's lock be waited for? Not while this CPU has
 * such a lock: then a probe at it came here.
 */
static bool may_slab_here(void)
{
	return kcoro_context_may_slab() && !raw_cpu_read(kcoro_in_depot);
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
	raise_worker(pool, kcoro_context_level(), cls, NULL);
	return kcoro_refill_fail(pool, cls, place);
}

void *kcoro_refill_alloc(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp,
			 enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	bool may_slab = may_slab_here();
	void *frames[KCORO_BATCH_MAX];
	void *frame;
	u32 n, kept;

	/* In debug mode each frame comes alone, and no magazine is between it and the slab. */
	if (!kcoro_frame_debug || !may_slab) {
		frame = kcoro_depot_alloc(pool, cls, false);
		if (frame) {
			tell(place, KCORO_PLACE_MAGAZINE);
			return frame;
		}
	} else {
		count(pool, level, cls, alloc_misses);
	}
	if (!may_slab)
		return kcoro_refill_later(pool, cls, place);
	if (gfp == KCORO_GFP_AUTO)
		gfp = kcoro_context_gfp();
	if (!kcoro_frame_debug && magazine_missing(pool, level, cls))
		magazine_add(pool, level, cls, gfp);
	n = kcoro_slab_alloc(cls, gfp, frames,
			     kcoro_frame_debug ? 1 : kcoro_batch_size(level, cls));
	if (!n)
		return kcoro_refill_fail(pool, cls, place);
	tell(place, KCORO_PLACE_SLAB);
	count(pool, level, cls, refills);
	this_cpu_inc(pool->cpu->allocs[kcoro_slot(level, cls)]);
	n--;
	/* The caller may have slept and be on another CPU: any magazine will do. */
	kept = n ? kcoro_depot_put(pool, cls, frames, n) : 0;
	kcoro_slab_free(frames + kept, n - kept);
	return frames[n];
}

/* The frame waits for the worker, which hands it to the slab. */
void kcoro_refill_defer(struct kcoro_pool *pool, void *frame, unsigned int cls,
			enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();

	this_cpu_inc(pool->cpu->frees[kcoro_slot(level, cls)]);
	count(pool, level, cls, deferred);
	raise_worker(pool, level, cls, frame);
	tell(place, KCORO_PLACE_DEFERRED);
}

/* The depot has enough, or there is no magazine to be had: a batch goes to the slab. */
static void drain(struct kcoro_pool *pool, void *frame, unsigned int cls, enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	void *frames[KCORO_BATCH_MAX + 1];
	u32 n;

	this_cpu_inc(pool->cpu->frees[kcoro_slot(level, cls)]);
	count(pool, level, cls, drains);
	n = kcoro_depot_drain(pool, cls, frames, kcoro_batch_size(level, cls));
	if (n && kcoro_depot_put(pool, cls, &frame, 1)) {
		tell(place, KCORO_PLACE_MAGAZINE);
	} else {
		frames[n++] = frame;
		tell(place, KCORO_PLACE_SLAB);
	}
	kcoro_slab_free(frames, n);
}

void kcoro_refill_free(struct kcoro_pool *pool, void *frame, unsigned int cls,
		       enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	bool may_slab = may_slab_here();

	if (kcoro_frame_debug && may_slab) {
		count(pool, level, cls, free_misses);
		count(pool, level, cls, drains);
		this_cpu_inc(pool->cpu->frees[kcoro_slot(level, cls)]);
		tell(place, KCORO_PLACE_SLAB);
		kcoro_slab_free(&frame, 1);
		return;
	}
	tell(place, KCORO_PLACE_MAGAZINE);
	if (kcoro_depot_free(pool, cls, frame, false))
		return;
	if (!may_slab) {
		kcoro_refill_defer(pool, frame, cls, place);
		return;
	}
	if (READ_ONCE(depot_here(pool, cls)->full.length) < kcoro_depot_limit()) {
		magazine_add(pool, level, cls, GFP_NOWAIT);
		if (kcoro_depot_free(pool, cls, frame, false))
			return;
	}
	drain(pool, frame, cls, place);
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

/* A magazine with frames for the depot, and an empty one, if it has none. */
static void work_fill(struct kcoro_pool_cpu *pc, enum kcoro_level level, unsigned int cls)
{
	struct kcoro_depot *depot = &pc->pool->depots[pc->node][cls];
	struct kcoro_magazine *mag;
	u32 n;

	if (!READ_ONCE(depot->full.length)) {
		mag = magazine_alloc(level, cls, GFP_KERNEL);
		if (!mag)
			return;
		do {
			n = kcoro_slab_alloc(cls, GFP_KERNEL, &mag->slots[mag->count],
					     min_t(u32, mag->capacity - mag->count,
						   KCORO_BATCH_MAX));
			mag->count += n;
		} while (n && mag->count < mag->capacity);
		n = mag->count;
		kcoro_depot_give(depot, mag);
		if (n)
			this_cpu_inc(pc->pool->cpu->count[kcoro_slot(level, cls)].refills);
	}
	if (!READ_ONCE(depot->empty.length)) {
		mag = magazine_alloc(level, cls, GFP_KERNEL);
		if (mag)
			kcoro_depot_give(depot, mag);
	}
}

void kcoro_refill_work(struct work_struct *work)
{
	struct kcoro_pool_cpu *pc = container_of(work, struct kcoro_pool_cpu, work);
	unsigned long wanted = xchg(&pc->wanted, 0);
	unsigned int slot;

	work_free_deferred(pc);
	for_each_set_bit(slot, &wanted, KCORO_SLOTS)
		work_fill(pc, slot / KCORO_CLASSES, slot % KCORO_CLASSES);
}
