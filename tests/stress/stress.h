/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stress.h - inside of kcoro_stress.ko: the C API of kcoro from every context at
 * once, with the contents of each frame checked.
 *
 *   main.c        parameters, start, stop, the balance and the verdict
 *   shelf.c       one random operation; frames that change hands, their pattern
 *   pools.c       the pools in use, and their coming and going
 *   tasks.c       kthreads: what they do themselves, and whom they set off
 *   interrupts.c  works, timers, tasklets, irq_works, IPIs
 *   coros.c       coroutines, and who spawns, wakes and stops them
 *   nmi.c         NMIs, and what nests in them
 *   watch.c       breakpoints on magazines: others' code inside a window
 *
 * An actor is a way to run code. Each is counted; one that did nothing fails.
 */
#ifndef KCORO_STRESS_H
#define KCORO_STRESS_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <kcoro/kcoro.h>

#define STRESS_ACTORS(X) \
	X(kthread) X(preempt_off) X(bh_off) X(irqs_off) X(rcu) \
	X(work) X(bh_work) X(timer) X(tasklet) X(hrtimer_soft) \
	X(hrtimer_hard) X(irq_work) X(ipi) X(crowd) \
	X(nmi_self) X(nmi_other) X(nmi_int3) X(breakpoint) X(after_breakpoint)

enum stress_actor {
#define X(name) STRESS_##name,
	STRESS_ACTORS(X)
#undef X
	STRESS_ACTOR_COUNT,
};

/* What an actor did. Failures, and frees far from their allocation, may be 0. */
struct stress_done {
	u64 allocs;
	u64 frees;
	u64 bursts;
	u64 bad_calls;
	u64 failures;
	u64 other_cpu;
	u64 other_level;
};

/* What is done by the few who may. */
enum stress_event {
	STRESS_POOL_CREATED,
	STRESS_POOL_REFUSED,
	STRESS_POOL_DESTROYED,
	STRESS_COUNTERS_READ,
	STRESS_WATCHES,
	STRESS_WATCHES_OF_NMI,
	STRESS_NMI_WATCHED,
	STRESS_COROS,
	STRESS_COROS_REFUSED,
	STRESS_SCOPES,
	STRESS_EVENTS,
};

DECLARE_PER_CPU(struct stress_done[STRESS_ACTOR_COUNT], stress_done);
extern atomic64_t stress_events[STRESS_EVENTS];
extern atomic_t stress_errors;
extern bool stress_stopping;

/* A generator per actor, so that a seed gives each the same numbers again. */
struct stress_rng {
	u64 state;
};

void stress_seed(struct stress_rng *rng, u32 who);

static inline u32 stress_random(struct stress_rng *rng)
{
	u64 x = rng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return (x * 0x2545f4914f6cdd1dULL) >> 32;
}

static inline u32 stress_below(struct stress_rng *rng, u32 n)
{
	return ((u64)stress_random(rng) * n) >> 32;
}

/* Say it and remember it; the run ends soon after. */
#define stress_error(fmt, ...)							\
	do {									\
		if (atomic_inc_return(&stress_errors) <= 10)			\
			pr_err("kcoro_stress: not ok " fmt "\n", ##__VA_ARGS__);\
	} while (0)

/* shelf.c: any context. */
void stress_step(enum stress_actor actor, struct stress_rng *rng);
void stress_hook(u32 actor);

/* pools.c */
struct stress_pool;

struct stress_pool *stress_pool_get(struct stress_rng *rng);
void stress_pool_failed(struct stress_pool *pool, size_t size);
void stress_pool_failed_coro(void);
bool stress_pool_is_zeroed(const struct stress_pool *pool);
void stress_pool_reserve(struct stress_pool *pool, struct stress_rng *rng);
void stress_pool_put(struct stress_pool *pool);
struct kcoro_pool *stress_pool_of(struct stress_pool *pool);
struct kcoro_pool *stress_pool_watched(void);
int stress_pools_start(void);
void stress_pools_stop(void);
u64 stress_pools_failures(void);
/* shelf.c: free what stands there of a pool, or of all. */
void stress_shelf_clear(struct stress_pool *pool);

/* tasks.c; each stop returns when the last of its actors has returned. */
int stress_tasks_start(void);
void stress_tasks_stop(void);

/* interrupts.c */
int stress_interrupts_start(void);
void stress_interrupts_stop(void);
void stress_interrupts_set_off(struct stress_rng *rng);

/* coros.c: step: any context; scope: may sleep */
void stress_coro_step(struct stress_rng *rng);
void stress_coro_scope(struct stress_rng *rng);
int stress_coros_start(void);
void stress_coros_stop(void);

/* nmi.c */
int stress_nmi_start(void);
void stress_nmi_stop(void);
void stress_nmi_send(struct stress_rng *rng, bool self);

/* watch.c */
int stress_watch_start(void);
void stress_watch_stop(void);
bool stress_watch_in_nmi(void);

#endif /* KCORO_STRESS_H */
