// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_await.c - events, timers and groups: what an await gives, its timeout, its stop,
 * and that nobody knows the wait afterwards.
 */
#include "awaiter.h"

static bool nobody_waits(struct kcoro_event *event)
{
	return !event->added && list_empty(&event->waits);
}

/* Events. */
static long await_event(struct awaiter *w)
{
	return kcoro_event_await_timeout(&w->co, w->event, w->timeout, w->ns);
}

static int events(void)
{
	static struct kcoro_event event;
	struct awaiter *w[3];
	int i;

	/* Set before: no wait. It stays set. */
	kcoro_event_init(&event, false);
	kcoro_event_set_value(&event, 4);
	for (i = 0; i < 3; i++) {
		w[i] = create(await_event);
		EXPECT(w[i]);
		w[i]->event = &event;
		kcoro_coro_start(&w[i]->co);
		EXPECT(result(w[i]) == 4);
	}
	EXPECT(kcoro_event_reset(&event) && !kcoro_event_reset(&event));

	/* Set afterwards: all go on. */
	for (i = 0; i < 3; i++) {
		w[i] = create(await_event);
		EXPECT(w[i]);
		w[i]->event = &event;
		kcoro_coro_start(&w[i]->co);
	}
	for (i = 0; i < 3; i++)
		EXPECT(SUSPENDED(&w[i]->co));
	kcoro_event_set_value(&event, 5);
	for (i = 0; i < 3; i++)
		EXPECT(result(w[i]) == 5);

	/* One goes on for each set, the first that came; two sets without a waiter are one. */
	kcoro_event_init(&event, true);
	for (i = 0; i < 3; i++) {
		w[i] = create(await_event);
		EXPECT(w[i]);
		w[i]->event = &event;
		kcoro_coro_start(&w[i]->co);
		EXPECT(SUSPENDED(&w[i]->co));
	}
	kcoro_event_set_value(&event, 0);
	EXPECT(result(w[0]) == 0);
	EXPECT(SUSPENDED(&w[1]->co) && SUSPENDED(&w[2]->co));
	/* One that gives up makes no hole. */
	kcoro_coro_cancel(&w[1]->co);
	EXPECT(result(w[1]) == -ECANCELED);
	kcoro_event_set_value(&event, 9);
	EXPECT(result(w[2]) == 9);
	EXPECT(nobody_waits(&event));
	kcoro_event_set(&event);
	kcoro_event_set(&event);
	EXPECT(kcoro_event_reset(&event) && !kcoro_event_reset(&event));
	return 0;
}

static int event_timeout(void)
{
	static struct kcoro_event event;
	struct awaiter *w;

	kcoro_event_init(&event, false);
	w = create(await_event);
	EXPECT(w);
	w->event = &event;
	w->timeout = &w->timer;
	w->ns = NSEC_PER_MSEC;
	kcoro_coro_start(&w->co);
	EXPECT(result(w) == -ETIMEDOUT);
	EXPECT(nobody_waits(&event));

	w = create(await_event);
	EXPECT(w);
	w->event = &event;
	w->timeout = &w->timer;
	w->ns = 3600ULL * NSEC_PER_SEC;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	kcoro_event_set_value(&event, 2);
	EXPECT(result(w) == 2);
	return 0;
}

struct set_job {
	struct kcoro_event *event;
	s64 value;
};

static void set_there(void *arg)
{
	struct set_job *job = arg;

	kcoro_event_set_value(job->event, job->value);
}

static int event_levels(void)
{
	unsigned int level;

	for (level = 0; level < KCORO_LEVELS; level++) {
		static struct kcoro_event event;
		struct set_job job = { .event = &event, .value = level + 1 };
		struct awaiter *w = create(await_event);

		EXPECT(w);
		kcoro_event_init(&event, level & 1);
		w->event = &event;
		kcoro_coro_start(&w->co);
		EXPECT(SUSPENDED(&w->co));
		EXPECT(at_level(level, set_there, &job));
		EXPECT(result(w) == level + 1);
		kcoro_event_flush(&event);
	}
	return 0;
}

/* Timers. */
static long await_timer(struct awaiter *w)
{
	return kcoro_timer_await_range(&w->co, &w->timer, w->ns, 1000);
}

static int timers(void)
{
	struct awaiter *w = create(await_timer);
	ktime_t before = ktime_get();

	EXPECT(w);
	w->ns = 3 * NSEC_PER_MSEC;
	EXPECT(!kcoro_coro_pin(&w->co, cpumask_last(cpu_online_mask)));
	EXPECT(kcoro_coro_pin(&w->co, nr_cpu_ids) == -EINVAL);
	kcoro_coro_start(&w->co);
	EXPECT(result(w) == 0);
	EXPECT(ktime_to_ns(ktime_sub(ktime_get(), before)) >= 3 * NSEC_PER_MSEC);

	/* Longer than any machine runs, and stopped. */
	w = create(await_timer);
	EXPECT(w);
	w->ns = U64_MAX;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	kcoro_coro_cancel(&w->co);
	EXPECT(result(w) == -ECANCELED);
	return 0;
}

/* Groups: an event, a value from a channel, the end of a coroutine, a time. */
static long await_group(struct awaiter *w)
{
	long err = 0;

	if (!w->begun) {
		w->begun = true;
		kcoro_group_begin(&w->group, &w->co, w->some);
		err = kcoro_group_add_event(&w->group, &w->members[0], w->event) ?:
		      kcoro_group_add_receive(&w->group, &w->members[1], w->channel) ?:
		      kcoro_group_add_join(&w->group, &w->members[2], w->other) ?:
		      kcoro_group_add_timer(&w->group, &w->members[3], &w->member_timer, w->ns);
	}
	if (err)
		return err;
	return kcoro_group_await(&w->co, &w->group, w->members, w->timeout, 2 * NSEC_PER_MSEC);
}

struct group_case {
	struct kcoro_event event, other_event;
	struct kcoro_channel channel;
	struct awaiter *other, *group;
};

static int group_start(struct group_case *c, u32 some, u64 ns, bool timeout)
{
	kcoro_event_init(&c->event, true);
	/* Ready from the start: on a busy machine the timeout passes before we come to it. */
	if (timeout)
		kcoro_event_set(&c->event);
	kcoro_event_init(&c->other_event, false);
	kcoro_channel_init(&c->channel, NULL, 0);
	c->other = create(await_event);
	EXPECT(c->other);
	c->other->event = &c->other_event;
	kcoro_coro_start(&c->other->co);
	c->group = create(await_group);
	EXPECT(c->group);
	c->group->event = &c->event;
	c->group->channel = &c->channel;
	c->group->other = &c->other->co;
	c->group->some = some;
	c->group->ns = ns;
	c->group->timeout = timeout ? &c->group->timer : NULL;
	kcoro_coro_start(&c->group->co);
	EXPECT(SUSPENDED(&c->other->co));
	return 0;
}

static int group_end(struct group_case *c, s64 want, unsigned long ready)
{
	EXPECT(FINISHED(&c->group->co));
	EXPECT(c->group->group.ready == ready);
	EXPECT(result(c->group) == want);
	/* Nobody is known to its sources any more. */
	EXPECT(nobody_waits(&c->event) && list_empty(&c->channel.receivers));
	EXPECT(hlist_empty(&c->other->co.joiners));
	kcoro_coro_kill(&c->other->co);
	result(c->other);
	return 0;
}

static int groups(void)
{
	const u64 never = 3600ULL * NSEC_PER_SEC;
	static struct group_case c;
	s64 value;

	/* Any: the event. */
	EXPECT(!group_start(&c, 1, never, false) && SUSPENDED(&c.group->co));
	kcoro_event_set(&c.event);
	EXPECT(!group_end(&c, 1, BIT(0)));
	/* Any: the time. */
	EXPECT(!group_start(&c, 1, NSEC_PER_MSEC, false));
	EXPECT(!group_end(&c, 1, BIT(3)));
	/* Two of them: a value and the other's end. */
	EXPECT(!group_start(&c, 2, never, false) && SUSPENDED(&c.group->co));
	EXPECT(!kcoro_channel_send(&c.channel, 44));
	EXPECT(SUSPENDED(&c.group->co));
	EXPECT(c.group->members[1].wait.value == 44);
	kcoro_event_set(&c.other_event);
	EXPECT(!group_end(&c, 2, BIT(1) | BIT(2)));
	EXPECT(kcoro_channel_receive(&c.channel, &value) == -EAGAIN);
	/* All four. */
	EXPECT(!group_start(&c, 4, NSEC_PER_MSEC, false));
	EXPECT(SOON(READ_ONCE(c.group->group.ready) == BIT(3)));
	kcoro_event_set(&c.event);
	kcoro_event_set(&c.other_event);
	kcoro_channel_close(&c.channel);
	EXPECT(FINISHED(&c.group->co));
	EXPECT(c.group->members[1].wait.flags & KCORO_WAIT_BROKEN);
	EXPECT(!group_end(&c, 4, 15));
	/* The timeout of it all; one was ready. */
	EXPECT(!group_start(&c, 4, never, true));
	EXPECT(!group_end(&c, -ETIMEDOUT, BIT(0)));
	/* A stop, which is passed on to the one that is joined. */
	EXPECT(!group_start(&c, 4, never, false) && SUSPENDED(&c.group->co));
	kcoro_coro_cancel(&c.group->co);
	EXPECT(FINISHED(&c.other->co));
	EXPECT(kcoro_coro_status(&c.other->co) == KCORO_STATUS_CANCELLED);
	EXPECT(FINISHED(&c.group->co));
	EXPECT(kcoro_coro_result(&c.group->co) == -ECANCELED);
	kcoro_coro_put(&c.group->co);
	kcoro_coro_put(&c.other->co);
	/* Ready before it was begun. */
	EXPECT(!group_start(&c, 1, 0, false));
	EXPECT(!group_end(&c, 1, BIT(3)));
	return 0;
}

static int group_full(void)
{
	static struct kcoro_member members[KCORO_GROUP_MAX + 1];
	static struct kcoro_event event;
	struct kcoro_group group;
	struct awaiter *w = create(await_event);
	int i;

	EXPECT(w);
	kcoro_event_init(&event, false);
	kcoro_event_set(&event);
	kcoro_group_begin(&group, &w->co, KCORO_GROUP_MAX + 1);
	for (i = 0; i < KCORO_GROUP_MAX; i++)
		EXPECT(!kcoro_group_add_event(&group, &members[i], &event));
	EXPECT(kcoro_group_add_event(&group, &members[i], &event) == -ENOSPC);
	EXPECT(group.ready == ~0UL);
	kcoro_coro_put(&w->co);
	kcoro_coro_put(&w->co);
	return 0;
}

CASE(events)
CASE(event_timeout)
CASE(event_levels)
CASE(timers)
CASE(groups)
CASE(group_full)

const struct kcoro_test_case kcoro_coro_await_cases[] = {
	{ "await_events", run_events },
	{ "await_event_timeout", run_event_timeout },
	{ "await_event_levels", run_event_levels },
	{ "await_timers", run_timers },
	{ "await_groups", run_groups },
	{ "await_group_full", run_group_full },
	{}
};
