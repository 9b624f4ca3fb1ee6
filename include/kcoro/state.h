/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - the state word of a coroutine: its bits, and each change as a function from
 * the old word to the new one. Includes nothing (bool is the includer's), so that a model
 * of it is checked in user space, too (tests/unit/coro_state_test.cc). docs/scheduler.md
 * has the changes as a table.
 *
 *	            wake                run               body returned
 *	(none) ------------> NOTIFIED --------> RUNNING ----------------> (none)
 *	suspended            ready              | ^   wake: RUNNING|NOTIFIED,
 *	                                        | |   and then ready again
 *	                       end of the body  | +-- a yield goes to ready
 *	                                        v
 *	                                     FINISHED
 *
 *	NOTIFIED	set by anybody who has a reference or whom the coroutine waits
 *			for; who sets it where neither NOTIFIED nor RUNNING nor FINISHED
 *			was set queues the coroutine. Cleared by the runner, before the
 *			body runs: what was written before the wake is seen by the body
 *	RUNNING		set and cleared by the runner: the executor that runs the body; and,
 *			where nothing but stops was set, by who looks at a suspended frame
 *	CANCEL, TIMEOUT, KILL	set by anybody with a reference, and by the scope
 *	SEEN		by the runner: the body was told of CANCEL or TIMEOUT once
 *	FINISHED	by the runner, under the coroutine's lock; joiners are woken then
 */
#ifndef KCORO_STATE_H
#define KCORO_STATE_H

#define KCORO_STATE_NOTIFIED (1U << 0)
#define KCORO_STATE_RUNNING (1U << 1)
#define KCORO_STATE_FINISHED (1U << 2)
#define KCORO_STATE_CANCEL (1U << 3)
#define KCORO_STATE_TIMEOUT (1U << 4)
#define KCORO_STATE_KILL (1U << 5)
#define KCORO_STATE_SEEN (1U << 6)
#define KCORO_STATE_STOP (KCORO_STATE_CANCEL | KCORO_STATE_TIMEOUT | KCORO_STATE_KILL)
/* Above the bits enum kcoro_status, once it has finished. */
#define KCORO_STATE_STATUS_SHIFT 8

/* A wake, with bits of a stop or none. */
static inline unsigned int kcoro_state_notified(unsigned int old, unsigned int bits)
{
	return old | KCORO_STATE_NOTIFIED | bits;
}

/* Must who made that change queue the coroutine? */
static inline bool kcoro_state_queues(unsigned int old)
{
	return !(old & (KCORO_STATE_NOTIFIED | KCORO_STATE_RUNNING | KCORO_STATE_FINISHED));
}

/* What the runner adds when it begins: NOTIFIED is set then, and RUNNING is not. */
#define KCORO_STATE_RUN (KCORO_STATE_RUNNING - KCORO_STATE_NOTIFIED)

/* Nobody is to run it meanwhile: who looks at its frame is in the runner's place. */
static inline unsigned int kcoro_state_frozen(unsigned int old)
{
	return old | KCORO_STATE_RUNNING;
}

/* The body waits. May it be suspended? Else it is ready again. */
static inline bool kcoro_state_suspends(unsigned int old)
{
	return !(old & KCORO_STATE_NOTIFIED);
}

static inline unsigned int kcoro_state_suspended(unsigned int old)
{
	return old & ~KCORO_STATE_RUNNING;
}

/* It yields, or was woken while it ran: the runner queues it. */
static inline unsigned int kcoro_state_again(unsigned int old)
{
	return (old & ~KCORO_STATE_RUNNING) | KCORO_STATE_NOTIFIED;
}

/* The body has come to its end. */
static inline unsigned int kcoro_state_finished(unsigned int old, unsigned int status)
{
	return (old & ~(KCORO_STATE_RUNNING | KCORO_STATE_NOTIFIED)) | KCORO_STATE_FINISHED |
	       status << KCORO_STATE_STATUS_SHIFT;
}

#endif /* KCORO_STATE_H */
