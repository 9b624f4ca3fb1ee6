/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wait.h - how an await and its source meet.
 *
 *   body      onto the source's list, IDLE -> ARMED
 *   source    under its lock: off its list, value, ARMED -> FIRING; wake; -> FIRED
 *   body      FIRED seen: the source has touched it for the last time; -> IDLE
 *             FIRING seen: that comes at once; run again
 *             ARMED seen: the wake is still to come, or it was one for a stop or a
 *             timeout. To give up: off the list, if under the lock it is still ARMED
 *
 * FIRING is written before the wake, so that no wake is lost, and FIRED after it: a
 * coroutine that sees FIRED may end, and its frame go.
 */
#ifndef KCORO_WAIT_H
#define KCORO_WAIT_H

#include <linux/jiffies.h>

#include <kcoro/await.h>

#include "../trace/trace.h"
#include "coroutine.h"

/*
 * As list_add_tail() and list_del(), without the checks that some kernels compile into
 * those: they cost more than the rest of an await. Where bugs are looked for we have them.
 */
static inline void kcoro_link_add(struct list_head *link, struct list_head *head)
{
	struct list_head *last = head->prev;

	if (IS_ENABLED(CONFIG_PROVE_LOCKING)) {
		list_add_tail(link, head);
		return;
	}
	link->next = head;
	link->prev = last;
	last->next = link;
	head->prev = link;
}

static inline void kcoro_link_del(struct list_head *link)
{
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		list_del(link);
	else
		__list_del(link->prev, link->next);
}

/* Before the source has it, or under its lock; whom to wake stands there already. */
static inline void kcoro_wait_arm_aimed(struct kcoro_wait *wait, enum kcoro_wait_kind kind)
{
	wait->since = jiffies;
	wait->kind = kind;
	wait->state = KCORO_WAIT_ARMED;
}

/* Who is woken. */
static inline void kcoro_wait_aim(struct kcoro_wait *wait, struct kcoro_coro *co)
{
	wait->target = co;
	wait->flags = 0;
}

static inline void kcoro_wait_arm(struct kcoro_wait *wait, struct kcoro_coro *co,
				  enum kcoro_wait_kind kind)
{
	kcoro_wait_aim(wait, co);
	kcoro_wait_arm_aimed(wait, kind);
}

/* One member is ready: maybe the last one that was waited for. */
static inline void kcoro_group_ready(struct kcoro_group *group, struct kcoro_wait *wait)
{
	set_bit(wait->index, &group->ready);
	if (atomic_dec_return(&group->left) == 0) {
		trace_kcoro_coro_wake(group->co);
		kcoro_coro_notify(group->co, 0);
	}
}

/* wait.c */
void kcoro_wait_fire_other(struct kcoro_wait *wait);

/*
 * Under the source's lock, off the list: here is what was awaited. The wait belongs to
 * its coroutine again afterwards.
 */
static inline void kcoro_wait_fire(struct kcoro_wait *wait, s64 value, u8 flags)
{
	wait->value = value;
	wait->flags |= flags;
	/* Before the wake, which is a full barrier. */
	WRITE_ONCE(wait->state, KCORO_WAIT_FIRING);
	if (unlikely(wait->flags & (KCORO_WAIT_IN_GROUP | KCORO_WAIT_CALLS))) {
		kcoro_wait_fire_other(wait);
	} else {
		struct kcoro_coro *co = wait->target;

		trace_kcoro_coro_wake(co);
		kcoro_coro_notify(co, 0);
		/* Pairs with the acquires of who polls. */
		smp_store_release(&wait->state, KCORO_WAIT_FIRED);
	}
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

/* The coroutine's own wait is armed: start its timeout. */
static inline void kcoro_wait_begin(struct kcoro_coro *co, struct kcoro_timer *timer,
				    u64 timeout_ns)
{
	if (timer)
		kcoro_timer_arm(co, timer, timeout_ns, 0);
}

/* It is over. */
static inline void kcoro_wait_end(struct kcoro_coro *co, struct kcoro_timer *timer)
{
	co->wait.state = KCORO_WAIT_IDLE;
	co->wait.kind = KCORO_WAIT_NOTHING;
	if (timer)
		kcoro_timer_disarm(timer);
}

/* wait.c */
long kcoro_wait_poll_slow(struct kcoro_coro *co, void *source, struct kcoro_timer *timer);
bool kcoro_wait_leave(struct kcoro_wait *wait, void *source);

/**
 * kcoro_wait_poll() - is the coroutine's own wait over?
 * @co: the calling coroutine, whose wait is not idle
 * @source: what it waits for, of the wait's kind
 * @timer: of the timeout, or NULL
 *
 * Return: 0: it fired, and @co->wait.value is what it gave; KCORO_WAIT; KCORO_AGAIN; or
 * why the wait was given up: -ETIMEDOUT, -ECANCELED, -EINTR.
 */
static inline long kcoro_wait_poll(struct kcoro_coro *co, void *source, struct kcoro_timer *timer)
{
	/* Pairs with the release in kcoro_wait_fire(). */
	if (unlikely(smp_load_acquire(&co->wait.state) != KCORO_WAIT_FIRED))
		return kcoro_wait_poll_slow(co, source, timer);
	kcoro_wait_end(co, timer);
	return 0;
}

/* event.c; under the event's lock: those that were added are on the list. */
void kcoro_event_take_added(struct kcoro_event *event);

/* An armed wait is added, and false; or what is there is taken, and true. */
static __always_inline bool kcoro_event_push(struct kcoro_event *event, struct kcoro_wait *wait)
{
	struct kcoro_wait *head = READ_ONCE(event->added);

	for (;;) {
		if (head == KCORO_EVENT_SET) {
			/* Pairs with the change to SET: the value is seen. */
			if (!event->pulse || try_cmpxchg(&event->added, &head, NULL))
				return true;
			continue;
		}
		wait->next = head;
		if (try_cmpxchg(&event->added, &head, wait))
			return false;
	}
}

/*
 * channel.c; a wait that is aimed: the value, or room for it, or onto the channel's list.
 * Return: 0, -EPIPE; -EAGAIN: it waits.
 */
int kcoro_channel_take_or_wait(struct kcoro_channel *ch, struct kcoro_wait *wait);
int kcoro_channel_put_or_wait(struct kcoro_channel *ch, struct kcoro_wait *wait, s64 value);

/* join.c; the same: true: it waits, false: @other has finished. */
bool kcoro_join_or_wait(struct kcoro_coro *other, struct kcoro_wait *wait);
bool kcoro_join_is_only(struct kcoro_coro *other, struct kcoro_wait *wait);

/* call.c: where functions run that may sleep for long. */
extern struct workqueue_struct *kcoro_call_wq;

#endif /* KCORO_WAIT_H */
