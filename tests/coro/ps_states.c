// SPDX-License-Identifier: GPL-2.0-only
/*
 * ps_states.c - one coroutine in each state that `kcoro ps` can show, until the module is
 * unloaded: scope "states" has all but one, "inner" is in it and has a chain; "cxx" has
 * those of ps_cxx.cc.
 */
#include <linux/completion.h>
#include <linux/wait.h>

#include "ps_test.h"

struct state {
	struct kcoro_coro co;
	struct kcoro_coro *other;
	struct kcoro_timer timer;
	struct kcoro_call call;
	struct kcoro_queue_wait queue_wait;
	struct kcoro_group group;
	struct kcoro_member members[3];
	s64 value;
};

static struct kcoro_scope *states, *inner, *cxx;
static bool with_cxx;
module_param(with_cxx, bool, 0444);
MODULE_PARM_DESC(with_cxx, "coroutines in C++, too");
static unsigned long ticks;
module_param(ticks, ulong, 0444);
MODULE_PARM_DESC(ticks, "of a coroutine in C++ that counts them");
static struct kcoro_event never;
static struct kcoro_channel full, empty;
static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_COMPLETION(let_go);

#define STATE(coro) container_of(coro, struct state, co)
#define LONG_NS (1000ULL * NSEC_PER_SEC)

static long on_event(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_event_await(co, &never));
	KCORO_END(err);
}

static long on_timer(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_timer_await(co, &STATE(co)->timer, LONG_NS));
	KCORO_END(err);
}

static long on_send(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_channel_send_await(co, &full, 1, NULL, 0));
	KCORO_END(err);
}

static long on_receive(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_channel_receive_await(co, &empty, &STATE(co)->value, NULL, 0));
	KCORO_END(err);
}

static long on_join(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_coro_join(co, STATE(co)->other, NULL, 0));
	KCORO_END(err);
}

static long on_group(struct kcoro_coro *co)
{
	struct state *s = STATE(co);
	long err;

	KCORO_BEGIN(co);
	kcoro_group_begin(&s->group, co, 1);
	kcoro_group_add_event(&s->group, &s->members[0], &never);
	kcoro_group_add_join(&s->group, &s->members[1], s->other);
	kcoro_group_add_timer(&s->group, &s->members[2], &s->timer, LONG_NS);
	KCORO_AWAIT(err, kcoro_group_await(co, &s->group, s->members, NULL, 0));
	KCORO_END(err);
}

static long on_queue(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_WAIT_EVENT(err, co, &STATE(co)->queue_wait, &queue, false, NULL, 0);
	KCORO_END(err);
}

static long wait_let_go(void *unused)
{
	/* Idle: on a slow kernel it is for minutes, and no hung task. */
	wait_for_completion_state(&let_go, TASK_IDLE);
	return 0;
}

static long on_call(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_call_await(co, &STATE(co)->call, wait_let_go, NULL));
	KCORO_END(err);
}

/* Runs, as far as kcoro knows. */
static long sleeps(struct kcoro_coro *co)
{
	return wait_let_go(NULL);
}

static long own_await(struct kcoro_coro *co)
{
	return kcoro_coro_stopping(co) ?: KCORO_WAIT;
}

static long on_own(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, own_await(co));
	KCORO_END(err);
}

/* Was told to end, and goes on. */
static long cancelled(struct kcoro_coro *co)
{
	struct state *s = STATE(co);
	long err;

	KCORO_BEGIN(co);
	kcoro_coro_cancel(co);
	/* Does not end when it is asked: as with a worker's function. */
	KCORO_AWAIT(err, kcoro_coro_is_killed(co) ? -EINTR : KCORO_WAIT);
	s->value = err;
	KCORO_END(err);
}

static void put_other(struct kcoro_coro *co)
{
	kcoro_coro_put(STATE(co)->other);
}

#define DESC(function, ...)				\
	static const struct kcoro_desc function##_desc = {	\
		.owner = THIS_MODULE,			\
		.name = #function,			\
		.frame_size = sizeof(struct state),	\
		.resume = function,			\
		.destroy = put_other,			\
		__VA_ARGS__				\
	}

DESC(on_event);
DESC(on_timer);
DESC(on_send);
DESC(on_receive);
DESC(on_join);
DESC(on_group);
DESC(on_queue);
DESC(on_call);
DESC(on_own);
DESC(cancelled);
DESC(sleeps, .flags = KCORO_DESC_SLEEPS, .executor = KCORO_EXECUTOR_WORKER);

static const struct kcoro_desc long_name_desc = {
	.owner = THIS_MODULE,
	.name = "a_name_that_is_longer_than_what_is_told",
	.frame_size = sizeof(struct state),
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = on_event,
};

/* With a reference for who awaits it; takes the one to @other. */
static struct kcoro_coro *start(struct kcoro_scope *scope, const struct kcoro_desc *desc,
				struct kcoro_coro *other, bool keep)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, desc);

	if (IS_ERR(co)) {
		kcoro_coro_put(other);
		return NULL;
	}
	STATE(co)->other = other;
	if (keep)
		kcoro_coro_get(co);
	kcoro_coro_start(co);
	return co;
}

/* One that waits on the other CPU, if there is one. */
static int start_pinned(void)
{
	struct kcoro_coro *co = kcoro_coro_create(states, &on_event_desc);

	if (IS_ERR(co))
		return PTR_ERR(co);
	kcoro_coro_pin(co, nr_cpu_ids - 1);
	kcoro_coro_start(co);
	return 0;
}

static int start_all(void)
{
	static const struct kcoro_desc *const alone[] = {
		&on_event_desc, &on_timer_desc, &on_send_desc, &on_receive_desc, &on_queue_desc,
		&on_call_desc, &on_own_desc, &cancelled_desc, &sleeps_desc, &long_name_desc,
	};
	struct kcoro_coro *leaf, *middle;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(alone); i++)
		if (!start(states, alone[i], NULL, false))
			return -ENOMEM;
	/* A chain of three, and a group that awaits one more. */
	leaf = start(inner, &on_timer_desc, NULL, true);
	middle = start(inner, &on_join_desc, leaf, true);
	if (!leaf || !middle || !start(inner, &on_join_desc, middle, false))
		return -ENOMEM;
	leaf = start(inner, &on_event_desc, NULL, true);
	if (!leaf || !start(inner, &on_group_desc, leaf, false))
		return -ENOMEM;
	return start_pinned() ?: (with_cxx ? ps_cxx_start(cxx, &ticks) : 0);
}

static void stop_all(void)
{
	complete_all(&let_go);
	kcoro_scope_destroy(states);
	kcoro_scope_destroy(cxx);
}

static int __init ps_test_init(void)
{
	int err;

	churn_init();
	kcoro_event_init(&never, false);
	kcoro_channel_init(&full, NULL, 0);
	kcoro_channel_init(&empty, NULL, 0);
	states = ps_scope("states", NULL, 100);
	if (IS_ERR(states))
		return PTR_ERR(states);
	inner = ps_scope("inner", states, 0);
	cxx = ps_scope("cxx", NULL, 0);
	err = PTR_ERR_OR_ZERO(inner) ?: PTR_ERR_OR_ZERO(cxx) ?: start_all();
	if (err)
		stop_all();
	return err;
}

static void __exit ps_test_exit(void)
{
	churn_stop();
	stop_all();
}

module_init(ps_test_init);
module_exit(ps_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Coroutines in known states, to be listed");
