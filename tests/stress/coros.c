// SPDX-License-Identifier: GPL-2.0-only
/*
 * coros.c - coroutines that await at random, and others who spawn, wake and stop them
 * from every context.
 *
 * Each await must end in one of the ways that it may end; each frame keeps a pattern that
 * only its own coroutine knows, over all awaits; each coroutine is destroyed once.
 *
 * References stand on pegs. A peg is claimed with one compare-and-exchange, as a place
 * on the shelf is, and what is claimed nobody else takes: an NMI, which must not drop a
 * reference, puts it back where it was.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>

#include "stress.h"

#define PEGS 64
#define EVENTS 16
#define CHANNELS 4
#define LIVE_MAX 192	/* of the big scope */
#define MEMBERS 3
#define WORDS 4

struct walker {
	struct kcoro_coro co;
	struct stress_rng rng;
	u64 ticket;
	u64 pattern[WORDS];
	struct kcoro_timer timer;
	u64 ns;
	s64 value;
	struct kcoro_event *event;
	struct kcoro_channel *channel;
	struct kcoro_coro *other;
	struct kcoro_group group;
	struct kcoro_member members[MEMBERS];
	struct kcoro_timer member_timer;
	u8 left;	/* awaits */
};

enum { PEG_EMPTY, PEG_CLAIMED, PEG_FULL };

static struct peg {
	atomic_t state;
	struct kcoro_coro *co;
} pegs[PEGS];

static struct kcoro_scope *scope;
static struct kcoro_event events[EVENTS];
static struct kcoro_channel channels[CHANNELS];
static s64 slots[CHANNELS][8];
static atomic64_t tickets = ATOMIC64_INIT(1);
static atomic64_t created, destroyed;

static u64 word_of(const struct walker *me, u32 i)
{
	return (me->ticket * 0x9e3779b97f4a7c15ULL ^ (unsigned long)me) + i;
}

static void check_pattern(const struct walker *me, const char *when)
{
	u32 i;

	for (i = 0; i < WORDS; i++)
		if (READ_ONCE(me->pattern[i]) != word_of(me, i))
			stress_error("coroutine: its frame was changed, seen at its %s", when);
}

/* How an await with a timeout may end: a value from @least on, its timeout, a stop. */
static bool check_await(const struct walker *me, const char *what, long got, s64 least)
{
	check_pattern(me, what);
	if (got == -ETIMEDOUT || got == -ECANCELED)
		return true;
	/* The macros see to a kill before we get here. */
	if (got < least)
		stress_error("coroutine: %s gave %ld", what, got);
	return false;
}

static void choose(struct walker *me)
{
	me->ns = stress_below(&me->rng, 2 * NSEC_PER_MSEC);
	me->event = &events[stress_below(&me->rng, EVENTS)];
	me->channel = &channels[stress_below(&me->rng, CHANNELS)];
	me->value = (s64)stress_random(&me->rng) << 8 | (me->channel - channels);
}

static struct kcoro_coro *spawn(struct kcoro_scope *into, struct stress_rng *rng, struct peg *peg);

/* A group of all three sorts, any one of which ends it. */
static long begin_group(struct walker *me)
{
	kcoro_group_begin(&me->group, &me->co, 1 + stress_below(&me->rng, MEMBERS));
	return kcoro_group_add_event(&me->group, &me->members[0], me->event) ?:
	       kcoro_group_add_receive(&me->group, &me->members[1], me->channel) ?:
	       kcoro_group_add_timer(&me->group, &me->members[2], &me->member_timer, me->ns);
}

static long walk(struct kcoro_coro *co)
{
	struct walker *me = container_of(co, struct walker, co);
	bool stopped = false;
	long got;

	KCORO_BEGIN(co);
	check_pattern(me, "start");
	while (me->left) {
		me->left--;
		choose(me);
		switch (stress_below(&me->rng, 8)) {
		case 0:
			goto yields;
		case 1:
			goto sleeps;
		case 2:
			goto sends;
		case 3:
			goto receives;
		case 4:
			goto joins;
		case 5:
			goto several;
		default:
			goto waits;
		}
yields:
		KCORO_YIELD();
		check_pattern(me, "yield");
		continue;
sleeps:
		KCORO_AWAIT(got, kcoro_timer_await_range(co, &me->timer, me->ns, 100));
		stopped = check_await(me, "timer", got, 0);
		goto next;
sends:
		KCORO_AWAIT(got, kcoro_channel_send_await(co, me->channel, me->value, &me->timer,
							  me->ns));
		stopped = check_await(me, "send", got, 0);
		goto next;
receives:
		KCORO_AWAIT(got, kcoro_channel_receive_await(co, me->channel, &me->value,
							     &me->timer, me->ns));
		stopped = check_await(me, "receive", got, 0);
		if (!stopped && (me->value & 0xff) != me->channel - channels)
			stress_error("coroutine: a channel gave what was sent to another");
		goto next;
joins:
		if (me->other) {
			kcoro_coro_put(me->other);
			me->other = NULL;
		}
		me->other = spawn(scope, &me->rng, NULL);
		if (!me->other)
			continue;
		KCORO_AWAIT(got, kcoro_coro_join(co, me->other, &me->timer, me->ns));
		stopped = check_await(me, "join", got, 0);
		goto next;
several:
		got = begin_group(me);
		if (got)
			stress_error("coroutine: a member of a group was refused: %ld", got);
		KCORO_AWAIT(got, kcoro_group_await(co, &me->group, me->members, &me->timer,
						   NSEC_PER_MSEC));
		stopped = check_await(me, "group", got, 0);
		goto next;
waits:
		KCORO_AWAIT(got, kcoro_event_await_timeout(co, me->event, &me->timer, me->ns));
		stopped = check_await(me, "event", got, 0);
		if (!stopped && got != me->event - events)
			stress_error("coroutine: an event gave the value of another");
next:
		/* Of those that are asked to end some go on, and are killed at the next await. */
		if (stopped && kcoro_coro_stopping(co) && stress_below(&me->rng, 2))
			KCORO_RETURN(kcoro_coro_stopping(co));
		if (co->desc->flags & KCORO_DESC_SLEEPS && !stress_below(&me->rng, 4))
			usleep_range(10, 200);
	}
	KCORO_END(0);
}

static void walker_destroy(struct kcoro_coro *co)
{
	struct walker *me = container_of(co, struct walker, co);

	check_pattern(me, "end");
	if (me->other)
		kcoro_coro_put(me->other);
	/* A second destruction, or a resumption, finds this. */
	me->pattern[0] = 0;
	atomic64_inc(&destroyed);
}

#define DESC(executor_, flags_)								\
	{										\
		.owner = THIS_MODULE, .name = "stress", .frame_size = sizeof(struct walker), \
		.executor = (executor_), .flags = (flags_), .resume = walk,		\
		.destroy = walker_destroy,						\
	}

static const struct kcoro_desc descs[] = {
	DESC(KCORO_EXECUTOR_SOFTIRQ, 0),
	DESC(KCORO_EXECUTOR_WORKER, 0),
	DESC(KCORO_EXECUTOR_WORKER, KCORO_DESC_SLEEPS),
};

/* Not started: the caller's, or a reference besides. */
static struct kcoro_coro *create(struct kcoro_scope *into, struct stress_rng *rng)
{
	u32 i, which = stress_below(rng, ARRAY_SIZE(descs));
	struct kcoro_coro *co = kcoro_coro_create(into, &descs[which]);
	struct walker *me;

	if (IS_ERR(co)) {
		long err = PTR_ERR(co);

		if (err != -EAGAIN && err != -ENOMEM && err != -ETIMEDOUT &&
		    err != -ESHUTDOWN)
			stress_error("coroutine: its creation gave %ld", err);
		if (err == -ENOMEM)
			stress_pool_failed_coro();
		atomic64_inc(&stress_events[STRESS_COROS_REFUSED]);
		return NULL;
	}
	me = container_of(co, struct walker, co);
	me->ticket = atomic64_inc_return(&tickets);
	me->rng.state = me->ticket * 0x9e3779b97f4a7c15ULL | 1;
	me->left = 1 + stress_below(rng, 16);
	for (i = 0; i < WORDS; i++)
		me->pattern[i] = word_of(me, i);
	if (!stress_below(rng, 4) &&
	    kcoro_coro_pin(co, stress_below(rng, num_possible_cpus())))
		stress_error("coroutine: it could not be pinned");
	atomic64_inc(&created);
	return co;
}

/* On @peg, which is claimed, or with a reference for the caller. */
static struct kcoro_coro *spawn(struct kcoro_scope *into, struct stress_rng *rng, struct peg *peg)
{
	struct kcoro_coro *co = create(into, rng);

	if (!co)
		return NULL;
	kcoro_coro_get(co);
	if (peg)
		peg->co = co;
	kcoro_coro_start(co);
	return co;
}

static void use_peg(struct stress_rng *rng)
{
	struct peg *peg = &pegs[stress_below(rng, PEGS)];

	if (atomic_cmpxchg(&peg->state, PEG_EMPTY, PEG_CLAIMED) == PEG_EMPTY) {
		struct kcoro_coro *co = spawn(scope, rng, peg);

		atomic_set_release(&peg->state, co ? PEG_FULL : PEG_EMPTY);
		return;
	}
	if (atomic_cmpxchg(&peg->state, PEG_FULL, PEG_CLAIMED) != PEG_FULL)
		return;
	switch (stress_below(rng, 4)) {
	case 0:
		kcoro_coro_cancel(peg->co);
		break;
	case 1:
		kcoro_coro_kill(peg->co);
		break;
	default:
		kcoro_coro_wake(peg->co);
		break;
	}
	/* Those that have finished make room. */
	if (!in_nmi() && (kcoro_coro_status(peg->co) >= KCORO_STATUS_DONE ||
			  !stress_below(rng, 8))) {
		kcoro_coro_put(peg->co);
		atomic_set_release(&peg->state, PEG_EMPTY);
		return;
	}
	atomic_set_release(&peg->state, PEG_FULL);
}

static void use_channel(struct stress_rng *rng)
{
	u32 which = stress_below(rng, CHANNELS);
	s64 value = (s64)stress_random(rng) << 8 | which;
	int err;

	if (stress_below(rng, 2)) {
		err = kcoro_channel_send(&channels[which], value);
	} else {
		err = kcoro_channel_receive(&channels[which], &value);
		if (!err && (value & 0xff) != which)
			stress_error("channel: it gave what was sent to another");
	}
	if (err && err != -EAGAIN)
		stress_error("channel: %d", err);
}

void stress_coro_step(struct stress_rng *rng)
{
	u32 which = stress_below(rng, EVENTS);

	switch (stress_below(rng, 8)) {
	case 0:
	case 1:
	case 2:
		use_peg(rng);
		break;
	case 3:
		use_channel(rng);
		break;
	case 4:
		if (!in_nmi())
			kcoro_event_reset(&events[which]);
		break;
	default:
		kcoro_event_set_value(&events[which], which);
		break;
	}
}

/* In process context: a scope that lives for a moment. */
void stress_coro_scope(struct stress_rng *rng)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.limit = 4,
		.owner = THIS_MODULE,
		.name = "stress",
		.parent = scope,
		.timeout_ns = stress_below(rng, 2) ? 0 : NSEC_PER_MSEC,
	};
	struct kcoro_scope *inner = kcoro_scope_create(&attr);
	u32 i, n = stress_below(rng, 6);
	int err;

	if (IS_ERR(inner)) {
		if (PTR_ERR(inner) != -ENOMEM)
			stress_error("scope: its creation gave %ld", PTR_ERR(inner));
		return;
	}
	for (i = 0; i < n; i++) {
		struct kcoro_coro *co = create(inner, rng);

		if (!co)
			continue;
		/* Some are dropped before they ran. */
		if (!stress_below(rng, 8))
			kcoro_coro_put(co);
		else if (stress_below(rng, 2))
			kcoro_coro_start_here(co);
		else
			kcoro_coro_start(co);
	}
	switch (stress_below(rng, 4)) {
	case 0:
		kcoro_scope_cancel(inner);
		break;
	case 1:
		kcoro_scope_kill(inner);
		break;
	case 2:
		err = kcoro_scope_wait(inner, 30 * HZ);
		/* The end of the run is a signal to its threads. */
		if (err && !(err == -ERESTARTSYS && kthread_should_stop()))
			stress_error("scope: to wait for those in it gave %d", err);
		break;
	}
	if (kcoro_scope_destroy(inner))
		stress_error("scope: it was not destroyed");
	atomic64_inc(&stress_events[STRESS_SCOPES]);
}

int stress_coros_start(void)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .limit = LIVE_MAX, .owner = THIS_MODULE, .name = "stress",
	};
	u32 i;

	for (i = 0; i < EVENTS; i++)
		kcoro_event_init(&events[i], i & 1);
	for (i = 0; i < CHANNELS; i++)
		kcoro_channel_init(&channels[i], slots[i], i ? 1U << i >> 1 : 0);
	scope = kcoro_scope_create(&attr);
	return PTR_ERR_OR_ZERO(scope);
}

/* Everybody else has stopped. */
void stress_coros_stop(void)
{
	u32 i;

	for (i = 0; i < PEGS; i++)
		if (atomic_xchg(&pegs[i].state, PEG_EMPTY) == PEG_FULL)
			kcoro_coro_put(pegs[i].co);
	if (kcoro_scope_destroy(scope))
		stress_error("scope: the big one was not destroyed");
	for (i = 0; i < EVENTS; i++)
		kcoro_event_flush(&events[i]);
	atomic64_set(&stress_events[STRESS_COROS], atomic64_read(&created));
	if (atomic64_read(&created) != atomic64_read(&destroyed))
		stress_error("coroutine: %lld were created, and %lld destroyed",
			     atomic64_read(&created), atomic64_read(&destroyed));
}
