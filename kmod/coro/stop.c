// SPDX-License-Identifier: GPL-2.0-only
/*
 * stop.c - a coroutine is asked to end: cancel, timeout, kill; and what became of it.
 *
 * Whoever asks sets a bit and wakes; the coroutine does the rest itself when it is
 * resumed: the await it is in leaves its source. So nobody walks a chain of others'
 * frames: an await of another coroutine passes the bits on (join.c).
 *
 * Contexts: any, NMI included.
 */
#include <linux/module.h>

#include "../trace/trace.h"
#include "coroutine.h"

/**
 * kcoro_stop_ask() - set bits, and have the coroutine look at them
 * @co: the coroutine, which exists
 * @bits: of KCORO_STATE_STOP
 *
 * Context: any.
 */
void kcoro_stop_ask(struct kcoro_coro *co, u32 bits)
{
	trace_kcoro_coro_cancel(co, !!(bits & KCORO_STATE_KILL));
	kcoro_coro_notify(co, bits);
}

/**
 * kcoro_stop_tell_slow() - the half of kcoro_stop_tell() for who is being stopped
 */
long kcoro_stop_tell_slow(struct kcoro_coro *co)
{
	u32 state = atomic_read(&co->state);

	if (state & KCORO_STATE_KILL)
		return -EINTR;
	if (state & KCORO_STATE_SEEN) {
		/* It was told, and awaits again. */
		atomic_or(KCORO_STATE_KILL, &co->state);
		return -EINTR;
	}
	atomic_or(KCORO_STATE_SEEN, &co->state);
	return state & KCORO_STATE_TIMEOUT ? -ETIMEDOUT : -ECANCELED;
}

void kcoro_coro_cancel(struct kcoro_coro *co)
{
	kcoro_stop_ask(co, KCORO_STATE_CANCEL);
}
EXPORT_SYMBOL_GPL(kcoro_coro_cancel);

void kcoro_coro_kill(struct kcoro_coro *co)
{
	kcoro_stop_ask(co, KCORO_STATE_KILL);
}
EXPORT_SYMBOL_GPL(kcoro_coro_kill);

int kcoro_coro_stopping(const struct kcoro_coro *co)
{
	u32 state = atomic_read(&co->state);

	if (state & KCORO_STATE_KILL)
		return -EINTR;
	if (state & KCORO_STATE_TIMEOUT)
		return -ETIMEDOUT;
	return state & KCORO_STATE_CANCEL ? -ECANCELED : 0;
}
EXPORT_SYMBOL_GPL(kcoro_coro_stopping);

void kcoro_coro_accept(struct kcoro_coro *co)
{
	atomic_andnot(KCORO_STATE_CANCEL | KCORO_STATE_TIMEOUT | KCORO_STATE_SEEN, &co->state);
}
EXPORT_SYMBOL_GPL(kcoro_coro_accept);

enum kcoro_status kcoro_coro_status(const struct kcoro_coro *co)
{
	/* Pairs with the change to FINISHED: the result is there, too. */
	u32 state = atomic_read_acquire(&co->state);

	if (state & KCORO_STATE_FINISHED)
		return state >> KCORO_STATE_STATUS_SHIFT;
	if (state & KCORO_STATE_RUNNING)
		return KCORO_STATUS_RUNNING;
	if (!(READ_ONCE(co->flags) & KCORO_CORO_STARTED))
		return KCORO_STATUS_CREATED;
	return state & KCORO_STATE_NOTIFIED ? KCORO_STATUS_READY : KCORO_STATUS_SUSPENDED;
}
EXPORT_SYMBOL_GPL(kcoro_coro_status);

s64 kcoro_coro_result(const struct kcoro_coro *co)
{
	return kcoro_coro_status(co) >= KCORO_STATUS_DONE ? co->result : -EINPROGRESS;
}
EXPORT_SYMBOL_GPL(kcoro_coro_result);
