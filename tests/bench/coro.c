// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro.c - what coroutines take: to yield, to be spawned, to be woken, to hand values
 * on, to sleep; and beside it what the kernel's own ways take for the like.
 *
 *   here     the waker runs what it wakes, before it returns
 *   kick     64 are woken with bottom halves off; the softirq runs them when they are on
 *   cold     the same with a single one
 *   alone    one coroutine; hot: 64 of them
 *   crowd    as here, while very many others are suspended (crowd=N)
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include <kcoro/kcoro.h>

#include "../../kmod/compat.h"

#include "bench.h"

#define MANY BENCH_PAIRS

static unsigned int crowd = 100000;
module_param(crowd, uint, 0444);
MODULE_PARM_DESC(crowd, "coroutines that are suspended meanwhile, in pattern crowd (default 100000)");

static struct kcoro_scope *scope;
struct kcoro_event bench_events[MANY];
static struct kcoro_event never;
static struct kcoro_channel channel;
static s64 channel_slots[MANY];
static unsigned int yields;
static atomic_t ended;

/* One that awaits its event again and again; then yields, sends, receives or sleeps. */
struct looper {
	struct kcoro_coro co;
	struct kcoro_event *event;
	struct kcoro_timer timer;
	unsigned int i;
	s64 value;
};

static struct bench_batch *timed;

/* With @timed the last one counts, from its first run to its last: all yield in between. */
static long yield_body(struct kcoro_coro *co)
{
	struct looper *me = container_of(co, struct looper, co);
	long got;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(got, kcoro_event_await(co, me->event));
		if (got)
			break;
		if (timed && me->event == &bench_events[MANY - 1])
			bench_begin(timed);
		for (me->i = 0; me->i < yields; me->i++)
			KCORO_YIELD();
		if (timed && me->event == &bench_events[MANY - 1])
			bench_end(timed);
	}
	KCORO_END(0);
}

static long send_body(struct kcoro_coro *co)
{
	struct looper *me = container_of(co, struct looper, co);
	long got;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(got, kcoro_event_await(co, me->event));
		if (got)
			break;
		for (me->i = 0; me->i < MANY; me->i++) {
			KCORO_AWAIT(got, kcoro_channel_send_await(co, &channel, me->i, NULL, 0));
			if (got)
				KCORO_RETURN(got);
		}
	}
	KCORO_END(0);
}

static long receive_body(struct kcoro_coro *co)
{
	struct looper *me = container_of(co, struct looper, co);
	long got;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(got, kcoro_channel_receive_await(co, &channel, &me->value, NULL, 0));
		if (got)
			break;
		atomic_inc(&ended);
	}
	KCORO_END(0);
}

static ktime_t expires;
static struct completion all_slept;

/* Sleeps until the moment that was set, and ends the count when it is the last one. */
static long sleep_body(struct kcoro_coro *co)
{
	struct looper *me = container_of(co, struct looper, co);
	long got;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(got, kcoro_event_await(co, me->event));
		if (got)
			break;
		KCORO_AWAIT(got, kcoro_timer_await(co, &me->timer,
						   ktime_to_ns(ktime_sub(expires, ktime_get()))));
		if (atomic_inc_return(&ended) == MANY) {
			bench_end(timed);
			complete(&all_slept);
		}
	}
	KCORO_END(0);
}

static long empty_body(struct kcoro_coro *co)
{
	return 0;
}

#define DESC(name_, body, size)							\
	static const struct kcoro_desc name_ = {				\
		.owner = THIS_MODULE, .name = #name_, .frame_size = (size),	\
		.executor = KCORO_EXECUTOR_SOFTIRQ, .resume = body,		\
	}

DESC(yielder, yield_body, sizeof(struct looper));
DESC(sender, send_body, sizeof(struct looper));
DESC(receiver, receive_body, sizeof(struct looper));
DESC(sleeper, sleep_body, sizeof(struct looper));
DESC(nothing, empty_body, sizeof(struct kcoro_coro));

static int start(const struct kcoro_desc *desc, struct kcoro_event *event)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, desc);

	if (IS_ERR(co))
		return PTR_ERR(co);
	if (desc->frame_size >= sizeof(struct looper))
		container_of(co, struct looper, co)->event = event;
	kcoro_coro_start_here(co);
	return 0;
}

static void teardown(void)
{
	kcoro_scope_destroy(scope);
}

static int setup(const struct bench_entry *e, const struct kcoro_desc *desc, unsigned int n)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "bench",
	};
	unsigned int i;
	int err = 0;

	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	atomic_set(&ended, 0);
	for (i = 0; i < n && !err; i++) {
		kcoro_event_init(&bench_events[i], true);
		err = start(desc, &bench_events[i]);
	}
	if (err)
		teardown();
	return err;
}

static int setup_nothing(const struct bench_entry *e)
{
	return setup(e, NULL, 0);
}

static int setup_one(const struct bench_entry *e)
{
	yields = MANY;
	return setup(e, &yielder, 1);
}

static int setup_many(const struct bench_entry *e)
{
	yields = 2;
	return setup(e, &yielder, MANY);
}

static int setup_waiters(const struct bench_entry *e)
{
	yields = 0;
	return setup(e, &yielder, MANY);
}

/* Those beside are in the same scope, of the same class, and on the same lists. */
static int setup_crowd(const struct bench_entry *e)
{
	unsigned int i;
	int err = setup_waiters(e);

	if (err)
		return err;
	kcoro_event_init(&never, true);
	for (i = 0; i < crowd && !err; i++) {
		err = start(&yielder, &never);
		cond_resched();
	}
	if (err)
		teardown();
	return err;
}

static int setup_sleepers(const struct bench_entry *e)
{
	init_completion(&all_slept);
	return setup(e, &sleeper, MANY);
}

static int setup_channel(const struct bench_entry *e)
{
	int err;

	kcoro_channel_init(&channel, channel_slots, strcmp(e->pattern, "buffered") ? 0 : MANY);
	err = setup(e, &sender, 1);
	if (err)
		return err;
	err = start(&receiver, NULL);
	if (err)
		teardown();
	return err;
}

/* One yields 64 times. */
static bool yield_alone(struct bench_batch *b)
{
	bench_begin(b);
	kcoro_event_set_here(&bench_events[0], 0);
	bench_end(b);
	return true;
}

/* 64 yield twice each; counted by one of them, when all are awake. */
static bool yield_among(struct bench_batch *b)
{
	unsigned int i;

	timed = b;
	local_bh_disable();
	for (i = 0; i < MANY; i++)
		kcoro_event_set(&bench_events[i]);
	local_bh_enable();
	timed = NULL;
	return true;
}

bool bench_wake_here(struct bench_batch *b)
{
	unsigned int i;

	bench_begin(b);
	for (i = 0; i < MANY; i++)
		kcoro_event_set_here(&bench_events[i], 0);
	bench_end(b);
	return true;
}

bool bench_wake_kick(struct bench_batch *b)
{
	unsigned int i;

	bench_begin(b);
	local_bh_disable();
	for (i = 0; i < MANY; i++)
		kcoro_event_set(&bench_events[i]);
	local_bh_enable();
	bench_end(b);
	return true;
}

bool bench_wake_cold(struct bench_batch *b)
{
	bench_begin(b);
	local_bh_disable();
	kcoro_event_set(&bench_events[0]);
	local_bh_enable();
	bench_end(b);
	return true;
}

static bool spawn_here(struct bench_batch *b)
{
	unsigned int i;
	bool ok = true;

	bench_begin(b);
	for (i = 0; i < MANY; i++) {
		struct kcoro_coro *co = kcoro_coro_create(scope, &nothing);

		if (IS_ERR(co)) {
			ok = false;
			break;
		}
		kcoro_coro_start_here(co);
	}
	bench_end(b);
	return ok;
}

static bool spawn_kick(struct bench_batch *b)
{
	unsigned int i;
	bool ok = true;

	bench_begin(b);
	local_bh_disable();
	for (i = 0; i < MANY; i++) {
		struct kcoro_coro *co = kcoro_coro_create(scope, &nothing);

		if (IS_ERR(co)) {
			ok = false;
			break;
		}
		kcoro_coro_start(co);
	}
	local_bh_enable();
	bench_end(b);
	return ok;
}

static bool hand_on(struct bench_batch *b)
{
	int before = atomic_read(&ended);

	bench_begin(b);
	kcoro_event_set_here(&bench_events[0], 0);
	bench_end(b);
	return atomic_read(&ended) == before + MANY;
}

/* The first timer that expires begins the count: it was started first, at the same time. */
static enum hrtimer_restart begin_count(struct hrtimer *timer)
{
	bench_begin(timed);
	return HRTIMER_NORESTART;
}

static bool sleep_together(struct bench_batch *b)
{
	static struct hrtimer first;
	unsigned int i;

	atomic_set(&ended, 0);
	reinit_completion(&all_slept);
	timed = b;
	expires = ktime_add_us(ktime_get(), 1000);
	kcoro_hrtimer_setup(&first, begin_count, HRTIMER_MODE_ABS_HARD);
	hrtimer_start(&first, expires, HRTIMER_MODE_ABS_HARD);
	for (i = 0; i < MANY; i++)
		kcoro_event_set_here(&bench_events[i], 0);
	wait_for_completion(&all_slept);
	timed = NULL;
	return true;
}

/* The kernel's own. */
static struct work_struct work;
static struct workqueue_struct *bh_wq;
static DECLARE_COMPLETION(worked);
static unsigned int ran;

static void work_done(struct work_struct *unused)
{
	complete(&worked);
}

static void work_counted(struct work_struct *unused)
{
	ran++;
}

static int setup_work(const struct bench_entry *e)
{
	INIT_WORK(&work, work_done);
	return 0;
}

static int setup_bh(const struct bench_entry *e)
{
	bh_wq = alloc_workqueue("kcoro_bench_bh", WQ_BH | KCORO_WQ_PERCPU, 0);
	INIT_WORK(&work, work_counted);
	return bh_wq ? 0 : -ENOMEM;
}

static void teardown_bh(void)
{
	destroy_workqueue(bh_wq);
}

static bool work_round_trip(struct bench_batch *b)
{
	bench_begin(b);
	queue_work(kcoro_percpu_wq, &work);
	wait_for_completion(&worked);
	bench_end(b);
	return true;
}

static bool bh_cold(struct bench_batch *b)
{
	unsigned int before = ran;

	bench_begin(b);
	local_bh_disable();
	queue_work(bh_wq, &work);
	local_bh_enable();
	bench_end(b);
	return ran == before + 1;
}

static struct tasklet_struct tasklet;

static void tasklet_counted(struct tasklet_struct *unused)
{
	ran++;
}

static int setup_tasklet(const struct bench_entry *e)
{
	tasklet_setup(&tasklet, tasklet_counted);
	return 0;
}

static bool tasklet_cold(struct bench_batch *b)
{
	unsigned int before = ran;

	bench_begin(b);
	local_bh_disable();
	tasklet_schedule(&tasklet);
	local_bh_enable();
	bench_end(b);
	return ran == before + 1;
}

static struct task_struct *thread;
static bool stop_thread;
static DECLARE_COMPLETION(go);

static int answer(void *unused)
{
	for (;;) {
		wait_for_completion(&go);
		if (stop_thread)
			break;
		complete(&worked);
	}
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static int setup_thread(const struct bench_entry *e)
{
	stop_thread = false;
	thread = kthread_run_on_cpu(answer, NULL, raw_smp_processor_id(), "kcoro_answer/%u");
	return PTR_ERR_OR_ZERO(thread);
}

static void teardown_thread(void)
{
	stop_thread = true;
	complete(&go);
	kthread_stop(thread);
}

static bool thread_round_trip(struct bench_batch *b)
{
	bench_begin(b);
	complete(&go);
	wait_for_completion(&worked);
	bench_end(b);
	return true;
}

#define ROW(op, pat, n, set, run_)						\
	{									\
		.subject = "kcoro", .operation = op, .pattern = pat, .pairs = (n), \
		.levels = BENCH_TASK, .setup = set, .teardown = teardown, .run = run_, \
	}

const struct bench_entry bench_coro[] = {
	ROW("yield_resume", "alone", MANY, setup_one, yield_alone),
	ROW("yield_resume", "hot", 2 * MANY, setup_many, yield_among),
	ROW("spawn_finish", "here", MANY, setup_nothing, spawn_here),
	ROW("spawn_finish", "kick", MANY, setup_nothing, spawn_kick),
	ROW("event_wake", "here", MANY, setup_waiters, bench_wake_here),
	ROW("event_wake", "kick", MANY, setup_waiters, bench_wake_kick),
	ROW("event_wake", "cold", 1, setup_waiters, bench_wake_cold),
	ROW("spawn_finish", "crowd", MANY, setup_crowd, spawn_here),
	ROW("event_wake", "crowd", MANY, setup_crowd, bench_wake_here),
	ROW("channel", "buffered", MANY, setup_channel, hand_on),
	ROW("channel", "rendezvous", MANY, setup_channel, hand_on),
	ROW("timer", "burst", MANY, setup_sleepers, sleep_together),
	{
		.subject = "workqueue_bh", .operation = "event_wake", .pattern = "cold", .pairs = 1,
		.levels = BENCH_TASK, .setup = setup_bh, .teardown = teardown_bh, .run = bh_cold,
	},
	{
		.subject = "tasklet", .operation = "event_wake", .pattern = "cold", .pairs = 1,
		.levels = BENCH_TASK, .setup = setup_tasklet, .run = tasklet_cold,
	},
	{
		.subject = "workqueue", .operation = "event_wake", .pattern = "round_trip",
		.pairs = 1, .levels = BENCH_TASK, .setup = setup_work, .run = work_round_trip,
	},
	{
		.subject = "kthread", .operation = "event_wake", .pattern = "round_trip",
		.pairs = 1, .levels = BENCH_TASK, .setup = setup_thread,
		.teardown = teardown_thread, .run = thread_round_trip,
	},
	{}
};
