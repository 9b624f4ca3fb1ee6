// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait.c - the part that awaits of one source have in common; wait.h has the order of
 * things. Contexts: a body's await.
 */
#include "../trace/trace.h"
#include "wait.h"

/**
 * kcoro_wait_begin() - the coroutine's own wait is armed: start its timeout
 * @co: the calling coroutine
 * @timer: or NULL
 * @timeout_ns: nanoseconds
 */
void kcoro_wait_begin(struct kcoro_coro *co, struct kcoro_timer *timer, u64 timeout_ns)
{
	if (timer)
		kcoro_timer_arm(co, timer, timeout_ns, 0);
}

static void wait_over(struct kcoro_coro *co, struct kcoro_timer *timer)
{
	co->wait.state = KCORO_WAIT_IDLE;
	co->wait.kind = KCORO_WAIT_NOTHING;
	if (timer)
		kcoro_timer_disarm(timer);
}

/**
 * kcoro_wait_poll() - is the coroutine's own wait over?
 * @co: the calling coroutine, whose wait is armed or fired
 * @lock: the source's
 * @timer: of the timeout, or NULL
 *
 * Return: 0: it fired, and @co->wait.value is what it gave; KCORO_WAIT; or why the wait
 * was given up: -ETIMEDOUT, -ECANCELED, -EINTR.
 */
long kcoro_wait_poll(struct kcoro_coro *co, raw_spinlock_t *lock, struct kcoro_timer *timer)
{
	struct kcoro_wait *wait = &co->wait;
	unsigned long flags;
	long why = 0;

	/* Pairs with the release in kcoro_wait_fire(). */
	if (likely(smp_load_acquire(&wait->state) == KCORO_WAIT_FIRED)) {
		wait_over(co, timer);
		return 0;
	}
	raw_spin_lock_irqsave(lock, flags);
	if (wait->state == KCORO_WAIT_ARMED) {
		why = kcoro_timer_is_over(timer) ? -ETIMEDOUT : kcoro_stop_tell(co);
		if (!why) {
			raw_spin_unlock_irqrestore(lock, flags);
			return KCORO_WAIT;
		}
		kcoro_wait_unlink(wait);
	}
	raw_spin_unlock_irqrestore(lock, flags);
	wait_over(co, timer);
	return why;
}
