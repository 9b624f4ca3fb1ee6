/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool.h - inside of the frame pool.
 *
 *   pool ---- per CPU ---- [level][class] slot ---- loaded, spare magazine ---- frames
 *     |  |        |                                       ^  whole magazines
 *     |  |        |                                       v
 *     |  +--- per node ------------- [class] depot: full and empty magazines
 *     |           |                                       ^
 *     |           |                   refill in batches   |   drain in batches
 *     |           +-- deferred list --> worker -------> slab <--- quota
 *     |                                                   |
 *     +------ [class] reserve  <--------------------------+
 *
 * One magazine per CPU, level and class. While preemption is off, code of level
 * 0..2 is not interrupted by code of its own level on that CPU, so a magazine
 * needs neither lock nor atomic operation nor interrupt switch; level 3 does
 * nest, and a per-CPU busy count turns the nested attempt into a miss.
 *
 * window.c        the hot path, alone with the magazine: not traced, not probed
 * watched.c       the same while a tracepoint, the fault point or the debug mode wants it
 * depot.c         the spare magazine, and exchanges with the depot; exchange.h is how
 * refill.c        a miss: batches from and to the slab, the deferred list, the worker
 * trim.c          cached frames go back: memory pressure, idleness, CPU hotplug
 * slab.c          the slab caches
 * quota.c         what a pool may hold, and whose memory cgroup pays
 * reserve.c       frames set aside: allocations that cannot fail
 * large.c         frames above the classes: pages
 * pool.c          create and destroy, the default pool, the list of pools
 * stats.c         the counters' sums
 * by_id.c         pools by number, and the sum over all of them
 * debugfs.c       all of it as text
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
 * Equations, of a pool at rest; pool.c tests them when a pool ends:
 *   class by class, over CPUs and levels:  allocs - frees = live frames
 *   level by level:                        failures = quota + slab + context + injected
 *   in bytes:                              held = live + cached + reserved
 * and of a magazine that changes hands: kcoro_magazine_is_valid(), tested at every
 * exchange on kernels with CONFIG_PROVE_LOCKING.
 */
#ifndef KCORO_POOL_H
#define KCORO_POOL_H

#include <linux/irq_work.h>
#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <kcoro/kcoro.h>

#include "counter.h"
#include "exchange.h"

/* Most frames moved in one batch: bounds the stack (256 B) and the time in a window. */
#define KCORO_BATCH_MAX 32

/* Index of a level and class in the arrays below. */
#define KCORO_SLOTS (KCORO_LEVELS * KCORO_CLASSES)

static __always_inline unsigned long kcoro_slot(enum kcoro_level level, unsigned long cls)
{
	return level * KCORO_CLASSES + cls;
}

/* What happens off the hot path. See struct kcoro_frame_counters. */
enum kcoro_count {
	KCORO_COUNT_ALLOC_MISS,
	KCORO_COUNT_FREE_MISS,
	KCORO_COUNT_REFILL,
	KCORO_COUNT_DRAIN,
	KCORO_COUNT_DEFERRED,
	KCORO_COUNT_EXCHANGE,
	KCORO_COUNT_RESERVE,
	/* Why an allocation failed. */
	KCORO_FAILED_QUOTA,
	KCORO_FAILED_SLAB,
	KCORO_FAILED_CONTEXT,
	KCORO_FAILED_INJECTED,
	KCORO_COUNTS,
};

/* How often, by slot: the halves of counter.h. */
struct kcoro_slot_counters {
	u32 low[KCORO_COUNTS];
	u16 high[KCORO_COUNTS];
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
	u64 gfp[KCORO_LEVELS][KCORO_GFP_CHOICES];
	unsigned int nmi_busy;		/* level 3 is in a window on this CPU */
	int cpu;
	int node;
	struct kcoro_pool *pool;
	unsigned long wanted;		/* bit per slot: the worker looks after its depot */
	struct llist_head deferred;	/* struct kcoro_deferred; any level pushes */
	struct irq_work irq_work;	/* queues @work: the one way out of NMI */
	struct work_struct work;
	struct work_struct trim_work;	/* empties slots of this CPU: */
	unsigned long trim_slots;	/* those, a bit each */
	u16 operations_seen[KCORO_SLOTS]; /* by the idle work: the last bits of how many */
};

/* Magazines of one class that no CPU of the node has. */
struct kcoro_depot {
	raw_spinlock_t lock;
	struct kcoro_stack full;	/* those with frames */
	struct kcoro_stack empty;
	struct kcoro_room room;
	atomic64_t sizes[KCORO_SIZE_BUCKETS];	/* see struct kcoro_pool_info */
};

/* Lies in the frame while the frame waits for the worker; in debug mode in its header. */
struct kcoro_deferred {
	struct llist_node node;
	unsigned long cls;	/* from KCORO_CLASSES on: a large frame, of what order */
};

/* Frames of one class that are set aside: reserve.c. */
struct kcoro_reserve {
	struct kcoro_reserve_chunk *chunks;
	u32 wanted;
};

struct kcoro_pool {
	/* Read on the hot path. */
	struct kcoro_pool_cpu __percpu *cpu;
	u32 flags;
	bool reserve_low;		/* a reserve was taken from, and waits to be filled up */
	struct kcoro_depot **depots;	/* by node, then by class */
	u64 quota;			/* bytes; 0: no limit */
	struct mem_cgroup *memcg;	/* who pays; NULL: nobody */
	struct kcoro_reserve reserve[KCORO_CLASSES];
	struct mutex reserve_lock;	/* who fills or empties a reserve */
	struct delayed_work reserve_work;
	struct shrinker *shrinker;
	struct delayed_work idle_work;
	struct list_head list;		/* written under pools_lock, read under RCU */
	u64 id;
	char name[KCORO_NAME_LEN];
	/* Written off the hot path. */
	atomic_long_t held ____cacheline_aligned_in_smp;	/* bytes */
	atomic_long_t held_most;
	atomic_long_t large_held;
	atomic64_t large_allocs;
	atomic64_t large_frees;
	atomic64_t large_failures;
};

/* Capacity 0: an alloc finds it empty, a free finds it full. Shared, never written. */
extern struct kcoro_magazine kcoro_magazine_none;
extern struct workqueue_struct *kcoro_pool_wq;

/*
 * This CPU has, or waits for, a depot's lock, of whatever pool: what runs at the lock
 * (a probe on contention_end) must not wait for another one. Written with interrupts off.
 */
DECLARE_PER_CPU(bool, kcoro_in_depot);

/* Once more, in a slot of this CPU. A carry must not be left to another CPU. */
static inline void kcoro_count(struct kcoro_pool *pool, unsigned int slot, enum kcoro_count what)
{
	preempt_disable();
	if (kcoro_counter_carries(this_cpu_inc_return(pool->cpu->count[slot].low[what])))
		this_cpu_inc(pool->cpu->count[slot].high[what]);
	preempt_enable();
}

/* The same where nobody else counts in that slot meanwhile. */
static __always_inline void kcoro_count_alone(struct kcoro_slot_counters *c, enum kcoro_count what)
{
	if (kcoro_counter_carries(++c->low[what]))
		c->high[what]++;
}

static inline u64 kcoro_count_of(const struct kcoro_slot_counters *c, enum kcoro_count what)
{
	/* In this order, see counter.h. Those who count do it on one CPU. */
	u16 high = smp_load_acquire(&c->high[what]);

	return kcoro_counter_value(high, READ_ONCE(c->low[what]));
}

static inline size_t kcoro_class_size(unsigned int cls)
{
	return KCORO_CLASS_SIZE(cls);
}

/* Off where nobody looks for bugs: costs a walk through a magazine. */
#define KCORO_CHECK(condition) WARN_ON_ONCE(IS_ENABLED(CONFIG_PROVE_LOCKING) && !(condition))

/* Frames that a magazine holds: by bytes, fewer where interrupts are off. */
static inline u32 kcoro_magazine_capacity(enum kcoro_level level, unsigned int cls)
{
	u32 most = level <= KCORO_LEVEL_SOFTIRQ ? 64 : 32;

	return clamp_t(u32, SZ_16K / KCORO_CLASS_SIZE(cls), 4, most);
}

/*
 * Magazines with frames that a depot keeps; what comes beyond goes to the slab. More of
 * the smaller ones, so that a burst at any level is cached.
 */
static inline u32 kcoro_depot_limit(struct kcoro_depot *depot, enum kcoro_level level,
				    unsigned int cls)
{
	u32 always = max(4U, 2 * num_online_cpus());
	u32 frames = always * kcoro_magazine_capacity(KCORO_LEVEL_TASK, cls);

	return (frames + READ_ONCE(depot->room.extra)) / kcoro_magazine_capacity(level, cls);
}

/* Frames that a depot keeps beyond that if they are in demand: 1 MiB for each CPU. */
static inline u32 kcoro_depot_most(unsigned int cls)
{
	return num_online_cpus() * (SZ_1M / KCORO_CLASS_SIZE(cls));
}

static inline u32 kcoro_batch_size(enum kcoro_level level, unsigned int cls)
{
	return min_t(u32, kcoro_magazine_capacity(level, cls) / 2, KCORO_BATCH_MAX);
}

/* window.c; callable from any level, see there. */
void *kcoro_window_pop(struct kcoro_pool *pool, unsigned int cls);
bool kcoro_window_push(struct kcoro_pool *pool, unsigned int cls, void *frame);

/* depot.c; callable from any level but for those that name a depot, see there. */
void *kcoro_depot_alloc(struct kcoro_pool *pool, unsigned int cls, bool nolock);
bool kcoro_depot_free(struct kcoro_pool *pool, unsigned int cls, void *frame, bool nolock);
u32 kcoro_depot_put(struct kcoro_pool *pool, unsigned int cls, void *const *frames, u32 have);
u32 kcoro_depot_drain(struct kcoro_pool *pool, unsigned int cls, void **frames, u32 want);
bool kcoro_depot_load(struct kcoro_pool *pool, unsigned int cls, struct kcoro_magazine *mag);
void kcoro_depot_give(struct kcoro_depot *depot, struct kcoro_magazine *mag);
struct kcoro_magazine *kcoro_depot_take(struct kcoro_depot *depot, bool full);
u32 kcoro_depot_look(struct kcoro_depot *depot, bool full);
void kcoro_depot_sent(struct kcoro_depot *depot, u32 frames);
void kcoro_depot_missed(struct kcoro_depot *depot, u32 frames, u32 most);

/* trim.c; process context. */
void kcoro_magazine_free(struct kcoro_pool *pool, unsigned int cls, struct kcoro_magazine *mag);
void kcoro_trim_release(struct kcoro_pool *pool, size_t bytes);
int kcoro_trim_start(struct kcoro_pool *pool);
void kcoro_trim_stop(struct kcoro_pool *pool);
int kcoro_trim_init(void);
void kcoro_trim_exit(void);

/* watched.c; callable from any level. */
void *kcoro_watched_alloc(struct kcoro_pool *pool, unsigned int cls, size_t size, gfp_t gfp);
void kcoro_watched_free(struct kcoro_pool *pool, unsigned int cls, void *frame);

/* slab.c; where the slab may be called. */
u32 kcoro_slab_alloc(struct kcoro_pool *pool, unsigned int cls, gfp_t gfp, void **frames,
		     u32 want, int *err);
void kcoro_slab_free(struct kcoro_pool *pool, unsigned int cls, void **frames, u32 n);
int kcoro_slab_init(void);
void kcoro_slab_exit(void);

/* refill.c; what a miss comes to. @place tells where the frame came from or went to. */
void *kcoro_refill_alloc(struct kcoro_pool *pool, unsigned int cls, size_t size, gfp_t gfp,
			 enum kcoro_place *place);
void kcoro_refill_free(struct kcoro_pool *pool, unsigned int cls, void *frame,
		       enum kcoro_place *place);
void *kcoro_refill_fail(struct kcoro_pool *pool, unsigned int cls, enum kcoro_count why,
			enum kcoro_place *place);
void *kcoro_refill_later(struct kcoro_pool *pool, unsigned int cls, enum kcoro_place *place);
void kcoro_refill_defer(struct kcoro_pool *pool, unsigned int cls, void *frame,
			enum kcoro_place *place);
void kcoro_refill_raise(struct kcoro_pool *pool);
bool kcoro_refill_may_slab(void);
void kcoro_refill_irq_work(struct irq_work *irq_work);
void kcoro_refill_work(struct work_struct *work);

/* quota.c; any context. */
bool kcoro_quota_charge(struct kcoro_pool *pool, size_t bytes);
void kcoro_quota_uncharge(struct kcoro_pool *pool, size_t bytes);
gfp_t kcoro_quota_gfp(struct kcoro_pool *pool, gfp_t gfp);

/* reserve.c; take: any context, the others: process context. */
void *kcoro_reserve_take(struct kcoro_pool *pool, unsigned int cls);
u32 kcoro_reserve_there(struct kcoro_pool *pool, unsigned int cls);
void kcoro_reserve_start(struct kcoro_pool *pool);
void kcoro_reserve_stop(struct kcoro_pool *pool);

/* large.c; the worker's half of a free. */
void kcoro_large_release(struct kcoro_pool *pool, void *frame, unsigned int order);

/* pool.c; the default pool */
extern struct kcoro_pool *kcoro_pool_of_all;

/* pool.c; init and exit: called by main.c. */
int kcoro_pool_init(void);
void kcoro_pool_exit(void);
struct kcoro_pool *kcoro_pool_next(u64 id);
struct kcoro_pool *kcoro_pool_find(const char *name);
void kcoro_pool_for_each(void (*call)(struct kcoro_pool *pool, unsigned int arg),
			 unsigned int arg);

/* stats.c; any context. */
s64 kcoro_pool_live(struct kcoro_pool *pool, unsigned int cls);

/* by_id.c; under the list's lock. The rest of it is in by_id.h. */
void kcoro_pool_retire(struct kcoro_pool *pool);

/* debugfs.c */
void kcoro_pool_debugfs_init(void);
void kcoro_pool_debugfs_exit(void);

#endif /* KCORO_POOL_H */
