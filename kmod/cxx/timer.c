// SPDX-License-Identifier: GPL-2.0-only
/*
 * timer.c - times that a C++ coroutine waits for; any number at once.
 *
 * The callback, in hardirq, puts the timer on its coroutine's list and wakes it: C++ code is
 * told in the coroutine's own step. Stopped in time it never gets there; otherwise the timer
 * is the list's until it was told, and its memory stays.
 *
 * Contexts: a step of the coroutine; the callback: hardirq.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>

#include "../compat.h"
#include "../coro/coroutine.h"
#include "../trace/trace.h"
#include "cxx.h"

struct cxx_timer {
	struct hrtimer hrtimer;
	struct llist_node node;
	struct kcoro_cxx_coro *owner;
};

static_assert(sizeof(struct cxx_timer) <= KCORO_CXX_TIMER_ROOM);

static enum hrtimer_restart timer_fn(struct hrtimer *hrtimer)
{
	struct cxx_timer *timer = container_of(hrtimer, struct cxx_timer, hrtimer);
	struct kcoro_cxx_coro *owner = timer->owner;

	/* The runner may see it at once: the wake is for the coroutine, which stays. */
	llist_add(&timer->node, &owner->expired);
	trace_kcoro_coro_wake(&owner->co);
	kcoro_coro_notify(&owner->co, 0);
	return HRTIMER_NORESTART;
}

void kcoro_cxx_timer_start(struct kcoro_coro *co, void *room, unsigned long when)
{
	enum hrtimer_mode mode = co->flags & KCORO_CORO_PINNED ? HRTIMER_MODE_ABS_PINNED_HARD :
								 HRTIMER_MODE_ABS_HARD;
	struct cxx_timer *timer = room;

	timer->owner = container_of(co, struct kcoro_cxx_coro, co);
	kcoro_hrtimer_setup(&timer->hrtimer, timer_fn, mode);
	hrtimer_start(&timer->hrtimer, ns_to_ktime(min_t(u64, when, KTIME_MAX)), mode);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_timer_start);

int kcoro_cxx_timer_stop(void *room)
{
	struct cxx_timer *timer = room;

	/* 1: it was not called, and will not be. A callback under way counts as called. */
	return hrtimer_try_to_cancel(&timer->hrtimer) == 1;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_timer_stop);

/**
 * kcoro_cxx_timers_expire() - tell the coroutine which of its timers have expired
 * @c: whose step this is
 */
void kcoro_cxx_timers_expire(struct kcoro_cxx_coro *c)
{
	struct llist_node *list = llist_reverse_order(llist_del_all(&c->expired));
	struct cxx_timer *timer, *next;

	llist_for_each_entry_safe(timer, next, list, node) {
		/* The callback may not be out yet; its timer may go afterwards. */
		hrtimer_cancel(&timer->hrtimer);
		c->body.expired(timer);
	}
}
