/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coroutine.h - inside of a coroutine's life; the state word is described in
 * include/kcoro/state.h.
 *
 * coroutine.c   create, start, run, finish, references
 * stop.c        cancel, kill, timeout; status
 * scope.c       who owns it
 * walk.c list.c who is there
 * wait.h        how an await and its source meet
 * timer.c event.c channel.c join.c group.c queue_wait.c call.c   what can be awaited
 */
#ifndef KCORO_COROUTINE_H
#define KCORO_COROUTINE_H

#include <linux/percpu.h>

#include <kcoro/coro.h>
#include <kcoro/kcoro.h>

#include "../sched/sched.h"

/* A body that may sleep has a work item of its own, behind its frame. */
struct kcoro_sleeper {
	struct work_struct work;
	struct kcoro_coro *co;
	struct task_struct *task;	/* who runs it now */
};

/* Bytes of a whole frame. */
static inline size_t kcoro_desc_bytes(const struct kcoro_desc *desc)
{
	if (desc->flags & KCORO_DESC_SLEEPS)
		return ALIGN(desc->frame_size, 8) + sizeof(struct kcoro_sleeper);
	return desc->frame_size;
}

static inline struct kcoro_sleeper *kcoro_sleeper_of(struct kcoro_coro *co)
{
	return (void *)co + ALIGN(co->desc->frame_size, 8);
}

/* coroutine.c */
void kcoro_sleeper_queue(struct kcoro_coro *co);
void kcoro_coro_hold(struct kcoro_coro *co);
void kcoro_coro_suspend(struct kcoro_coro *co);
bool kcoro_coro_freeze(struct kcoro_coro *co);
void kcoro_coro_thaw(struct kcoro_coro *co);
struct kcoro_coro *kcoro_coro_create_gfp(struct kcoro_scope *scope, const struct kcoro_desc *desc,
					 gfp_t gfp);
void kcoro_coro_init(void);

/* stop.c */
long kcoro_stop_tell_slow(struct kcoro_coro *co);
void kcoro_stop_ask(struct kcoro_coro *co, u32 bits);

/**
 * kcoro_stop_tell() - what an await says to a stop
 * @co: the calling coroutine
 *
 * Context: a body's await, before it begins to wait or when it gives up.
 * Return: 0: none; -ECANCELED or -ETIMEDOUT, once; -EINTR from then on: killed.
 */
static inline long kcoro_stop_tell(struct kcoro_coro *co)
{
	if (likely(!(atomic_read(&co->state) & KCORO_STATE_STOP)))
		return 0;
	return kcoro_stop_tell_slow(co);
}

/* NOTIFIED was set by the caller, so the item is the caller's: into its queue with it. */
static inline void kcoro_coro_ready(struct kcoro_coro *co)
{
	if (unlikely(co->flags & KCORO_CORO_SLEEPS))
		kcoro_sleeper_queue(co);
	else
		kcoro_sched_add(&co->item, co->executor, co->cpu);
}

/* kcoro_coro_wake(), with bits that are set by the same change. */
static inline void kcoro_coro_notify(struct kcoro_coro *co, u32 bits)
{
	int old = atomic_read(&co->state);

	/* As atomic_fetch_or(), in fewer instructions. */
	while (!atomic_try_cmpxchg(&co->state, &old, kcoro_state_notified(old, bits)))
		;
	if (kcoro_state_queues(old))
		kcoro_coro_ready(co);
}

#endif /* KCORO_COROUTINE_H */
