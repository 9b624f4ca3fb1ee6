/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scope.h - inside of scopes.
 *
 * Coroutines are on a list per CPU, each with a lock of its own, so that spawning on one
 * CPU meets nobody of another. A coroutine is listed when it is started, by the CPU that
 * does; one that is started in NMI, where no lock may be taken, when it first runs.
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
 *   leaving:  RCU read section: finished + 1, full barrier, anybody who waits? wake
 */
#ifndef KCORO_SCOPE_INSIDE_H
#define KCORO_SCOPE_INSIDE_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/swait.h>
#include <linux/workqueue.h>

#include <kcoro/scope.h>

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
	u32 stop;			/* what a coroutine that is listed late must be told */
	u32 limit;
	atomic_t live;			/* kept only where there is a limit */
	int waiters;
	struct swait_queue_head wait;
	struct delayed_work deadline;
	struct kcoro_scope *parent;
	struct list_head nested;	/* under scopes_lock */
	struct list_head in_parent;
	struct list_head list;		/* of all scopes; under scopes_lock and RCU */
	u64 id;
	char name[KCORO_NAME_LEN];
};

extern struct kcoro_scope *kcoro_scope_root;

/* scope.c; enter and leave: any context. */
int kcoro_scope_enter(struct kcoro_scope *scope);
void kcoro_scope_leave(struct kcoro_scope *scope);
void kcoro_scope_list(struct kcoro_coro *co);
void kcoro_scope_unlist(struct kcoro_coro *co);
int kcoro_scope_init(void);
void kcoro_scope_exit(void);

#endif /* KCORO_SCOPE_INSIDE_H */
