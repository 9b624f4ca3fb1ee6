// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro.c - coroutines in a scope and a pool of their own, with any allocation refused:
 * who was not created is missed by nobody, and the others come to their ends.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "scenario.h"

#define PARENTS 3

/* One that spawns another where it runs, joins it, and is told its result. */
struct parent {
	struct kcoro_coro co;
	struct kcoro_coro *child;
};

struct child {
	struct kcoro_coro co;
	struct kcoro_timer timer;
};

static struct kcoro_scope *scope;
static struct kcoro_event go;
static atomic_t destroyed, answers, refused;

static void count_destroyed(struct kcoro_coro *co)
{
	atomic_inc(&destroyed);
}

static long child_body(struct kcoro_coro *co)
{
	struct child *me = container_of(co, struct child, co);
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_event_await_timeout(co, &go, &me->timer, 60ULL * NSEC_PER_SEC));
	KCORO_END(err ?: 42);
}

static const struct kcoro_desc child_desc = {
	.owner = THIS_MODULE, .name = "child", .frame_size = sizeof(struct child),
	.resume = child_body, .destroy = count_destroyed,
};

static long parent_body(struct kcoro_coro *co)
{
	struct parent *me = container_of(co, struct parent, co);
	struct kcoro_coro *child;
	long err;

	KCORO_BEGIN(co);
	child = kcoro_coro_create(scope, &child_desc);
	if (IS_ERR(child)) {
		atomic_inc(&refused);
		KCORO_RETURN(PTR_ERR(child));
	}
	me->child = kcoro_coro_get(child);
	kcoro_coro_start(child);
	KCORO_AWAIT(err, kcoro_coro_join(co, me->child, NULL, 0));
	if (kcoro_coro_result(me->child) == 42)
		atomic_inc(&answers);
	KCORO_END(err);
}

static void parent_destroy(struct kcoro_coro *co)
{
	struct parent *me = container_of(co, struct parent, co);

	if (me->child)
		kcoro_coro_put(me->child);
	count_destroyed(co);
}

static const struct kcoro_desc parent_desc = {
	.owner = THIS_MODULE, .name = "parent", .frame_size = sizeof(struct parent),
	.resume = parent_body, .destroy = parent_destroy,
};

static const struct kcoro_desc parent_on_worker_desc = {
	.owner = THIS_MODULE, .name = "parent", .frame_size = sizeof(struct parent),
	.executor = KCORO_EXECUTOR_WORKER, .resume = parent_body, .destroy = parent_destroy,
};

/* Those that were created are started; how many. */
static int spawn_parents(void)
{
	int i, started = 0;

	for (i = 0; i < PARENTS; i++) {
		int err = kcoro_coro_spawn(scope, i & 1 ? &parent_on_worker_desc : &parent_desc,
					   NULL, 0);

		if (!err)
			started++;
		else if (err == -ENOMEM)
			atomic_inc(&refused);
		else
			return err;
	}
	return started;
}

static int use_scope(void)
{
	int started, born;

	kcoro_event_init(&go, false);
	atomic_set(&destroyed, 0);
	atomic_set(&answers, 0);
	atomic_set(&refused, 0);
	started = spawn_parents();
	EXPECT(started >= 0);
	kcoro_event_set(&go);
	EXPECT(!kcoro_scope_wait(scope, 30 * HZ));
	/* A parent whose child was refused was born, and answered nobody. */
	born = started + atomic_read(&answers);
	EXPECT(atomic_read(&destroyed) == born);
	EXPECT(atomic_read(&answers) + atomic_read(&refused) == PARENTS);
	return atomic_read(&refused) ? -ENOMEM : 0;
}

int faults_coro(void)
{
	static const struct kcoro_pool_attr pool_attr = {
		.size = sizeof(pool_attr), .name = "faults",
	};
	struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "faults",
		.timeout_ns = 60ULL * NSEC_PER_SEC,
	};
	struct kcoro_pool *pool = kcoro_pool_create(&pool_attr);
	struct faults_sum sum;
	int err;

	if (IS_ERR(pool)) {
		EXPECT(PTR_ERR(pool) == -ENOMEM);
		return -ENOMEM;
	}
	attr.pool = pool;
	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope)) {
		err = PTR_ERR(scope);
	} else {
		err = use_scope();
		kcoro_scope_destroy(scope);
	}
	sum = faults_sum(pool);
	kcoro_pool_destroy(pool);
	EXPECT(sum.live == 0);
	return err;
}
