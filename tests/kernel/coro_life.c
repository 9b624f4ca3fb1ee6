// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_life.c - coroutines from their start to their end: executors, levels, yields,
 * results, cancel, kill, scopes.
 */
#include <linux/atomic.h>
#include <linux/preempt.h>

#include "coro.h"

static atomic_t destroyed;
static atomic_t ended;

static void count_destroyed(struct kcoro_coro *co)
{
	atomic_inc(&destroyed);
}

struct worker {
	struct kcoro_coro co;
	struct kcoro_timer timer;
	struct kcoro_event *event;
	struct kcoro_coro *other;
	int yields;
	int level;		/* seen by the body */
	bool may_sleep;
	int told;		/* what the first await said */
	struct worker *sees;	/* test's copy: where results go */
};

static struct worker seen;

/* Yields, and tells where it ran. */
static long yielder(struct kcoro_coro *co)
{
	struct worker *w = container_of(co, struct worker, co);

	KCORO_BEGIN(co);
	for (; w->yields; w->yields--)
		KCORO_YIELD();
	seen.level = interrupt_context_level();
	seen.may_sleep = preemptible();
	atomic_inc(&ended);
	KCORO_END(17);
}

static const struct kcoro_desc softirq_desc = {
	.owner = THIS_MODULE,
	.name = "yielder",
	.frame_size = sizeof(struct worker),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
	.resume = yielder,
	.destroy = count_destroyed,
};

static const struct kcoro_desc worker_desc = {
	.owner = THIS_MODULE,
	.name = "yielder",
	.frame_size = sizeof(struct worker),
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = yielder,
	.destroy = count_destroyed,
};

static const struct kcoro_desc sleeping_desc = {
	.owner = THIS_MODULE,
	.name = "yielder",
	.frame_size = sizeof(struct worker),
	.flags = KCORO_DESC_SLEEPS,
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = yielder,
	.destroy = count_destroyed,
};

static int runs_on(const struct kcoro_desc *desc, int yields)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	struct kcoro_coro *co;

	EXPECT(!IS_ERR(scope));
	atomic_set(&destroyed, 0);
	co = kcoro_coro_create(scope, desc);
	EXPECT(!IS_ERR(co));
	EXPECT(kcoro_coro_status(co) == KCORO_STATUS_CREATED);
	EXPECT(kcoro_coro_result(co) == -EINPROGRESS);
	container_of(co, struct worker, co)->yields = yields;
	kcoro_coro_get(co);
	kcoro_coro_start(co);
	EXPECT(FINISHED(co));
	EXPECT(kcoro_coro_status(co) == KCORO_STATUS_DONE);
	EXPECT(kcoro_coro_result(co) == 17);
	EXPECT(atomic_read(&destroyed) == 1);
	kcoro_coro_put(co);
	EXPECT(!kcoro_scope_wait(scope, HZ));
	EXPECT(kcoro_scope_live(scope) == 0);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int on_softirq(void)
{
	int line = runs_on(&softirq_desc, 0) ?: runs_on(&softirq_desc, 1000);

	if (line)
		return line;
	EXPECT(IS_ENABLED(CONFIG_PREEMPT_RT) || seen.level == KCORO_LEVEL_SOFTIRQ);
	return 0;
}

static int on_worker(void)
{
	int line = runs_on(&worker_desc, 0) ?: runs_on(&worker_desc, 1000);

	if (line)
		return line;
	EXPECT(seen.level == KCORO_LEVEL_TASK && seen.may_sleep);
	return 0;
}

static int on_own_work(void)
{
	int line = runs_on(&sleeping_desc, 0) ?: runs_on(&sleeping_desc, 100);

	if (line)
		return line;
	EXPECT(seen.level == KCORO_LEVEL_TASK && seen.may_sleep);
	return 0;
}

/* From each level, started and run. */
struct spawn_job {
	struct kcoro_scope *scope;
	const struct kcoro_desc *desc;
	int err;
};

static void spawn_there(void *arg)
{
	struct spawn_job *job = arg;

	job->err = kcoro_coro_spawn(job->scope, job->desc, NULL, 0);
}

static int spawn_at_levels(void)
{
	static const struct kcoro_desc *const descs[] = {
		&softirq_desc, &worker_desc, &sleeping_desc,
	};
	struct kcoro_scope *scope = test_scope(0, 0);
	unsigned int level, i, n = 0, tries;

	EXPECT(!IS_ERR(scope));
	atomic_set(&ended, 0);
	for (level = 0; level < KCORO_LEVELS; level++) {
		for (i = 0; i < ARRAY_SIZE(descs); i++) {
			struct spawn_job job = { .scope = scope, .desc = descs[i], .err = -ENOMEM };

			/* A level that found nothing cached finds something a little later. */
			for (tries = 0; job.err == -ENOMEM && tries < 100; tries++) {
				EXPECT(at_level(level, spawn_there, &job));
				usleep_range(1000, 1100);
			}
			EXPECT(!job.err);
			n++;
			EXPECT(SOON(atomic_read(&ended) == n));
		}
	}
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int here(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	struct kcoro_coro *co;

	EXPECT(!IS_ERR(scope));
	atomic_set(&ended, 0);
	co = kcoro_coro_create(scope, &softirq_desc);
	EXPECT(!IS_ERR(co));
	kcoro_coro_start_here(co);
	EXPECT(atomic_read(&ended) == 1);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

/* One that awaits an event, for ever. What it is told goes to the result. */
static long waiter(struct kcoro_coro *co)
{
	struct worker *w = container_of(co, struct worker, co);
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await(co, w->event));
	atomic_inc(&ended);
	KCORO_END(got);
}

static const struct kcoro_desc waiter_desc = {
	.owner = THIS_MODULE,
	.name = "waiter",
	.frame_size = sizeof(struct worker),
	.resume = waiter,
	.destroy = count_destroyed,
};

/* One that ignores what it is told, and awaits again. */
static long stubborn(struct kcoro_coro *co)
{
	struct worker *w = container_of(co, struct worker, co);
	long got;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(got, kcoro_event_await(co, w->event));
		w->told = got;
		seen.told = got;
	}
	KCORO_END(0);
}

static const struct kcoro_desc stubborn_desc = {
	.owner = THIS_MODULE,
	.name = "stubborn",
	.frame_size = sizeof(struct worker),
	.resume = stubborn,
	.destroy = count_destroyed,
};

/* One that accepts, cleans up with another await, and ends well. */
static long polite(struct kcoro_coro *co)
{
	struct worker *w = container_of(co, struct worker, co);
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await(co, w->event));
	if (got == -ECANCELED)
		kcoro_coro_accept(co);
	KCORO_AWAIT(got, kcoro_timer_await(co, &w->timer, 1000));
	KCORO_END(got ?: 5);
}

static const struct kcoro_desc polite_desc = {
	.owner = THIS_MODULE,
	.name = "polite",
	.frame_size = sizeof(struct worker),
	.resume = polite,
	.destroy = count_destroyed,
};

/* Starts one that awaits @event; with a reference for the caller. */
static struct kcoro_coro *start_waiter(struct kcoro_scope *scope, const struct kcoro_desc *desc,
				       struct kcoro_event *event)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, desc);

	if (IS_ERR(co))
		return co;
	container_of(co, struct worker, co)->event = event;
	kcoro_coro_get(co);
	kcoro_coro_start(co);
	return co;
}

static int stop_one(const struct kcoro_desc *desc, void (*stop)(struct kcoro_coro *co),
		    enum kcoro_status status, s64 result)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	static struct kcoro_event event;
	struct kcoro_coro *co;

	EXPECT(!IS_ERR(scope));
	kcoro_event_init(&event, false);
	atomic_set(&destroyed, 0);
	seen.told = 0;
	co = start_waiter(scope, desc, &event);
	EXPECT(!IS_ERR(co));
	EXPECT(SUSPENDED(co));
	stop(co);
	EXPECT(FINISHED(co));
	EXPECT(kcoro_coro_status(co) == status);
	EXPECT(kcoro_coro_result(co) == result);
	EXPECT(atomic_read(&destroyed) == 1);
	EXPECT(!event.added && list_empty(&event.waits));
	kcoro_coro_put(co);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int cancel_ends(void)
{
	return stop_one(&waiter_desc, kcoro_coro_cancel, KCORO_STATUS_CANCELLED, -ECANCELED);
}

static int kill_ends(void)
{
	return stop_one(&waiter_desc, kcoro_coro_kill, KCORO_STATUS_KILLED, -EINTR);
}

static int cancel_ignored_kills(void)
{
	int line = stop_one(&stubborn_desc, kcoro_coro_cancel, KCORO_STATUS_KILLED, -EINTR);

	if (line)
		return line;
	EXPECT(seen.told == -ECANCELED);
	return 0;
}

static int cancel_accepted(void)
{
	return stop_one(&polite_desc, kcoro_coro_cancel, KCORO_STATUS_DONE, 5);
}

/* Cancelled before it was started, and before it first ran: it never does. */
static int cancel_before_start(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	struct kcoro_coro *co;

	EXPECT(!IS_ERR(scope));
	atomic_set(&ended, 0);
	atomic_set(&destroyed, 0);
	co = kcoro_coro_create(scope, &softirq_desc);
	EXPECT(!IS_ERR(co));
	kcoro_coro_get(co);
	kcoro_coro_cancel(co);
	kcoro_coro_start(co);
	EXPECT(FINISHED(co));
	EXPECT(kcoro_coro_status(co) == KCORO_STATUS_CANCELLED);
	kcoro_coro_put(co);
	EXPECT(atomic_read(&ended) == 0);
	EXPECT(atomic_read(&destroyed) == 1);

	/* Dropped without a start. */
	co = kcoro_coro_create(scope, &softirq_desc);
	EXPECT(!IS_ERR(co));
	EXPECT(kcoro_scope_live(scope) == 1);
	kcoro_coro_put(co);
	EXPECT(kcoro_scope_live(scope) == 0);
	EXPECT(atomic_read(&destroyed) == 2);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

/* A chain of three: the stop goes down to the leaf and comes back. */
static long chain_body(struct kcoro_coro *co)
{
	struct worker *w = container_of(co, struct worker, co);
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_coro_join(co, w->other, NULL, 0));
	if (err)
		KCORO_RETURN(err);
	KCORO_END(kcoro_coro_result(w->other));
}

static void put_other(struct kcoro_coro *co)
{
	kcoro_coro_put(container_of(co, struct worker, co)->other);
	atomic_inc(&destroyed);
}

static const struct kcoro_desc chain_desc = {
	.owner = THIS_MODULE,
	.name = "chain",
	.frame_size = sizeof(struct worker),
	.resume = chain_body,
	.destroy = put_other,
};

static struct kcoro_coro *start_chain(struct kcoro_scope *scope, struct kcoro_coro *leaf)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &chain_desc);

	if (IS_ERR(co))
		return co;
	container_of(co, struct worker, co)->other = leaf;
	kcoro_coro_get(co);
	kcoro_coro_start(co);
	return co;
}

static int chain_stops(void (*stop)(struct kcoro_coro *co), enum kcoro_status status)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	static struct kcoro_event event;
	struct kcoro_coro *leaf, *middle, *top;

	EXPECT(!IS_ERR(scope));
	kcoro_event_init(&event, false);
	atomic_set(&destroyed, 0);
	leaf = start_waiter(scope, &waiter_desc, &event);
	EXPECT(!IS_ERR(leaf));
	kcoro_coro_get(leaf);
	middle = start_chain(scope, leaf);
	EXPECT(!IS_ERR(middle));
	top = start_chain(scope, middle);
	EXPECT(!IS_ERR(top));
	EXPECT(SUSPENDED(leaf) && SUSPENDED(middle) && SUSPENDED(top));
	stop(top);
	EXPECT(FINISHED(top));
	EXPECT(kcoro_coro_status(leaf) == status);
	EXPECT(kcoro_coro_status(top) == status);
	EXPECT(kcoro_coro_result(top) == kcoro_status_errno(status));
	EXPECT(atomic_read(&destroyed) == 3);
	kcoro_coro_put(leaf);
	kcoro_coro_put(top);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int chain_cancel(void)
{
	return chain_stops(kcoro_coro_cancel, KCORO_STATUS_CANCELLED);
}

static int chain_kill(void)
{
	return chain_stops(kcoro_coro_kill, KCORO_STATUS_KILLED);
}

/* The wait of one of two who wait for the same ends alone. */
static int join_shared(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	static struct kcoro_event event;
	struct kcoro_coro *leaf, *one, *two;

	EXPECT(!IS_ERR(scope));
	kcoro_event_init(&event, false);
	leaf = start_waiter(scope, &waiter_desc, &event);
	EXPECT(!IS_ERR(leaf));
	one = start_chain(scope, kcoro_coro_get(leaf));
	two = start_chain(scope, kcoro_coro_get(leaf));
	EXPECT(!IS_ERR(one) && !IS_ERR(two));
	EXPECT(SUSPENDED(leaf) && SUSPENDED(one) && SUSPENDED(two));
	kcoro_coro_cancel(one);
	EXPECT(FINISHED(one));
	EXPECT(kcoro_coro_status(one) == KCORO_STATUS_CANCELLED);
	EXPECT(kcoro_coro_status(leaf) == KCORO_STATUS_SUSPENDED);
	kcoro_event_set_value(&event, 33);
	EXPECT(FINISHED(two));
	EXPECT(kcoro_coro_result(two) == 33);
	kcoro_coro_put(leaf);
	kcoro_coro_put(one);
	kcoro_coro_put(two);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

/*
 * A hundred thousand that complete one after the other inside one another's resume; where each
 * takes long, as many as would overflow a stack by far.
 */
#define DEEP (IS_ENABLED(CONFIG_KASAN) ? 10000 : 100000)

static atomic_t deep_left;

static long deep_body(struct kcoro_coro *co)
{
	struct kcoro_scope *scope = *(struct kcoro_scope **)(co + 1);
	struct kcoro_coro *next;

	if (atomic_dec_return(&deep_left) <= 0)
		return 0;
	next = kcoro_coro_create(scope, co->desc);
	if (IS_ERR(next))
		return PTR_ERR(next);
	memcpy(next + 1, &scope, sizeof(scope));
	kcoro_coro_start_here(next);
	return 0;
}

static const struct kcoro_desc deep_desc = {
	.owner = THIS_MODULE,
	.name = "deep",
	.frame_size = sizeof(struct kcoro_coro) + sizeof(void *),
	.resume = deep_body,
};

static int inline_does_not_nest(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);

	EXPECT(!IS_ERR(scope));
	atomic_set(&deep_left, DEEP);
	EXPECT(!kcoro_coro_spawn(scope, &deep_desc, &scope, sizeof(scope)));
	EXPECT(SOON(atomic_read(&deep_left) <= 0));
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

/* An await inside a switch is told, and does not hang or run wild. */
static long lost_body(struct kcoro_coro *co)
{
	struct worker *w = container_of(co, struct worker, co);
	long err;

	KCORO_BEGIN(co);
	switch (w->yields) {
	case 0:
		KCORO_AWAIT(err, kcoro_timer_await(co, &w->timer, 1000));
	}
	KCORO_END(err);
}

static const struct kcoro_desc lost_desc = {
	.owner = THIS_MODULE,
	.name = "lost",
	.frame_size = sizeof(struct worker),
	.resume = lost_body,
};

static int await_in_a_switch(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	struct kcoro_coro *co;

	EXPECT(!IS_ERR(scope));
	co = start_waiter(scope, &lost_desc, NULL);
	EXPECT(!IS_ERR(co));
	EXPECT(FINISHED(co));
	EXPECT(kcoro_coro_result(co) == -ELOOP);
	kcoro_coro_put(co);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

const struct kcoro_test_case kcoro_coro_life_cases[] = {
	{ "coro_on_softirq", on_softirq },
	{ "coro_on_worker", on_worker },
	{ "coro_on_own_work", on_own_work },
	{ "coro_spawn_at_levels", spawn_at_levels },
	{ "coro_here", here },
	{ "coro_cancel", cancel_ends },
	{ "coro_kill", kill_ends },
	{ "coro_cancel_ignored", cancel_ignored_kills },
	{ "coro_cancel_accepted", cancel_accepted },
	{ "coro_cancel_before_start", cancel_before_start },
	{ "coro_chain_cancel", chain_cancel },
	{ "coro_chain_kill", chain_kill },
	{ "coro_join_shared", join_shared },
	{ "coro_inline_does_not_nest", inline_does_not_nest },
	{ "coro_await_in_a_switch", await_in_a_switch },
	{}
};
