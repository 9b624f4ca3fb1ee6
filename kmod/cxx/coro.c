// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro.c - a C++ coroutine is a coroutine of the core whose body is one step of the C++
 * object: the same queues, scopes, stops and lists. Declared in include/kcoro/cxx.h.
 *
 *	core                            C++ (include/kcoro/coro.hpp)
 *	resume  ------ step ----------> coro::run(): what fired, stops, the innermost frame
 *	notify  <----- wake ----------- executor::post()
 *	stop bits ---- step ----------> told once each; the C++ object takes the wait off
 *
 * The core runs one step at a time, and runs one more when it is woken meanwhile. Each post of
 * the C++ object is a wake, and it ends in a step behind its last post: so nobody wakes a
 * coroutine of the core that has gone.
 *
 * What a coroutine waits for is an own await to the core; its kind is put where other awaits
 * have theirs, for people, and so that a kill does not take it for one that waits for nothing.
 *
 * A stop before the start is a step, too: the C++ object may have to wait for another CPU that
 * is about to wake it.
 *
 * Contexts: as in the core; step and expired are called as bodies are.
 */
#include <linux/err.h>
#include <linux/llist.h>
#include <linux/module.h>

#include <kcoro/await.h>
#include <kcoro/cxx.h>
#include <kcoro/scope.h>

#include "../coro/coroutine.h"
#include "../coro/scope.h"
#include "cxx.h"

/* Stops that were not told, for the step. */
static noinline unsigned int news(struct kcoro_cxx_coro *c, u32 stops)
{
	u32 told = c->told;

	c->told |= stops;
	return stops & ~told;
}

static noinline unsigned int expire(struct kcoro_cxx_coro *c, unsigned int how)
{
	kcoro_cxx_timers_expire(c);
	return how;
}

static __always_inline long waits(struct kcoro_cxx_coro *c, int kind)
{
	c->co.wait.kind = kind;
	c->co.wait.since = jiffies;
	c->co.wait.state = KCORO_WAIT_ARMED;
	return KCORO_WAIT;
}

/* The C++ side accepted a stop, or was asked to end there; or it is in an own await. */
static noinline long waits_otherwise(struct kcoro_cxx_coro *c, u32 stops, int kind)
{
	if (c->told & ~stops)
		kcoro_coro_accept(&c->co);
	atomic_or(stops, &c->co.state);
	c->told = stops;
	return waits(c, kind < KCORO_WAIT_KINDS ? kind : KCORO_WAIT_NOTHING);
}

static long cxx_resume(struct kcoro_coro *co)
{
	struct kcoro_cxx_coro *c = container_of(co, struct kcoro_cxx_coro, co);
	u32 stops = atomic_read(&co->state) & KCORO_STATE_STOP;
	unsigned int how = 0;
	int kind;

	if (likely(c->awaits)) {
		/* Pairs with the release in kcoro_wait_fire(). */
		u8 wait = smp_load_acquire(&c->awaits->state);

		/* Who fires is about to let go of it. */
		if (unlikely(wait == KCORO_WAIT_FIRING))
			return KCORO_AGAIN;
		if (likely(wait == KCORO_WAIT_FIRED)) {
			c->awaits = NULL;
			how = KCORO_CXX_FIRED;
		}
	}
	if (unlikely(stops != c->told))
		how |= news(c, stops);
	if (unlikely(!llist_empty(&c->expired)))
		how = expire(c, how);
	kind = c->body.step(c->body.coro, how);
	if (unlikely(kind < 0))
		return *c->body.result;
	stops = READ_ONCE(*c->body.state) & KCORO_STATE_STOP;
	if (unlikely(stops != c->told || kind >= KCORO_WAIT_KINDS))
		return waits_otherwise(c, stops, kind);
	return waits(c, kind);
}

#define CXX_DESC(executor_, flags_)						\
	{									\
		.name = "c++",							\
		.frame_size = sizeof(struct kcoro_cxx_coro),			\
		.flags = (flags_) | KCORO_DESC_ENDS_ITSELF,			\
		.executor = (executor_),					\
		.resume = cxx_resume,						\
		.front = &kcoro_cxx_front,					\
	}

/* No owner: the scope's is whose code it is, and destroys it before it goes. */
static const struct kcoro_desc cxx_desc[KCORO_EXECUTORS] = {
	[KCORO_EXECUTOR_SOFTIRQ] = CXX_DESC(KCORO_EXECUTOR_SOFTIRQ, 0),
	[KCORO_EXECUTOR_WORKER] = CXX_DESC(KCORO_EXECUTOR_WORKER, 0),
};

static const struct kcoro_desc cxx_desc_sleeps = CXX_DESC(KCORO_EXECUTOR_WORKER,
							  KCORO_DESC_SLEEPS);

struct kcoro_coro *kcoro_cxx_coro_create(struct kcoro_scope *scope, int executor, int sleeps,
					 void **room, int *error)
{
	const struct kcoro_desc *desc = NULL;
	struct kcoro_coro *co;

	if (sleeps)
		desc = executor == KCORO_EXECUTOR_WORKER ? &cxx_desc_sleeps : NULL;
	else if (executor >= 0 && executor < KCORO_EXECUTORS)
		desc = &cxx_desc[executor];
	*error = -EINVAL;
	if (!desc || IS_ERR_OR_NULL(scope) || !scope->owner)
		return NULL;
	co = kcoro_coro_create_gfp(scope, desc, GFP_ATOMIC | __GFP_NOWARN);
	*error = PTR_ERR_OR_ZERO(co);
	if (IS_ERR(co))
		return NULL;
	*room = container_of(co, struct kcoro_cxx_coro, co)->room;
	return co;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_coro_create);

void kcoro_cxx_coro_start(struct kcoro_coro *co, const struct kcoro_cxx_body *body)
{
	struct kcoro_cxx_coro *c = container_of(co, struct kcoro_cxx_coro, co);

	c->body = *body;
	/* The first word of a frame: the function, for people. */
	c->function = *(void **)body->outermost;
	kcoro_coro_start(co);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_coro_start);

void kcoro_cxx_coro_awaited(struct kcoro_coro *co, struct kcoro_coro *by)
{
	struct kcoro_cxx_coro *c = container_of(co, struct kcoro_cxx_coro, co);

	WRITE_ONCE(c->parent, by ? by->id : 0);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_coro_awaited);

void kcoro_cxx_coro_wake(struct kcoro_coro *co)
{
	kcoro_coro_wake(co);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_coro_wake);
