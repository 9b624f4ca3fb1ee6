/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scope.h - inside of scopes.
 *
 * Coroutines are on a list per CPU, each with a lock of its own, so that no CPU meets
 * another. A coroutine is listed when it is first suspended: so one may be started where
 * no lock may be taken, and one that never waits costs nothing here. Until then it asks
 * the scope itself, when it first runs and when it is listed: @stop is what all must be
 * told from now on; @cancels and @kills count what only those were told that lived, and
 * each coroutine notes what the counts were when it was made.
 *
 * Two counters per CPU that only grow, started and finished. A scope is empty when
 *
 *	sum(finished), read first  =  sum(started), read after that
 *
 * because finished never exceeds started: then it was empty in between.
 *
 *   create:   preemption off, closed? started + 1, preemption on
 *   end:      closed set -> grace period: whoever counts has counted -> stop set
 *             -> each list walked -> until empty -> grace period: the last leaver is out
 *   listing:  list lock, listed, stop read: the walk or the lister sees the other
 *   leaving:  preemption off: finished + 1, full barrier, anybody who waits? wake
 *             from NMI, where a creation failed: counted a moment later; until then the
 *             scope is not empty, so that it stays
 *
 * Who walks a list lets interrupts in now and then (struct kcoro_walk). Readers that may
 * sleep between (list.c) are in kcoro_scope_readers, and no scope is freed before them.
 */
#ifndef KCORO_SCOPE_INSIDE_H
#define KCORO_SCOPE_INSIDE_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/swait.h>
#include <linux/workqueue.h>

#include <kcoro/coro.h>
#include <kcoro/scope.h>

#include "../sched/sched.h"

struct kcoro_scope_cpu {
	raw_spinlock_t lock;
	u32 listed;
	struct list_head list;
	u64 started;
	u64 finished;
};

struct kcoro_scope {
	struct kcoro_scope_cpu __percpu *cpu;
	struct kcoro_pool *pool;
	struct module *owner;
	int closed;			/* 0, or why nothing is spawned any more: an errno */
	u32 stop;			/* what a coroutine must be told that is not listed yet */
	union {				/* how often all that lived were ... */
		u64 asked;
		struct {
			u32 cancels, kills;
		};
	};
	u32 limit;
	atomic_t live;			/* kept only where there is a limit */
	int waiters;
	struct swait_queue_head wait;
	struct kcoro_item later;	/* from NMI: leaves */
	atomic_t late;			/* how often */
	struct delayed_work deadline;
	struct kcoro_scope *parent;
	struct list_head nested;	/* under scopes_lock */
	struct list_head in_parent;
	struct list_head list;		/* of all scopes; under scopes_lock and RCU */
	u64 id;
	char name[KCORO_NAME_LEN];
};

extern struct kcoro_scope *kcoro_scope_root;
extern struct list_head kcoro_scopes;
extern struct srcu_struct kcoro_scope_readers;

/* Coroutines that a walk looks at before it lets interrupts in. */
#define KCORO_WALK_STEP 32

/*
 * A walk over a CPU's list, while coroutines come and go. Between its steps a place holder
 * is in the list: a coroutine without a description, which other walks skip. Those that
 * stay are seen exactly once; those that come during the walk may not be, so that it ends.
 */
struct kcoro_walk {
	struct kcoro_scope_cpu *cpu;
	struct kcoro_coro place;
	u32 left;
};

/* What one that is not listed yet must be told. */
static inline u32 kcoro_scope_stop_of(const struct kcoro_coro *co)
{
	const struct kcoro_scope *scope = co->scope;
	u32 stop = READ_ONCE(scope->stop);

	if (unlikely(READ_ONCE(scope->asked) != co->asked)) {
		if (READ_ONCE(scope->cancels) != co->cancels)
			stop |= KCORO_STATE_CANCEL;
		if (READ_ONCE(scope->kills) != co->kills)
			stop |= KCORO_STATE_KILL;
	}
	return stop;
}

/* scope.c; enter and leave: any context. */
int kcoro_scope_enter(struct kcoro_scope *scope);
void kcoro_scope_leave(struct kcoro_scope *scope);
void kcoro_scope_list(struct kcoro_coro *co);
void kcoro_scope_unlist(struct kcoro_coro *co);

/* walk.c; see() is called under the CPU's lock. After a step that says false all is over. */
void kcoro_walk_begin(struct kcoro_walk *walk, struct kcoro_scope_cpu *cpu);
bool kcoro_walk_step(struct kcoro_walk *walk, void (*see)(struct kcoro_coro *co, void *arg),
		     void *arg);

/* list.c */
struct kcoro_coro_query;
struct kcoro_scope_info;
int kcoro_list_coros(struct kcoro_coro_query *query, void *rows, size_t size);
int kcoro_list_scopes(void *rows, size_t size, u32 row_size);
int kcoro_scope_init(void);
void kcoro_scope_exit(void);

#endif /* KCORO_SCOPE_INSIDE_H */
