// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait.c - a wait that is given up, and the slow half of looking at it; wait.h has the
 * order of things. Contexts: a body's await.
 */
#include "wait.h"

static raw_spinlock_t *lock_of(struct kcoro_wait *wait, void *source)
{
	switch (wait->kind) {
	case KCORO_WAIT_EVENT:
		return &((struct kcoro_event *)source)->lock;
	case KCORO_WAIT_JOIN:
		return &((struct kcoro_coro *)source)->lock;
	default:
		return &((struct kcoro_channel *)source)->lock;
	}
}

/**
 * kcoro_wait_fire_other() - the half of kcoro_wait_fire() for members of groups and for fronts
 * @wait: FIRING; a front has itself told
 *
 * Context: as there.
 */
void kcoro_wait_fire_other(struct kcoro_wait *wait)
{
	if (!(wait->flags & KCORO_WAIT_CALLS)) {
		kcoro_group_ready(wait->target, wait);
		/* Pairs with the acquires of who polls. */
		smp_store_release(&wait->state, KCORO_WAIT_FIRED);
		return;
	}
	/* The call is the last touch: it says when the coroutine may look. */
	WRITE_ONCE(wait->state, KCORO_WAIT_FIRED);
	wait->call(wait);
}

/**
 * kcoro_wait_leave() - off the source, unless it fired
 * @wait: not idle, for an event, a channel or a coroutine
 * @source: which
 *
 * Return: true: nobody knows the wait any more; false: it fires, or has fired.
 */
bool kcoro_wait_leave(struct kcoro_wait *wait, void *source)
{
	raw_spinlock_t *lock = lock_of(wait, source);
	unsigned long flags;
	bool armed;

	raw_spin_lock_irqsave(lock, flags);
	armed = wait->state == KCORO_WAIT_ARMED;
	if (armed && wait->kind == KCORO_WAIT_EVENT)
		kcoro_event_take_added(source);
	if (armed && wait->kind == KCORO_WAIT_JOIN)
		__hlist_del(&wait->hlink);
	else if (armed)
		kcoro_link_del(&wait->link);
	raw_spin_unlock_irqrestore(lock, flags);
	return armed;
}

/**
 * kcoro_wait_poll_slow() - the half of kcoro_wait_poll() that is not the common one
 */
long kcoro_wait_poll_slow(struct kcoro_coro *co, void *source, struct kcoro_timer *timer)
{
	long why;

	/* Who fires is about to let go of it. */
	if (READ_ONCE(co->wait.state) != KCORO_WAIT_ARMED)
		return KCORO_AGAIN;
	if (!kcoro_timer_is_over(timer) && !kcoro_coro_stopping(co))
		return KCORO_WAIT;
	if (!kcoro_wait_leave(&co->wait, source))
		return KCORO_AGAIN;
	why = kcoro_timer_is_over(timer) ? -ETIMEDOUT : kcoro_stop_tell(co);
	kcoro_wait_end(co, timer);
	return why;
}
