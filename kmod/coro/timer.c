// SPDX-License-Identifier: GPL-2.0-only
/*
 * timer.c - time that passes, alone, as a timeout of another await, or in a group.
 *
 * The hrtimer's callback runs in hardirq context, on PREEMPT_RT too: it marks the timer
 * as fired and wakes. Whoever sees the mark calls hrtimer_cancel(), which waits for a
 * callback that is not out yet; then the frame may go.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>

#include "../compat.h"
#include "wait.h"

/* A time that no hrtimer takes for a negative one. */
#define NS_MAX ((u64)KTIME_MAX / 2)

static enum hrtimer_restart timer_fn(struct hrtimer *hrtimer)
{
	struct kcoro_timer *timer = container_of(hrtimer, struct kcoro_timer, hrtimer);
	struct kcoro_coro *co = timer->co;

	if (timer->wait) {
		kcoro_wait_fire(timer->wait, 0, 0);
		return HRTIMER_NORESTART;
	}
	WRITE_ONCE(timer->fired, true);
	trace_kcoro_coro_wake(co);
	kcoro_coro_notify(co, 0);
	return HRTIMER_NORESTART;
}

/**
 * kcoro_timer_arm() - begin
 * @co: the calling coroutine
 * @timer: not armed
 * @ns: from now, nanoseconds
 * @slack_ns: and how much later it may be
 */
void kcoro_timer_arm(struct kcoro_coro *co, struct kcoro_timer *timer, u64 ns, u64 slack_ns)
{
	enum hrtimer_mode mode = co->flags & KCORO_CORO_PINNED ? HRTIMER_MODE_REL_PINNED_HARD :
								 HRTIMER_MODE_REL_HARD;

	timer->co = co;
	timer->fired = false;
	timer->armed = true;
	kcoro_hrtimer_setup(&timer->hrtimer, timer_fn, mode);
	hrtimer_start_range_ns(&timer->hrtimer, ns_to_ktime(min(ns, NS_MAX)),
			       min(slack_ns, NS_MAX), mode);
}

/**
 * kcoro_timer_disarm() - end; nobody touches the timer any more
 * @timer: armed or not
 */
void kcoro_timer_disarm(struct kcoro_timer *timer)
{
	if (!timer->armed)
		return;
	hrtimer_cancel(&timer->hrtimer);
	timer->armed = false;
}

long kcoro_timer_await_range(struct kcoro_coro *co, struct kcoro_timer *timer, u64 ns,
			     u64 slack_ns)
{
	long why;

	if (!timer->armed) {
		why = kcoro_stop_tell(co);
		if (why)
			return why;
		co->wait.kind = KCORO_WAIT_TIMER;
		co->wait.since = jiffies;
		co->wait.state = KCORO_WAIT_ARMED;
		timer->wait = NULL;
		kcoro_timer_arm(co, timer, ns, slack_ns);
		return KCORO_WAIT;
	}
	why = kcoro_timer_is_over(timer) ? 0 : kcoro_stop_tell(co) ?: KCORO_WAIT;
	if (why == KCORO_WAIT)
		return why;
	kcoro_wait_end(co, timer);
	return why;
}
EXPORT_SYMBOL_GPL(kcoro_timer_await_range);
