// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait.c - a C++ coroutine awaits the core's events and channels, and other coroutines, as a
 * body in C does: with a wait on the source's list. Declared in include/kcoro/cxx.h.
 *
 * Aimed at the coroutine, the wait is as any other of the core, and cxx_resume() sees that it
 * has fired (coro.c). With KCORO_WAIT_CALLS the C++ object is told by a call: as a member of
 * a group, of which there may be several at a time.
 *
 * Contexts: a step of the coroutine.
 */
#include <linux/module.h>

#include "../coro/wait.h"
#include "cxx.h"

#define SAME(ours, cores)								\
	static_assert(offsetof(struct kcoro_cxx_wait, ours) == offsetof(struct kcoro_wait, cores))

static_assert(sizeof(struct kcoro_cxx_wait) == sizeof(struct kcoro_wait));
SAME(link, link);
SAME(co, target);
SAME(call, call);
SAME(value, value);
SAME(since, since);
SAME(state, state);
SAME(kind, kind);
SAME(index, index);
SAME(flags, flags);
static_assert(KCORO_WAIT_CALLS == KCORO_CXX_WAIT_CALLS);
static_assert(KCORO_WAIT_BROKEN == KCORO_CXX_WAIT_BROKEN);

int kcoro_cxx_event_wait(struct kcoro_event *event, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);

	kcoro_wait_arm_aimed(wait, KCORO_WAIT_EVENT);
	if (!kcoro_event_push(event, wait))
		return kcoro_cxx_waits(wait);
	wait->value = READ_ONCE(event->value);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_event_wait);

int kcoro_cxx_event_leave(struct kcoro_event *event, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);

	return kcoro_cxx_left(wait, kcoro_wait_leave(wait, event));
}
EXPORT_SYMBOL_GPL(kcoro_cxx_event_leave);

int kcoro_cxx_channel_receive(struct kcoro_channel *ch, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);
	int err = kcoro_channel_take_or_wait(ch, wait);

	return err == -EAGAIN ? kcoro_cxx_waits(wait) : err;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_channel_receive);

int kcoro_cxx_channel_send(struct kcoro_channel *ch, struct kcoro_cxx_wait *cxx, long long value)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);
	int err = kcoro_channel_put_or_wait(ch, wait, value);

	return err == -EAGAIN ? kcoro_cxx_waits(wait) : err;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_channel_send);

int kcoro_cxx_channel_leave(struct kcoro_channel *ch, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);

	return kcoro_cxx_left(wait, kcoro_wait_leave(wait, ch));
}
EXPORT_SYMBOL_GPL(kcoro_cxx_channel_leave);

int kcoro_cxx_join(struct kcoro_coro *other, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);

	return kcoro_join_or_wait(other, wait) ? kcoro_cxx_waits(wait) : 0;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_join);

int kcoro_cxx_join_leave(struct kcoro_coro *other, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);

	return kcoro_cxx_left(wait, kcoro_wait_leave(wait, other));
}
EXPORT_SYMBOL_GPL(kcoro_cxx_join_leave);

int kcoro_cxx_join_pass_on(struct kcoro_coro *other, struct kcoro_cxx_wait *cxx,
			   unsigned int stop)
{
	if (!kcoro_join_is_only(other, kcoro_cxx_wait_of(cxx)))
		return 0;
	kcoro_stop_ask(other, stop & KCORO_STATE_STOP);
	return 1;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_join_pass_on);
