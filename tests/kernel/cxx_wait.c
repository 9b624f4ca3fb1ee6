// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxx_wait.c - drives the body in C++ of cxx_waits.cc through all that the core has to await:
 * in each way to wait, on each executor, woken, late, cancelled, killed, and raced.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/wait.h>

#include <kcoro/cxx.h>

#include "coro.h"
#include "cxx_wait.h"

#define KEY 77

/* What is awaited; static, for a case that fails leaves its coroutines to the next one's end. */
static struct kcoro_scope *scope, *others;
static struct kcoro_event event, other_event;
static struct kcoro_channel channel;
static struct kcoro_table *table;
static struct kcoro_coro *other;
static DECLARE_WAIT_QUEUE_HEAD(head);
static struct completion may_return;
static int condition, calls;

static int get_condition(void)
{
	return READ_ONCE(condition);
}

static long call(void)
{
	WRITE_ONCE(calls, calls + 1);
	wait_for_completion(&may_return);
	return 7;
}

struct joined {
	struct kcoro_coro co;
};

static long joined_body(struct kcoro_coro *co)
{
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await(co, &other_event));
	KCORO_END(got);
}

static const struct kcoro_desc joined_desc = {
	.owner = THIS_MODULE,
	.name = "joined",
	.frame_size = sizeof(struct joined),
	.resume = joined_body,
};

static int end(void)
{
	int err;

	complete_all(&may_return);
	err = kcoro_scope_destroy(scope);
	kcoro_coro_put(other);
	err = kcoro_scope_destroy(others) ?: err;
	if (!IS_ERR_OR_NULL(table))
		kcoro_table_release(table);
	scope = NULL;
	others = NULL;
	other = NULL;
	table = NULL;
	return err;
}

static int begin(void)
{
	const struct kcoro_table_attr attr = {
		.key_size = 4, .frame_size = 64, .max_entries = 8, .name = "cxx_wait",
	};

	scope = test_scope(0, 0);
	others = test_scope(0, 0);
	kcoro_event_init(&event, true);
	kcoro_event_init(&other_event, false);
	kcoro_channel_init(&channel, NULL, 0);
	init_completion(&may_return);
	condition = 0;
	calls = 0;
	table = kcoro_table_create(&attr);
	other = kcoro_coro_create(others, &joined_desc);
	if (IS_ERR(table) || IS_ERR(other))
		return -ENOMEM;
	kcoro_coro_get(other);
	kcoro_coro_start(other);
	return 0;
}

static struct cxx_wait what_of(int queue, enum cxx_source source, enum cxx_way way, u64 ns)
{
	return (struct cxx_wait){
		.queue = queue, .source = source, .way = way, .ns = ns, .rounds = 1,
		.event = &event, .channel = &channel, .other = other,
		.table = kcoro_table_id(table), .key = KEY,
		.head = &head, .condition = get_condition, .sleeps = call,
	};
}

static bool event_has_waiters(void)
{
	struct kcoro_wait *added = READ_ONCE(event.added);

	return (added && added != KCORO_EVENT_SET) || !list_empty(&event.waits);
}

/* Does somebody wait there? */
static bool is_awaited(enum cxx_source source)
{
	const u32 key = KEY;

	switch (source) {
	case CXX_EVENT:
		return event_has_waiters();
	case CXX_RECEIVE:
		return !list_empty(&channel.receivers);
	case CXX_SEND:
		return !list_empty(&channel.senders);
	case CXX_JOIN:
		return !hlist_empty(&other->joiners);
	case CXX_KEY:
		return kcoro_key_status(kcoro_table_id(table), &key, 4) >= 0;
	case CXX_HELD:
		return kcoro_key_status(kcoro_table_id(table), &key, 4) == KCORO_STATUS_SUSPENDED;
	case CXX_QUEUE:
		return waitqueue_active(&head);
	default:
		return READ_ONCE(calls);
	}
}

/* What is awaited comes; 0: somebody has it, or will find it. */
static int come(enum cxx_source source)
{
	const u32 key = KEY;
	s64 value;

	switch (source) {
	case CXX_EVENT:
		kcoro_event_set_value(&event, 7);
		return 0;
	case CXX_RECEIVE:
		return kcoro_channel_send(&channel, 7);
	case CXX_SEND:
		return kcoro_channel_receive(&channel, &value) ?: (value == 5 ? 0 : -EBADMSG);
	case CXX_JOIN:
		kcoro_event_set_value(&other_event, 7);
		return 0;
	case CXX_KEY:
	case CXX_HELD:
		return kcoro_key_wake(kcoro_table_id(table), &key, 4, 7);
	case CXX_QUEUE:
		WRITE_ONCE(condition, 7);
		wake_up(&head);
		return 0;
	default:
		complete(&may_return);
		return 0;
	}
}

static s64 value_of(enum cxx_source source)
{
	return source == CXX_SEND ? 0 : 7;
}

#define HOUR (3600ULL * NSEC_PER_SEC)

static int woken(int queue, enum cxx_source source, enum cxx_way way)
{
	const struct cxx_wait what = what_of(queue, source, way, HOUR);
	struct cxx_waited seen = {};

	EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
	EXPECT(SOON(is_awaited(source)));
	/* Nothing has come: it does not go on. */
	if (source == CXX_QUEUE) {
		wake_up(&head);
		wake_up(&head);
		EXPECT(SOON(is_awaited(source)));
	}
	EXPECT(!seen.over);
	EXPECT(!come(source));
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.result == value_of(source) && seen.destroyed == 1);
	EXPECT(!is_awaited(source) || source == CXX_CALL);
	return 0;
}

static int late(int queue, enum cxx_source source, enum cxx_way way)
{
	const struct cxx_wait what = what_of(queue, source, way, 2 * NSEC_PER_MSEC);
	struct cxx_waited seen = {};

	EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
	if (source == CXX_CALL) {
		/* Its function has to return first; what it gives is there then, and counts. */
		EXPECT(SOON(is_awaited(source)));
		msleep(20);
		EXPECT(!seen.over);
		EXPECT(!come(source));
	}
	kcoro_cxx_wait(&seen.over);
	if (source == CXX_CALL)
		EXPECT(seen.result == -ETIMEDOUT || seen.result == 7);
	else
		EXPECT(seen.result == -ETIMEDOUT && !is_awaited(source));
	EXPECT(seen.destroyed == 1);
	return 0;
}

/* @kills: its frames are destroyed where it waits; else it is told, once. */
static int stopped(int queue, enum cxx_source source, enum cxx_way way, bool kills)
{
	const struct cxx_wait what = what_of(queue, source, way, HOUR);
	struct cxx_waited seen = { .result = 1 };

	EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
	EXPECT(SOON(is_awaited(source)));
	if (kills)
		kcoro_scope_kill(scope);
	else
		kcoro_scope_cancel(scope);
	if (source == CXX_CALL) {
		msleep(20);
		EXPECT(!seen.over);
		EXPECT(!come(source));
	}
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.destroyed == 1);
	if (kills)
		EXPECT(seen.result == 1);
	else if (source == CXX_CALL)
		EXPECT(seen.result == 7 || seen.result == -ECANCELED);
	else
		EXPECT(seen.result == -ECANCELED);
	EXPECT(!is_awaited(source) || source == CXX_CALL);
	return 0;
}

static int cancelled(int queue, enum cxx_source source, enum cxx_way way)
{
	return stopped(queue, source, way, false);
}

static int killed(int queue, enum cxx_source source, enum cxx_way way)
{
	return stopped(queue, source, way, true);
}

/* It is there already: nobody waits. */
static int there(int queue, enum cxx_source source, enum cxx_way way)
{
	const struct cxx_wait what = what_of(queue, source, way, HOUR);
	struct cxx_waited seen = {};

	/* These give only to who is there. */
	if (source == CXX_RECEIVE || source == CXX_SEND || source == CXX_KEY || source == CXX_HELD)
		return 0;
	EXPECT(!come(source));
	EXPECT(source != CXX_JOIN || FINISHED(other));
	EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.result == 7 && seen.destroyed == 1);
	return 0;
}

/* A source's sources and ways; where it fails is told by the line of @run. */
static int each(int (*run)(int queue, enum cxx_source source, enum cxx_way way))
{
	int queue, source, way, line = 0;

	for (source = 0; source < CXX_SOURCES && !line; source++) {
		for (way = 0; way < CXX_WAYS && !line; way++) {
			if (way == CXX_ALONE && run == late)
				continue;
			for (queue = 0; queue < 3 && !line; queue++) {
				line = begin() ? __LINE__ : run(queue, source, way);
				if (end() && !line)
					line = __LINE__;
				if (line)
					pr_err("kcoro_test: cxx_wait: queue %d source %d way %d: line %d\n",
					       queue, source, way, line);
			}
		}
	}
	return line;
}

static int waits_woken(void)
{
	return each(woken);
}

static int waits_late(void)
{
	return each(late);
}

static int waits_cancelled(void)
{
	return each(cancelled);
}

static int waits_killed(void)
{
	return each(killed);
}

static int waits_there(void)
{
	return each(there);
}

/* What is awaited goes: the errno of each. */
static int broken(int queue, enum cxx_source source, enum cxx_way way)
{
	const struct cxx_wait what = what_of(queue, source, way, HOUR);
	struct cxx_waited seen = {};
	s64 error;

	EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
	EXPECT(SOON(is_awaited(source)));
	switch (source) {
	case CXX_RECEIVE:
	case CXX_SEND:
		kcoro_channel_close(&channel);
		error = -EPIPE;
		break;
	case CXX_KEY:
	case CXX_HELD:
		kcoro_table_release(table);
		table = NULL;
		error = -ESTALE;
		break;
	case CXX_QUEUE:
		wake_up_poll(&head, EPOLLHUP | POLLFREE);
		error = -ENOENT;
		break;
	case CXX_JOIN:
		kcoro_coro_cancel(other);
		error = -ECANCELED;
		break;
	default:
		/* An event and a function do not go. */
		come(source);
		error = 7;
	}
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.result == error && seen.destroyed == 1);
	return 0;
}

static int waits_broken(void)
{
	return each(broken);
}

/* Another CPU cancels while this one lets come: one of the two counts, and nothing is lost. */
static atomic_t go;

static int canceller(void *unused)
{
	while (!kthread_should_stop()) {
		if (!atomic_read_acquire(&go)) {
			cpu_relax();
			cond_resched();
			continue;
		}
		ndelay(get_random_u32_below(2000));
		kcoro_scope_cancel(scope);
		atomic_set_release(&go, 0);
	}
	return 0;
}

static int race(int queue, enum cxx_source source, enum cxx_way way)
{
	const struct cxx_wait what = what_of(queue, source, way, HOUR);
	int i;

	for (i = 0; i < 50; i++) {
		struct cxx_waited seen = {};
		int came, given;

		EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
		EXPECT(SOON(is_awaited(source)));
		atomic_set_release(&go, 1);
		ndelay(get_random_u32_below(2000));
		came = come(source);
		kcoro_cxx_wait(&seen.over);
		EXPECT(SOON(!atomic_read(&go)));
		EXPECT(seen.destroyed == 1 && !is_awaited(source));
		EXPECT(seen.result == value_of(source) || seen.result == -ECANCELED);
		given = seen.result == value_of(source);
		/* Who was told that it has the value has it, and nobody else. */
		if (source == CXX_EVENT)
			EXPECT(given == !kcoro_event_reset(&event));
		else if (source == CXX_RECEIVE || source == CXX_SEND || source == CXX_KEY)
			EXPECT(given == !came);
		condition = 0;
	}
	return 0;
}

static int waits_race(void)
{
	static const enum cxx_source sources[] = { CXX_EVENT, CXX_RECEIVE, CXX_SEND, CXX_KEY,
						   CXX_QUEUE };
	struct task_struct *partner;
	int i, queue, way, line = 0;

	atomic_set(&go, 0);
	partner = kthread_run_on_cpu(canceller, NULL, cpumask_last(cpu_online_mask),
				     "kcoro_cxx_race/%u");
	EXPECT(!IS_ERR(partner));
	for (i = 0; i < ARRAY_SIZE(sources) && !line; i++) {
		for (way = 0; way < CXX_WAYS && !line; way++) {
			for (queue = 0; queue < 3 && !line; queue++) {
				line = begin() ? __LINE__ : race(queue, sources[i], way);
				SOON(!atomic_read(&go));
				if (end() && !line)
					line = __LINE__;
				if (line)
					pr_err("kcoro_test: cxx_wait: race at queue %d source %d way %d: line %d\n",
					       queue, sources[i], way, line);
			}
		}
	}
	kthread_stop(partner);
	return line;
}

/* Two that hand values to each other, one of them in C, and many in a row. */
static int waits_rounds(void)
{
	struct cxx_wait what;
	struct cxx_waited seen = {};
	int i, err = 0;

	EXPECT(!begin());
	what = what_of(0, CXX_HELD, CXX_ALONE, 0);
	what.rounds = 1000;
	EXPECT(!kcoro_test_cxx_wait(scope, &what, &seen));
	EXPECT(SOON(seen.began));
	for (i = 0; i < 1000; i++)
		while ((err = come(CXX_HELD)) == -ENOSPC)
			usleep_range(10, 20);
	EXPECT(!err);
	kcoro_cxx_wait(&seen.over);
	EXPECT(seen.rounds == 1000 && seen.result == 7);
	EXPECT(!end());
	return 0;
}

const struct kcoro_test_case kcoro_cxx_wait_cases[] = {
	{ "cxx_wait_woken", waits_woken },
	{ "cxx_wait_there", waits_there },
	{ "cxx_wait_late", waits_late },
	{ "cxx_wait_cancelled", waits_cancelled },
	{ "cxx_wait_killed", waits_killed },
	{ "cxx_wait_broken", waits_broken },
	{ "cxx_wait_race", waits_race },
	{ "cxx_wait_rounds", waits_rounds },
	{}
};
