// SPDX-License-Identifier: GPL-2.0-only
/*
 * depot.c - whole magazines change hands: between a CPU and its node's depot.
 *
 * What goes where is in exchange.h; here it is made safe. The depot's lock is taken at
 * most once per magazine's worth of operations, whatever their order.
 *
 * kcoro_depot_alloc(), kcoro_depot_free(), kcoro_depot_put(): every context, NMI
 * included. A visit has interrupts off, and in NMI the nested one misses, so that
 * the slot is this code's alone as it is in a window. The order is
 *
 *   interrupts off -> kcoro_in_depot set -> lock -> slot read again -> exchange -> unlock
 *
 * A tracing program may run at the lock (contention_end, with it held) and come back
 * here on the same CPU: kcoro_in_depot tells, and then a lock is only tried, as it is
 * in NMI. It is one flag for all pools, so that two CPUs never wait for each other's.
 * Nothing is read from the slot before the lock is held and kept across it. Between
 * begin and end nothing else can be traced or probed.
 *
 * The lock is a leaf: nothing is taken inside. One per pool, node and class.
 */
#include <linux/kprobes.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "../context.h"
#include "pool.h"

DEFINE_PER_CPU(bool, kcoro_in_depot);
/* For the tests, which play the probe. */
EXPORT_PER_CPU_SYMBOL_GPL(kcoro_in_depot);

struct visit {
	struct kcoro_pool_cpu *pc;
	struct kcoro_depot *depot;
	unsigned long flags;
	unsigned int slot;
	enum kcoro_level level;
	bool was_in_depot;
	bool only_try;
};

/* False in a nested NMI. */
static __always_inline bool visit_begin(struct kcoro_pool *pool, unsigned int cls, bool nolock,
					struct visit *v)
{
	local_irq_save(v->flags);
	v->pc = raw_cpu_ptr(pool->cpu);
	v->level = kcoro_context_level();
	v->slot = kcoro_slot(v->level, cls);
	if (v->level == KCORO_LEVEL_NMI) {
		if (v->pc->nmi_busy) {
			local_irq_restore(v->flags);
			return false;
		}
		v->pc->nmi_busy = 1;
		barrier();
	}
	v->depot = &pool->depots[v->pc->node][cls];
	v->was_in_depot = __this_cpu_read(kcoro_in_depot);
	v->only_try = nolock || v->was_in_depot || v->level == KCORO_LEVEL_NMI;
	__this_cpu_write(kcoro_in_depot, true);
	barrier();
	return true;
}

static __always_inline void visit_end(struct visit *v)
{
	barrier();
	__this_cpu_write(kcoro_in_depot, v->was_in_depot);
	if (v->level == KCORO_LEVEL_NMI)
		v->pc->nmi_busy = 0;
	local_irq_restore(v->flags);
}

static __always_inline struct kcoro_pair pair_of(struct visit *v)
{
	return (struct kcoro_pair){ &v->pc->loaded[v->slot], &v->pc->spare[v->slot] };
}

/* With the lock held: a frame, of a full magazine if need be. */
static __always_inline bool exchange_pop(struct visit *v, void **frame)
{
	*frame = kcoro_pair_pop(pair_of(v));
	if (*frame)
		return true;
	if (!kcoro_pair_get_full(pair_of(v), &v->depot->full, &v->depot->empty))
		return false;
	KCORO_CHECK(kcoro_magazine_is_valid(v->pc->loaded[v->slot]));
	kcoro_count_alone(&v->pc->count[v->slot], KCORO_COUNT_EXCHANGE);
	*frame = kcoro_magazine_pop(v->pc->loaded[v->slot]);
	return true;
}

/* With the lock held: the frame finds room, in an empty magazine if need be. */
static __always_inline bool exchange_push(struct visit *v, void **frame)
{
	if (kcoro_pair_push(pair_of(v), *frame))
		return true;
	/* The one that goes. */
	KCORO_CHECK(kcoro_magazine_is_valid(v->pc->spare[v->slot]));
	if (!kcoro_pair_get_empty(pair_of(v), &v->depot->full, &v->depot->empty))
		return false;
	kcoro_count_alone(&v->pc->count[v->slot], KCORO_COUNT_EXCHANGE);
	kcoro_magazine_push(v->pc->loaded[v->slot], *frame);
	return true;
}

/* @exchange is known where this is inlined, and inlined as well. */
static __always_inline bool visit_depot(struct visit *v, void **frame,
					bool (*exchange)(struct visit *v, void **frame))
{
	bool done;

	if (!v->only_try)
		raw_spin_lock(&v->depot->lock);
	else if (!raw_spin_trylock(&v->depot->lock))
		return false;
	done = exchange(v, frame);
	raw_spin_unlock(&v->depot->lock);
	return done;
}

/**
 * kcoro_depot_alloc() - a frame from the spare magazine or the depot
 * @pool: the pool
 * @cls: class
 * @nolock: any lock may be held: do not wait for the depot's
 *
 * Context: any. Return: the frame, counted as allocated; NULL when neither had one.
 */
notrace void *kcoro_depot_alloc(struct kcoro_pool *pool, unsigned int cls, bool nolock)
{
	struct visit v;
	void *frame;

	if (!visit_begin(pool, cls, nolock, &v))
		return NULL;
	frame = kcoro_pair_pop(pair_of(&v));
	if (!frame) {
		kcoro_count_alone(&v.pc->count[v.slot], KCORO_COUNT_ALLOC_MISS);
		if (READ_ONCE(v.depot->full.length))
			visit_depot(&v, &frame, exchange_pop);
	}
	if (frame)
		v.pc->allocs[v.slot]++;
	visit_end(&v);
	return frame;
}
NOKPROBE_SYMBOL(kcoro_depot_alloc);

/**
 * kcoro_depot_free() - a frame into the spare magazine, or into an empty one
 * @pool: the pool
 * @cls: class
 * @frame: the frame
 * @nolock: any lock may be held: do not wait for the depot's
 *
 * Context: any. Return: true when the frame was taken, and counted as freed. False
 * when no empty magazine was at hand; then it remains the caller's.
 */
notrace bool kcoro_depot_free(struct kcoro_pool *pool, unsigned int cls, void *frame, bool nolock)
{
	struct visit v;
	bool done;

	if (!visit_begin(pool, cls, nolock, &v))
		return false;
	done = kcoro_pair_push(pair_of(&v), frame);
	if (!done) {
		kcoro_count_alone(&v.pc->count[v.slot], KCORO_COUNT_FREE_MISS);
		if (READ_ONCE(v.depot->empty.length))
			done = visit_depot(&v, &frame, exchange_push);
	}
	if (done)
		v.pc->frees[v.slot]++;
	visit_end(&v);
	return done;
}
NOKPROBE_SYMBOL(kcoro_depot_free);

/**
 * kcoro_depot_put() - frames from the slab into this CPU's magazines of this level
 * @pool: the pool
 * @cls: class of all of them
 * @frames: the frames
 * @have: how many, at most KCORO_BATCH_MAX
 *
 * Context: any. Return: how many found room; frames[0 .. n) are the magazines'.
 */
notrace u32 kcoro_depot_put(struct kcoro_pool *pool, unsigned int cls, void *const *frames,
			    u32 have)
{
	struct visit v;
	u32 n = 0;

	if (!visit_begin(pool, cls, true, &v))
		return 0;
	while (n < have && kcoro_pair_push(pair_of(&v), frames[n]))
		n++;
	visit_end(&v);
	return n;
}
NOKPROBE_SYMBOL(kcoro_depot_put);

/**
 * kcoro_depot_drain() - frames from this CPU's loaded magazine, for the slab
 * @pool: the pool
 * @cls: class
 * @frames: where to
 * @want: how many, at most KCORO_BATCH_MAX
 *
 * Context: any. Return: how many; they are the caller's.
 */
notrace u32 kcoro_depot_drain(struct kcoro_pool *pool, unsigned int cls, void **frames, u32 want)
{
	struct visit v;
	u32 n;

	if (!visit_begin(pool, cls, true, &v))
		return 0;
	n = kcoro_magazine_take(v.pc->loaded[v.slot], frames, want);
	visit_end(&v);
	return n;
}
NOKPROBE_SYMBOL(kcoro_depot_drain);

/**
 * kcoro_depot_load() - give this CPU and level its first or second magazine
 * @pool: the pool
 * @cls: class
 * @mag: an empty magazine
 *
 * Context: any. Return: true when @mag is in place and the pool's; false when there
 * are two already, and @mag remains the caller's.
 */
notrace bool kcoro_depot_load(struct kcoro_pool *pool, unsigned int cls, struct kcoro_magazine *mag)
{
	struct visit v;
	bool loaded;

	if (!visit_begin(pool, cls, true, &v))
		return false;
	loaded = kcoro_pair_load(pair_of(&v), mag);
	visit_end(&v);
	return loaded;
}
NOKPROBE_SYMBOL(kcoro_depot_load);

/* For those who wait for the lock at task, softirq or hardirq level. */
static unsigned long lock_depot(struct kcoro_depot *depot)
	__acquires(&depot->lock)
{
	unsigned long flags;

	local_irq_save(flags);
	__this_cpu_write(kcoro_in_depot, true);
	raw_spin_lock(&depot->lock);
	return flags;
}

static void unlock_depot(struct kcoro_depot *depot, unsigned long flags)
	__releases(&depot->lock)
{
	raw_spin_unlock(&depot->lock);
	__this_cpu_write(kcoro_in_depot, false);
	local_irq_restore(flags);
}

/**
 * kcoro_depot_give() - a magazine for whoever needs one of that class on that node
 * @depot: the depot
 * @mag: full, half full or empty; the depot's afterwards
 *
 * Context: task, softirq, hardirq; not from a probe inside a depot's lock, where
 * kcoro_in_depot is set.
 */
void kcoro_depot_give(struct kcoro_depot *depot, struct kcoro_magazine *mag)
{
	unsigned long flags = lock_depot(depot);

	kcoro_stack_push(mag->count ? &depot->full : &depot->empty, mag);
	unlock_depot(depot, flags);
}

/**
 * kcoro_depot_take() - a magazine out of a depot, the one that waited longest
 * @depot: the depot
 * @full: one with frames, else one without
 *
 * Context: as kcoro_depot_give(). Return: the magazine, the caller's, or NULL.
 */
struct kcoro_magazine *kcoro_depot_take(struct kcoro_depot *depot, bool full)
{
	unsigned long flags = lock_depot(depot);
	struct kcoro_magazine *mag;

	mag = kcoro_stack_pop_bottom(full ? &depot->full : &depot->empty);
	/* It was not needed here, and neither is the room for it. */
	if (mag)
		kcoro_room_trimmed(&depot->room, mag->count);
	unlock_depot(depot, flags);
	return mag;
}

/**
 * kcoro_depot_look() - how many magazines nobody needed since the last look
 * @depot: the depot
 * @full: those with frames, else those without
 *
 * Context: as kcoro_depot_give().
 */
u32 kcoro_depot_look(struct kcoro_depot *depot, bool full)
{
	unsigned long flags = lock_depot(depot);
	u32 idle;

	idle = kcoro_stack_look(full ? &depot->full : &depot->empty);
	if (full)
		kcoro_room_look(&depot->room);
	unlock_depot(depot, flags);
	return idle;
}

/**
 * kcoro_depot_sent() - frames went to the slab because the depot had enough
 * @depot: the depot
 * @frames: how many
 *
 * Context: as kcoro_depot_give().
 */
void kcoro_depot_sent(struct kcoro_depot *depot, u32 frames)
{
	unsigned long flags = lock_depot(depot);

	kcoro_room_sent(&depot->room, frames);
	unlock_depot(depot, flags);
}

/**
 * kcoro_depot_missed() - frames came from the slab because the depot had none
 * @depot: the depot
 * @frames: how many
 * @most: frames that it may keep beyond those it keeps anyway
 *
 * If they are some that it had sent there, it keeps more from now on.
 *
 * Context: as kcoro_depot_give().
 */
void kcoro_depot_missed(struct kcoro_depot *depot, u32 frames, u32 most)
{
	unsigned long flags;

	/* Mostly none are: without the lock, and who sends some now is late. */
	if (!READ_ONCE(depot->room.sent))
		return;
	flags = lock_depot(depot);
	kcoro_room_missed(&depot->room, frames, most);
	unlock_depot(depot, flags);
}
