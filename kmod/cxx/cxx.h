/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cxx.h - inside of the C++ front.
 *
 * runtime.c  frames, lock, clock
 * coro.c     a C++ coroutine as one of the core
 * timer.c    its timers
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
	void *innermost;		/* frame, while it is suspended */
	struct llist_head expired;	/* timers, by their callbacks; emptied by the runner */
	u32 told;			/* of a stop */
	u32 parent;			/* number of who awaits it, for people */
	u64 room[KCORO_CXX_ROOM / 8];	/* C++'s */
};

extern const struct kcoro_front kcoro_cxx_front;

void kcoro_cxx_timers_expire(struct kcoro_cxx_coro *c);

#endif /* KCORO_CXX_INSIDE_H */
