// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_scope.c - scopes: limits, deadlines, their end; and what is refused.
 */
#include "coro.h"

static atomic_t destroyed;
static atomic_t ended;
static long told;
static void (*stop_scope)(struct kcoro_scope *scope);

static void count_destroyed(struct kcoro_coro *co)
{
	atomic_inc(&destroyed);
}

struct waiter {
	struct kcoro_coro co;
	struct kcoro_event *event;
};

static long wait_for_it(struct kcoro_coro *co)
{
	struct waiter *w = container_of(co, struct waiter, co);
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await(co, w->event));
	atomic_inc(&ended);
	KCORO_END(got);
}

static const struct kcoro_desc waiter_desc = {
	.owner = THIS_MODULE,
	.name = "waiter",
	.frame_size = sizeof(struct waiter),
	.resume = wait_for_it,
	.destroy = count_destroyed,
};

/* Starts one that awaits @event; with a reference for the caller. */
static struct kcoro_coro *start_waiter(struct kcoro_scope *scope, struct kcoro_event *event)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &waiter_desc);

	if (IS_ERR(co))
		return co;
	container_of(co, struct waiter, co)->event = event;
	kcoro_coro_get(co);
	kcoro_coro_start(co);
	return co;
}

static int scope_limit(void)
{
	struct kcoro_scope *scope = test_scope(3, 0);
	struct kcoro_coro *co[4];
	int i;

	EXPECT(!IS_ERR(scope));
	for (i = 0; i < 4; i++)
		co[i] = kcoro_coro_create(scope, &waiter_desc);
	EXPECT(!IS_ERR(co[2]) && co[3] == ERR_PTR(-EAGAIN));
	kcoro_coro_put(co[0]);
	co[0] = kcoro_coro_create(scope, &waiter_desc);
	EXPECT(!IS_ERR(co[0]));
	for (i = 0; i < 3; i++)
		kcoro_coro_put(co[i]);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int scope_deadline(void)
{
	struct kcoro_scope *scope = test_scope(0, 20 * NSEC_PER_MSEC);
	static struct kcoro_event event;
	struct kcoro_coro *co;

	EXPECT(!IS_ERR(scope));
	kcoro_event_init(&event, false);
	co = start_waiter(scope, &event);
	EXPECT(!IS_ERR(co));
	EXPECT(FINISHED(co));
	EXPECT(kcoro_coro_status(co) == KCORO_STATUS_TIMED_OUT);
	EXPECT(kcoro_coro_result(co) == -ETIMEDOUT);
	EXPECT(kcoro_coro_create(scope, &waiter_desc) == ERR_PTR(-ETIMEDOUT));
	kcoro_coro_put(co);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

#define MANY 300

static int scope_destroy_many(void)
{
	struct kcoro_scope *scope = test_scope(0, 0), *inner;
	struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "inner", .parent = scope,
	};
	static struct kcoro_event event;
	struct kcoro_coro *co;
	int i;

	EXPECT(!IS_ERR(scope));
	inner = kcoro_scope_create(&attr);
	EXPECT(!IS_ERR(inner));
	kcoro_event_init(&event, false);
	atomic_set(&destroyed, 0);
	atomic_set(&ended, 0);
	for (i = 0; i < MANY; i++) {
		co = start_waiter(i % 3 ? scope : inner, &event);
		EXPECT(!IS_ERR(co));
		kcoro_coro_put(co);
	}
	EXPECT(kcoro_scope_wait(scope, HZ / 50) == -ETIMEDOUT);
	EXPECT(kcoro_scope_live(scope) == MANY - MANY / 3);
	EXPECT(!kcoro_scope_destroy(scope));
	EXPECT(atomic_read(&destroyed) == MANY);
	EXPECT(atomic_read(&ended) == 0);
	EXPECT(!event.added && list_empty(&event.waits));
	return 0;
}

static long destroys_own_scope(struct kcoro_coro *co)
{
	told = kcoro_scope_destroy(*(struct kcoro_scope **)(co + 1));
	return 0;
}

static const struct kcoro_desc destroyer_desc = {
	.owner = THIS_MODULE,
	.name = "destroyer",
	.frame_size = sizeof(struct kcoro_coro) + sizeof(void *),
	.flags = KCORO_DESC_SLEEPS,
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = destroys_own_scope,
};

static int scope_destroyed_from_inside(void)
{
	struct kcoro_scope *scope = test_scope(0, 0);

	EXPECT(!IS_ERR(scope));
	told = 0;
	EXPECT(!kcoro_coro_spawn(scope, &destroyer_desc, &scope, sizeof(scope)));
	EXPECT(!kcoro_scope_wait(scope, 10 * HZ));
	EXPECT(told == -EDEADLK);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int bad_arguments(void)
{
	struct kcoro_desc desc = waiter_desc;
	struct kcoro_scope_attr attr = { .size = sizeof(attr), .name = "x" };
	struct kcoro_scope *scope = test_scope(0, 0);
	u8 state[sizeof(struct waiter)] = {};

	EXPECT(!IS_ERR(scope));
	EXPECT(kcoro_coro_create(scope, NULL) == ERR_PTR(-EINVAL));
	desc.resume = NULL;
	EXPECT(kcoro_coro_create(scope, &desc) == ERR_PTR(-EINVAL));
	desc = waiter_desc;
	desc.frame_size = sizeof(struct kcoro_coro) - 1;
	EXPECT(kcoro_coro_create(scope, &desc) == ERR_PTR(-EINVAL));
	desc.frame_size = KCORO_FRAME_LARGE_MAX + 1;
	EXPECT(kcoro_coro_create(scope, &desc) == ERR_PTR(-EINVAL));
	desc = waiter_desc;
	desc.flags = KCORO_DESC_SLEEPS;
	EXPECT(kcoro_coro_create(scope, &desc) == ERR_PTR(-EINVAL));
	desc.flags = 1U << 31;
	EXPECT(kcoro_coro_create(scope, &desc) == ERR_PTR(-EINVAL));
	desc = waiter_desc;
	desc.executor = KCORO_EXECUTORS;
	EXPECT(kcoro_coro_create(scope, &desc) == ERR_PTR(-EINVAL));
	EXPECT(kcoro_coro_spawn(scope, &waiter_desc, state, sizeof(state)) == -EINVAL);
	EXPECT(kcoro_scope_live(scope) == 0);

	attr.size = 8;
	EXPECT(kcoro_scope_create(&attr) == ERR_PTR(-EINVAL));
	attr.size = sizeof(attr);
	attr.name = "";
	EXPECT(kcoro_scope_create(&attr) == ERR_PTR(-EINVAL));
	attr.name = "a name that is too long";
	EXPECT(kcoro_scope_create(&attr) == ERR_PTR(-EINVAL));
	attr.name = "x";
	attr.reserved[1] = 1;
	EXPECT(kcoro_scope_create(&attr) == ERR_PTR(-EINVAL));
	EXPECT(!kcoro_scope_destroy(NULL));
	EXPECT(!kcoro_scope_destroy(ERR_PTR(-ENOMEM)));
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

struct waiting {
	struct work_struct work;
	struct kcoro_scope *scope;
	int got;
};

static void wait_for_all(struct work_struct *work)
{
	struct waiting *w = container_of(work, struct waiting, work);

	w->got = kcoro_scope_wait(w->scope, 10 * HZ);
}

/* No frame of this size is to be had in NMI. */
static const struct kcoro_desc large_desc = {
	.owner = THIS_MODULE,
	.name = "large",
	.frame_size = KCORO_FRAME_SIZE_MAX + 1,
	.resume = wait_for_it,
};

static void create_large(void *arg)
{
	struct kcoro_scope *scope = arg;
	int i;

	for (i = 0; i < 100; i++)
		if (kcoro_coro_create(scope, &large_desc) != ERR_PTR(-ENOMEM))
			told = -EINVAL;
}

/* What was refused in NMI leaves the scope, while somebody waits until it is empty. */
static int refused_in_nmi(void)
{
	static struct kcoro_event event;
	static struct waiting w;
	struct kcoro_coro *co;

	w.scope = test_scope(0, 0);
	EXPECT(!IS_ERR(w.scope));
	kcoro_event_init(&event, false);
	co = start_waiter(w.scope, &event);
	EXPECT(!IS_ERR(co));
	EXPECT(SUSPENDED(co));
	INIT_WORK(&w.work, wait_for_all);
	schedule_work(&w.work);
	/* So that it waits; when it does not yet, less is tested. */
	msleep(20);
	told = 0;
	EXPECT(at_level(KCORO_LEVEL_NMI, create_large, w.scope));
	EXPECT(told == 0);
	EXPECT(SOON(kcoro_scope_live(w.scope) == 1));
	kcoro_event_set(&event);
	flush_work(&w.work);
	EXPECT(w.got == 0);
	kcoro_coro_put(co);
	EXPECT(!kcoro_scope_destroy(w.scope));
	return 0;
}

/* Stops its scope in its first step, when it is not listed yet. */
static long stop_own_scope(struct kcoro_coro *co)
{
	struct waiter *w = container_of(co, struct waiter, co);
	long got;

	KCORO_BEGIN(co);
	stop_scope(co->scope);
	KCORO_AWAIT(got, kcoro_event_await(co, w->event));
	KCORO_END(got);
}

static const struct kcoro_desc stopper_desc = {
	.owner = THIS_MODULE,
	.name = "stopper",
	.frame_size = sizeof(struct waiter),
	.resume = stop_own_scope,
};

/* All that are there are stopped, suspended yet or not; none that comes later. */
static int stopped_before_they_wait(void (*stop)(struct kcoro_scope *scope),
				    enum kcoro_status status)
{
	struct kcoro_scope *scope = test_scope(0, 0);
	static struct kcoro_event event;
	struct kcoro_coro *made, *queued, *runs, *later;

	EXPECT(!IS_ERR(scope));
	kcoro_event_init(&event, false);
	stop_scope = stop;
	atomic_set(&ended, 0);

	made = kcoro_coro_create(scope, &waiter_desc);
	EXPECT(!IS_ERR(made));
	container_of(made, struct waiter, co)->event = &event;
	kcoro_coro_get(made);
	local_bh_disable();
	queued = start_waiter(scope, &event);
	stop(scope);
	local_bh_enable();
	EXPECT(!IS_ERR(queued));
	EXPECT(FINISHED(queued) && kcoro_coro_status(queued) == status);
	kcoro_coro_start(made);
	EXPECT(FINISHED(made) && kcoro_coro_status(made) == status);
	EXPECT(!atomic_read(&ended));

	runs = kcoro_coro_create(scope, &stopper_desc);
	EXPECT(!IS_ERR(runs));
	container_of(runs, struct waiter, co)->event = &event;
	kcoro_coro_get(runs);
	kcoro_coro_start(runs);
	EXPECT(FINISHED(runs) && kcoro_coro_status(runs) == status);

	later = start_waiter(scope, &event);
	EXPECT(!IS_ERR(later));
	EXPECT(SUSPENDED(later));
	kcoro_event_set(&event);
	EXPECT(FINISHED(later) && kcoro_coro_status(later) == KCORO_STATUS_DONE);
	kcoro_coro_put(made);
	kcoro_coro_put(queued);
	kcoro_coro_put(runs);
	kcoro_coro_put(later);
	EXPECT(!kcoro_scope_destroy(scope));
	return 0;
}

static int scope_cancel_before_the_first_wait(void)
{
	return stopped_before_they_wait(kcoro_scope_cancel, KCORO_STATUS_CANCELLED);
}

static int scope_kill_before_the_first_wait(void)
{
	return stopped_before_they_wait(kcoro_scope_kill, KCORO_STATUS_KILLED);
}

const struct kcoro_test_case kcoro_coro_scope_cases[] = {
	{ "scope_limit", scope_limit },
	{ "scope_deadline", scope_deadline },
	{ "scope_cancel_before_the_first_wait", scope_cancel_before_the_first_wait },
	{ "scope_kill_before_the_first_wait", scope_kill_before_the_first_wait },
	{ "scope_destroy", scope_destroy_many },
	{ "scope_from_inside", scope_destroyed_from_inside },
	{ "scope_refused_in_nmi", refused_in_nmi },
	{ "scope_bad_arguments", bad_arguments },
	{}
};
