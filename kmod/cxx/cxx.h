/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cxx.h - inside of the C++ front.
 *
 * runtime.c  frames, lock, clock
 * coro.c     a C++ coroutine as one of the core
 * timer.c    its timers
 * wait.c     it awaits events, channels, other coroutines
 * key.c queue.c call.c   and keys, wait queues, functions that may sleep
 * name.c     what it is called, and the functions it is in
 */
#ifndef KCORO_CXX_INSIDE_H
#define KCORO_CXX_INSIDE_H

#include <linux/llist.h>

#include <kcoro/coro.h>
#include <kcoro/cxx.h>

struct kcoro_cxx_coro {
	struct kcoro_coro co;		/* first */
	struct kcoro_cxx_body body;
	void *function;			/* of the outermost frame */
	struct llist_head expired;	/* timers, by their callbacks; emptied by the runner */
	struct kcoro_wait *awaits;	/* of the core's, aimed at this coroutine; or NULL */
	u32 told;			/* of a stop */
	u32 parent;			/* number of who awaits it, for people */
	u64 room[KCORO_CXX_ROOM / 8];	/* C++'s */
};

extern const struct kcoro_front kcoro_cxx_front;

void kcoro_cxx_timers_expire(struct kcoro_cxx_coro *c);

static inline struct kcoro_wait *kcoro_cxx_wait_of(struct kcoro_cxx_wait *wait)
{
	return (struct kcoro_wait *)wait;
}

/* In a step: it is on its source's list, or about to be. Return: 1. */
static inline int kcoro_cxx_waits(struct kcoro_wait *wait)
{
	if (!(wait->flags & KCORO_WAIT_CALLS))
		container_of(wait->target, struct kcoro_cxx_coro, co)->awaits = wait;
	return 1;
}

/* In a step: is it off its source's list? */
static inline int kcoro_cxx_left(struct kcoro_wait *wait, bool left)
{
	if (left && !(wait->flags & KCORO_WAIT_CALLS))
		container_of(wait->target, struct kcoro_cxx_coro, co)->awaits = NULL;
	return left;
}

#endif /* KCORO_CXX_INSIDE_H */
