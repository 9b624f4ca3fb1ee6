/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wait.h - how an await and its source meet.
 *
 *   body      under the source's lock: onto its list, IDLE -> ARMED
 *   source    under its lock: off its list, value, wake, then ARMED -> FIRED
 *   body      FIRED seen: the source has touched it for the last time; -> IDLE
 *             ARMED seen: a stop, a timeout, or the source is between wake and FIRED.
 *             Its lock tells which: under it the wait is ARMED and on the list, and may
 *             be taken off, or FIRED
 *
 * FIRED is written after the wake, and with release: a coroutine that sees it may end at
 * once, and its frame go.
 */
#ifndef KCORO_WAIT_H
#define KCORO_WAIT_H

#include <linux/jiffies.h>

#include <kcoro/await.h>

#include "../trace/trace.h"
#include "coroutine.h"

/* Off its list, by whatever kind of list that is. */
static inline void kcoro_wait_unlink(struct kcoro_wait *wait)
{
	if (wait->kind == KCORO_WAIT_JOIN)
		__hlist_del(&wait->hlink);
	else
		list_del(&wait->link);
}

/* Under the source's lock, when it is on the list. */
static inline void kcoro_wait_arm(struct kcoro_wait *wait, struct kcoro_coro *co,
				  enum kcoro_wait_kind kind)
{
	wait->target = co;
	wait->since = jiffies;
	wait->kind = kind;
	wait->flags = 0;
	wait->state = KCORO_WAIT_ARMED;
}

/* One member is ready: maybe the last one that was waited for. */
static inline void kcoro_group_ready(struct kcoro_group *group, struct kcoro_wait *wait,
				     enum kcoro_add how)
{
	set_bit(wait->index, &group->ready);
	if (atomic_dec_return(&group->left) == 0)
		kcoro_coro_notify(group->co, 0, how);
}

/*
 * Under the source's lock, off the list: here is what was awaited. The wait belongs to
 * its coroutine again afterwards.
 */
static inline void kcoro_wait_fire(struct kcoro_wait *wait, s64 value, u8 flags,
				   enum kcoro_add how)
{
	wait->value = value;
	wait->flags |= flags;
	if (unlikely(wait->flags & KCORO_WAIT_IN_GROUP)) {
		kcoro_group_ready(wait->target, wait, how);
	} else {
		struct kcoro_coro *co = wait->target;

		trace_kcoro_coro_wake(co->id, co->desc->name);
		kcoro_coro_notify(co, 0, how);
	}
	/* Pairs with the acquire in kcoro_wait_poll(). */
	smp_store_release(&wait->state, KCORO_WAIT_FIRED);
}

/* timer.c; a body's context, but for the last one. */
void kcoro_timer_arm(struct kcoro_coro *co, struct kcoro_timer *timer, u64 ns, u64 slack_ns);
void kcoro_timer_disarm(struct kcoro_timer *timer);

/* Did the time pass first? */
static inline bool kcoro_timer_is_over(const struct kcoro_timer *timer)
{
	return timer && READ_ONCE(timer->fired);
}

/* join.c, group.c */
bool kcoro_join_pass_on(struct kcoro_coro *co, struct kcoro_coro *other, struct kcoro_wait *wait);
int kcoro_group_add(struct kcoro_group *group, struct kcoro_member *member, void *source,
		    enum kcoro_wait_kind kind);

/* call.c */
int kcoro_call_init(void);
void kcoro_call_exit(void);

/* wait.c */
long kcoro_wait_poll(struct kcoro_coro *co, raw_spinlock_t *lock, struct kcoro_timer *timer);
void kcoro_wait_begin(struct kcoro_coro *co, struct kcoro_timer *timer, u64 timeout_ns);

#endif /* KCORO_WAIT_H */
