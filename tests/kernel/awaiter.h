/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * awaiter.h - for tests of awaits: one body makes the await that its frame names, and
 * returns what that gave.
 *
 * What is awaited is static in the cases: one that fails leaves its coroutines to end(),
 * which stops them.
 */
#ifndef KCORO_TEST_AWAITER_H
#define KCORO_TEST_AWAITER_H

#include <linux/completion.h>
#include <linux/wait.h>

#include "coro.h"

#define MEMBERS 4

struct awaiter {
	struct kcoro_coro co;
	long (*await)(struct awaiter *w);
	struct kcoro_timer timer;
	struct kcoro_timer member_timer;
	struct kcoro_timer *timeout;	/* &timer, or NULL */
	u64 ns;
	struct kcoro_event *event;
	struct kcoro_channel *channel;
	struct kcoro_coro *other;
	s64 value;
	struct kcoro_group group;
	struct kcoro_member members[MEMBERS];
	bool begun;
	u32 some;
	struct kcoro_queue_wait queue_wait;
	struct wait_queue_head *queue;
	bool *condition;
	struct kcoro_call call;
	struct completion *completion;
	int rounds;
};

static struct kcoro_scope *scope;

static long body(struct kcoro_coro *co)
{
	struct awaiter *w = container_of(co, struct awaiter, co);
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, w->await(w));
	KCORO_END(got);
}

static const struct kcoro_desc desc = {
	.owner = THIS_MODULE,
	.name = "awaiter",
	.frame_size = sizeof(struct awaiter),
	.resume = body,
};

/* Created with a reference for the test, not started. */
static inline struct awaiter *create(long (*await)(struct awaiter *w))
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &desc);
	struct awaiter *w;

	if (IS_ERR(co))
		return NULL;
	w = container_of(kcoro_coro_get(co), struct awaiter, co);
	w->await = await;
	return w;
}

/* Its result, when it has finished; and the reference goes. */
static inline s64 result(struct awaiter *w)
{
	s64 got = FINISHED(&w->co) ? kcoro_coro_result(&w->co) : -EINPROGRESS;

	kcoro_coro_put(&w->co);
	return got;
}

static inline int begin(void)
{
	scope = test_scope(0, 0);
	return IS_ERR(scope) ? __LINE__ : 0;
}

static inline int end(int line)
{
	int err = kcoro_scope_destroy(scope);

	return line ?: err ? __LINE__ : 0;
}

#define CASE(name)				\
	static int run_##name(void)		\
	{					\
		int line = begin();		\
						\
		return line ?: end(name());	\
	}

#endif /* KCORO_TEST_AWAITER_H */
