/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool.h - inside of the frame pool.
 *
 *   pool ---- per CPU ---- [level][class] slot ---- loaded, spare magazine ---- frames
 *     |           |                                       ^  whole magazines
 *     |           |                                       v
 *     +------ per node ------------- [class] depot: full and empty magazines
 *                 |                                       ^
 *                 |                   refill in batches   |   drain in batches
 *                 +-- deferred list --> worker -------> slab
 *
 * One magazine per CPU, level and class. While preemption is off, code of level
 * 0..2 is not interrupted by code of its own level on that CPU, so a magazine
 * needs neither lock nor atomic operation nor interrupt switch; level 3 does
 * nest, and a per-CPU busy count turns the nested attempt into a miss.
 *
 * window.c        the hot path, alone with the magazine: not traced, not probed
 * watched.c       the same while a tracepoint, the fault point or the debug mode wants it
 * depot.c         the spare magazine, and exchanges with the depot
 * refill.c        a miss: batches from and to the slab, the deferred list, the worker
 * trim.c          cached frames go back: memory pressure, idleness, CPU hotplug
 * slab.c          the slab caches
 * pool.c          create and destroy, the default pool, the counters' sums
 * nolock.c        for callers inside any lock: magazine or nothing
 * fault.c         the fault point: allocations that fail on request
 * frame_debug.c   the debug mode: misuse is told
 *
 * Frames move only like this; "owner" is who may touch the frame:
 *   slab -> caller -> magazine -> caller        (free, alloc)
 *   slab -> magazine                            (refill)
 *   magazine -> slab, caller -> slab            (drain)
 *   caller -> deferred list -> slab             (free without room or lock)
 *
 * For each class, summed over CPUs and levels: allocs - frees = live frames.
 */
#ifndef KCORO_POOL_H
#define KCORO_POOL_H

#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <kcoro/kcoro.h>

#include "magazine.h"

/* Most frames moved in one batch: bounds the stack (256 B) and the time in a window. */
#define KCORO_BATCH_MAX 32

/* Index of a level and class in the arrays below. */
#define KCORO_SLOTS (KCORO_LEVELS * KCORO_CLASSES)

static __always_inline unsigned long kcoro_slot(enum kcoro_level level, unsigned long cls)
{
	return level * KCORO_CLASSES + cls;
}

/* What happens off the hot path, by slot. See struct kcoro_frame_counters. */
struct kcoro_slot_counters {
	u64 alloc_misses;
	u64 free_misses;
	u64 failures;
	u64 refills;
	u64 drains;
	u64 deferred;
	u64 exchanges;
};

/*
 * A slot is written only by its CPU at its level, with preemption off (window.c) or
 * interrupts off (depot.c), and by whoever has shut that CPU out. The counters are
 * bumped with single instructions.
 */
struct kcoro_pool_cpu {
	/* Never NULL: &kcoro_magazine_none where there is none yet. */
	struct kcoro_magazine *loaded[KCORO_SLOTS];
	u64 allocs[KCORO_SLOTS];
	u64 frees[KCORO_SLOTS];
	struct kcoro_magazine *spare[KCORO_SLOTS];
	struct kcoro_slot_counters count[KCORO_SLOTS];
	unsigned int nmi_busy;		/* level 3 is in a window on this CPU */
	int cpu;
	int node;
	struct kcoro_pool *pool;
	unsigned long wanted;		/* bit per slot: the worker looks after its depot */
	struct llist_head deferred;	/* frames to be handed to the slab; any level pushes */
	struct irq_work irq_work;	/* queues @work: the one way out of NMI */
	struct work_struct work;
	struct work_struct trim_work;	/* empties this CPU's magazines */
	u64 operations_seen;		/* by the idle work */
};

/* Magazines of one class that no CPU of the node has. */
struct kcoro_depot {
	raw_spinlock_t lock;
	struct kcoro_stack full;	/* those with frames */
	struct kcoro_stack empty;
};

struct kcoro_pool {
	struct kcoro_pool_cpu __percpu *cpu;
	struct kcoro_depot **depots;	/* by node, then by class */
	struct shrinker *shrinker;
	struct delayed_work idle_work;
	struct hlist_node cpuhp;
	struct list_head list;
	char name[KCORO_NAME_LEN];
};

/* Capacity 0: an alloc finds it empty, a free finds it full. Shared, never written. */
extern struct kcoro_magazine kcoro_magazine_none;
extern struct workqueue_struct *kcoro_pool_wq;

/*
 * This CPU has, or waits for, a depot's lock, of whatever pool: what runs at the lock
 * (a probe on contention_end) must not wait for another one. Written with interrupts off.
 */
DECLARE_PER_CPU(bool, kcoro_in_depot);

static inline size_t kcoro_class_size(unsigned int cls)
{
	return 1UL << (cls + KCORO_CLASS_MIN_SHIFT);
}

/* Frames that a magazine holds: by bytes, fewer where interrupts are off. */
static inline u32 kcoro_magazine_capacity(enum kcoro_level level, unsigned int cls)
{
	u32 most = level <= KCORO_LEVEL_SOFTIRQ ? 64 : 32;

	return clamp_t(u32, SZ_16K >> (cls + KCORO_CLASS_MIN_SHIFT), 4, most);
}

/* Magazines with frames that a depot keeps; what comes beyond goes to the slab. */
static inline u32 kcoro_depot_limit(void)
{
	return max(4U, 2 * num_online_cpus());
}

static inline u32 kcoro_batch_size(enum kcoro_level level, unsigned int cls)
{
	return min_t(u32, kcoro_magazine_capacity(level, cls) / 2, KCORO_BATCH_MAX);
}

/* window.c; callable from any level, see there. */
void *kcoro_window_pop(struct kcoro_pool *pool, unsigned int cls);
bool kcoro_window_push(struct kcoro_pool *pool, void *frame, unsigned int cls);

/* depot.c; callable from any level but for give, take and look, see there. */
void *kcoro_depot_alloc(struct kcoro_pool *pool, unsigned int cls, bool nolock);
bool kcoro_depot_free(struct kcoro_pool *pool, unsigned int cls, void *frame, bool nolock);
u32 kcoro_depot_put(struct kcoro_pool *pool, unsigned int cls, void *const *frames, u32 have);
u32 kcoro_depot_drain(struct kcoro_pool *pool, unsigned int cls, void **frames, u32 want);
bool kcoro_depot_load(struct kcoro_pool *pool, unsigned int cls, struct kcoro_magazine *mag);
void kcoro_depot_give(struct kcoro_depot *depot, struct kcoro_magazine *mag);
struct kcoro_magazine *kcoro_depot_take(struct kcoro_depot *depot, bool full);
u32 kcoro_depot_look(struct kcoro_depot *depot, bool full);

/* trim.c; process context. */
void kcoro_magazine_free(struct kcoro_magazine *mag);
int kcoro_trim_start(struct kcoro_pool *pool);
void kcoro_trim_stop(struct kcoro_pool *pool);
int kcoro_trim_init(void);
void kcoro_trim_exit(void);

/* watched.c; callable from any level. */
void *kcoro_watched_alloc(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp);
void kcoro_watched_free(struct kcoro_pool *pool, void *frame, unsigned int cls);

/* slab.c; where the slab may be called. */
u32 kcoro_slab_alloc(unsigned int cls, gfp_t gfp, void **frames, u32 want);
void kcoro_slab_free(void **frames, u32 n);
int kcoro_slab_init(void);
void kcoro_slab_exit(void);

/* refill.c; what a miss comes to. @place tells where the frame came from or went to. */
void *kcoro_refill_alloc(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp,
			 enum kcoro_place *place);
void kcoro_refill_free(struct kcoro_pool *pool, void *frame, unsigned int cls,
		       enum kcoro_place *place);
void *kcoro_refill_fail(struct kcoro_pool *pool, unsigned int cls, enum kcoro_place *place);
void *kcoro_refill_later(struct kcoro_pool *pool, unsigned int cls, enum kcoro_place *place);
void kcoro_refill_defer(struct kcoro_pool *pool, void *frame, unsigned int cls,
			enum kcoro_place *place);
void kcoro_refill_irq_work(struct irq_work *irq_work);
void kcoro_refill_work(struct work_struct *work);

/* pool.c; called by main.c. */
int kcoro_pool_init(void);
void kcoro_pool_exit(void);

#endif /* KCORO_POOL_H */
