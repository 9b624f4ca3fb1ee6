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
 * An allocation goes from one source to the next: this CPU's magazines, its node's
 * depot, other nodes' depots when the quota is in the way, the slab, the reserve.
 *
 * Counters of a slot are bumped with this_cpu_inc() and its like, one instruction for each
 * half, because this code may be interrupted by its own level only in NMI.
 */
#include <linux/irq_work.h>
#include <linux/slab.h>

#include "../compat.h"
#include "../context.h"
#include "frame_debug.h"
#include "pool.h"

/* Bump a counter of this level: enum kcoro_count. */
#define count_here(pool, cls, what) \
	kcoro_count(pool, kcoro_slot(kcoro_context_level(), cls), what)

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

/**
 * kcoro_refill_may_slab() - may the slab be called, and a depot's lock be waited for?
 *
 * Not while this CPU has such a lock: then a probe at it came here.
 */
bool kcoro_refill_may_slab(void)
{
	return kcoro_context_may_slab() && !raw_cpu_read(kcoro_in_depot);
}

/* @place is NULL where nobody asks: the hot path would pay for a variable on the stack. */
static void tell(enum kcoro_place *place, enum kcoro_place what)
{
	if (place)
		*place = what;
}

/* Where the note about a frame that waits for the worker lies. */
static struct kcoro_deferred *deferred_of(void *frame, unsigned int cls)
{
	return kcoro_frame_debug && cls < KCORO_CLASSES ? kcoro_frame_debug_deferred(frame) : frame;
}

static void *frame_of(struct kcoro_deferred *deferred)
{
	return kcoro_frame_debug && deferred->cls < KCORO_CLASSES ?
		kcoro_frame_debug_of_deferred(deferred) : deferred;
}

/* Have the worker of this CPU run, and look after the reserve if that is low. */
void kcoro_refill_raise(struct kcoro_pool *pool)
{
	preempt_disable();
	irq_work_queue(this_cpu_ptr(&pool->cpu->irq_work));
	preempt_enable();
}

/* The allocation fails, and that is all. */
void *kcoro_refill_fail(struct kcoro_pool *pool, unsigned int cls, enum kcoro_count why,
			enum kcoro_place *place)
{
	count_here(pool, cls, why);
	tell(place, KCORO_PLACE_NONE);
	return NULL;
}

/* The last source: with nothing in it either, the allocation fails. */
static void *reserve_or_fail(struct kcoro_pool *pool, unsigned int cls, enum kcoro_count why,
			     enum kcoro_place *place)
{
	void *frame = kcoro_reserve_take(pool, cls);

	if (!frame)
		return kcoro_refill_fail(pool, cls, why, place);
	count_here(pool, cls, KCORO_COUNT_RESERVE);
	this_cpu_inc(pool->cpu->allocs[kcoro_slot(kcoro_context_level(), cls)]);
	kcoro_refill_raise(pool);
	tell(place, KCORO_PLACE_RESERVE);
	return frame;
}

/* The slab is out of bounds here: the reserve, and the worker sees to the next one. */
void *kcoro_refill_later(struct kcoro_pool *pool, unsigned int cls, enum kcoro_place *place)
{
	preempt_disable();
	set_bit(kcoro_slot(kcoro_context_level(), cls), this_cpu_ptr(&pool->cpu->wanted));
	preempt_enable();
	kcoro_refill_raise(pool);
	return reserve_or_fail(pool, cls, KCORO_FAILED_CONTEXT, place);
}

/* One in some dozens of allocations: where in its class the requested size lies. */
static void sample_size(struct kcoro_pool *pool, unsigned int cls, size_t size)
{
	size_t below = cls ? kcoro_class_size(cls - 1) : 0;
	size_t step = (kcoro_class_size(cls) - below) / KCORO_SIZE_BUCKETS;

	atomic64_inc(&depot_here(pool, cls)->sizes[(size - 1 - below) / step]);
}

/* A magazine of another node's depot for our own. */
static bool fetch_from_afar(struct kcoro_pool *pool, unsigned int cls)
{
	struct kcoro_magazine *mag;
	int node;

	for_each_online_node(node) {
		if (!READ_ONCE(pool->depots[node][cls].full.length))
			continue;
		mag = kcoro_depot_take(&pool->depots[node][cls], true);
		if (mag) {
			kcoro_depot_give(depot_here(pool, cls), mag);
			return true;
		}
	}
	return false;
}

static gfp_t choose_gfp(struct kcoro_pool *pool, gfp_t gfp)
{
	enum kcoro_level level = kcoro_context_level();
	enum kcoro_gfp_choice choice = KCORO_GFP_CHOICE_CALLER;

	if (gfp == KCORO_GFP_AUTO) {
		gfp = kcoro_context_gfp();
		choice = gfp == GFP_KERNEL ? KCORO_GFP_CHOICE_KERNEL : KCORO_GFP_CHOICE_ATOMIC;
	}
	this_cpu_inc(pool->cpu->gfp[level][choice]);
	return gfp;
}

/* A batch from the slab: one frame for the caller, the others for the magazines. */
static void *from_slab(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp, int *err)
{
	u32 want = kcoro_frame_debug ? 1 : kcoro_batch_size(kcoro_context_level(), cls);
	void *frames[KCORO_BATCH_MAX];
	u32 n, kept;

	n = kcoro_slab_alloc(pool, cls, gfp, frames, want, err);
	if (!n)
		return NULL;
	count_here(pool, cls, KCORO_COUNT_REFILL);
	kcoro_depot_missed(depot_here(pool, cls), n, kcoro_depot_most(cls));
	n--;
	/* The caller may have slept and be on another CPU: any magazine will do. */
	kept = n ? kcoro_depot_put(pool, cls, frames, n) : 0;
	kcoro_slab_free(pool, cls, frames + kept, n - kept);
	return frames[n];
}

/* The quota is in the way: what is cached must go first, or serve. */
static void *over_quota(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp, int *err)
{
	void *frame;

	if (!kcoro_frame_debug && fetch_from_afar(pool, cls)) {
		frame = kcoro_depot_alloc(pool, cls, false);
		if (frame) {
			/* Counted already, as those from a magazine are. */
			this_cpu_dec(pool->cpu->allocs[kcoro_slot(kcoro_context_level(), cls)]);
			return frame;
		}
	}
	kcoro_trim_release(pool, kcoro_class_size(cls));
	return from_slab(pool, cls, gfp, err);
}

static void *refill_alloc(struct kcoro_pool *pool, unsigned int cls, size_t size, gfp_t gfp,
			  enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	bool may_slab = kcoro_refill_may_slab();
	void *frame;
	int err;

	sample_size(pool, cls, size);
	/* In debug mode each frame comes alone, and no magazine is between it and the slab. */
	if (!kcoro_frame_debug || !may_slab) {
		frame = kcoro_depot_alloc(pool, cls, false);
		if (frame) {
			tell(place, KCORO_PLACE_MAGAZINE);
			return frame;
		}
	} else {
		count_here(pool, cls, KCORO_COUNT_ALLOC_MISS);
	}
	if (!may_slab)
		return kcoro_refill_later(pool, cls, place);
	gfp = choose_gfp(pool, gfp);
	if (!kcoro_frame_debug && magazine_missing(pool, level, cls))
		magazine_add(pool, level, cls, gfp);
	frame = from_slab(pool, cls, gfp, &err);
	if (!frame && err == -EDQUOT)
		frame = over_quota(pool, cls, gfp, &err);
	if (!frame)
		return reserve_or_fail(pool, cls, err == -EDQUOT ? KCORO_FAILED_QUOTA :
				       KCORO_FAILED_SLAB, place);
	tell(place, KCORO_PLACE_SLAB);
	this_cpu_inc(pool->cpu->allocs[kcoro_slot(level, cls)]);
	return frame;
}

void *kcoro_refill_alloc(struct kcoro_pool *pool, unsigned int cls, size_t size, gfp_t gfp,
			 enum kcoro_place *place)
{
	void *frame = refill_alloc(pool, cls, size, gfp, place);

	/* In debug mode it is filled with something else first. */
	if (frame && pool->flags & KCORO_POOL_ZERO && !kcoro_frame_debug)
		memset(frame, 0, size);
	return frame;
}

/* The frame waits for the worker, which hands it to the slab. */
void kcoro_refill_defer(struct kcoro_pool *pool, unsigned int cls, void *frame,
			enum kcoro_place *place)
{
	struct kcoro_deferred *deferred = deferred_of(frame, cls);

	if (cls < KCORO_CLASSES) {
		this_cpu_inc(pool->cpu->frees[kcoro_slot(kcoro_context_level(), cls)]);
		count_here(pool, cls, KCORO_COUNT_DEFERRED);
	}
	deferred->cls = cls;
	preempt_disable();
	llist_add(&deferred->node, this_cpu_ptr(&pool->cpu->deferred));
	preempt_enable();
	kcoro_refill_raise(pool);
	tell(place, KCORO_PLACE_DEFERRED);
}

/* The depot has enough, or there is no magazine to be had: a batch goes to the slab. */
static void drain(struct kcoro_pool *pool, unsigned int cls, void *frame, enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	void *frames[KCORO_BATCH_MAX + 1];
	u32 n;

	this_cpu_inc(pool->cpu->frees[kcoro_slot(level, cls)]);
	count_here(pool, cls, KCORO_COUNT_DRAIN);
	n = kcoro_depot_drain(pool, cls, frames, kcoro_batch_size(level, cls));
	if (n && kcoro_depot_put(pool, cls, &frame, 1)) {
		tell(place, KCORO_PLACE_MAGAZINE);
	} else {
		frames[n++] = frame;
		tell(place, KCORO_PLACE_SLAB);
	}
	kcoro_slab_free(pool, cls, frames, n);
	kcoro_depot_sent(depot_here(pool, cls), n);
}

void kcoro_refill_free(struct kcoro_pool *pool, unsigned int cls, void *frame,
		       enum kcoro_place *place)
{
	enum kcoro_level level = kcoro_context_level();
	bool may_slab = kcoro_refill_may_slab();
	struct kcoro_depot *depot;

	if (kcoro_frame_debug && may_slab) {
		count_here(pool, cls, KCORO_COUNT_FREE_MISS);
		count_here(pool, cls, KCORO_COUNT_DRAIN);
		this_cpu_inc(pool->cpu->frees[kcoro_slot(level, cls)]);
		tell(place, KCORO_PLACE_SLAB);
		kcoro_slab_free(pool, cls, &frame, 1);
		return;
	}
	tell(place, KCORO_PLACE_MAGAZINE);
	if (kcoro_depot_free(pool, cls, frame, false))
		return;
	if (!may_slab) {
		/* The next one may find room: the worker makes an empty magazine. */
		preempt_disable();
		set_bit(kcoro_slot(level, cls), this_cpu_ptr(&pool->cpu->wanted));
		preempt_enable();
		kcoro_refill_defer(pool, cls, frame, place);
		return;
	}
	depot = depot_here(pool, cls);
	if (READ_ONCE(depot->full.length) < kcoro_depot_limit(depot, level, cls)) {
		magazine_add(pool, level, cls, GFP_NOWAIT);
		if (kcoro_depot_free(pool, cls, frame, false))
			return;
	}
	drain(pool, cls, frame, place);
}

void kcoro_refill_irq_work(struct irq_work *irq_work)
{
	struct kcoro_pool_cpu *pc = container_of(irq_work, struct kcoro_pool_cpu, irq_work);

	queue_work_on(pc->cpu, kcoro_pool_wq, &pc->work);
}

static void work_free_deferred(struct kcoro_pool_cpu *pc)
{
	struct kcoro_deferred *deferred, *next;

	llist_for_each_entry_safe(deferred, next, llist_del_all(&pc->deferred), node) {
		unsigned long cls = deferred->cls;
		void *frame = frame_of(deferred);

		if (cls < KCORO_CLASSES)
			kcoro_slab_free(pc->pool, cls, &frame, 1);
		else
			kcoro_large_release(pc->pool, frame, cls - KCORO_CLASSES);
	}
}

/* A magazine with frames for the depot, and an empty one, if it has none. */
static void work_fill(struct kcoro_pool_cpu *pc, enum kcoro_level level, unsigned int cls)
{
	struct kcoro_depot *depot = &pc->pool->depots[pc->node][cls];
	struct kcoro_magazine *mag;
	u32 n;
	int err;

	if (!READ_ONCE(depot->full.length)) {
		mag = magazine_alloc(level, cls, GFP_KERNEL);
		if (!mag)
			return;
		do {
			n = kcoro_slab_alloc(pc->pool, cls, GFP_KERNEL, &mag->slots[mag->count],
					     min_t(u32, mag->capacity - mag->count,
						   KCORO_BATCH_MAX), &err);
			mag->count += n;
		} while (n && mag->count < mag->capacity);
		n = mag->count;
		kcoro_depot_give(depot, mag);
		if (n)
			kcoro_count(pc->pool, kcoro_slot(level, cls), KCORO_COUNT_REFILL);
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
	if (READ_ONCE(pc->pool->reserve_low))
		mod_delayed_work(kcoro_unbound_wq, &pc->pool->reserve_work, 0);
}
