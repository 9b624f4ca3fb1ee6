// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_race.c - two that meet: wakes against awaits, timeouts, cancels and ends, from
 * two CPUs at once; CPUs that go; bodies that need one another.
 *
 * Each race is run many times, with delays that change a little each time, so that the
 * two sides pass one another in every order.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/random.h>

#include "coro.h"

#define ROUNDS 1000

struct racer {
	struct kcoro_coro co;
	struct kcoro_event *event;
	struct kcoro_timer timer;
	struct kcoro_coro *other;
	u64 ns;
	int spins;
	int rounds;
};

static struct kcoro_scope *scope;
static atomic_t went_on;
static atomic_t destroyed;

static void destroy(struct kcoro_coro *co)
{
	atomic_inc(&destroyed);
}

static struct kcoro_coro *start(const struct kcoro_desc *desc, struct kcoro_event *event, int spins)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, desc);

	if (IS_ERR(co))
		return co;
	container_of(co, struct racer, co)->event = event;
	container_of(co, struct racer, co)->spins = spins;
	kcoro_coro_get(co);
	kcoro_coro_start(co);
	return co;
}

static void spin(int n)
{
	while (n-- > 0)
		cpu_relax();
}

/* A thread on the other CPU, or on any if there is one, that does its part of each round. */
struct partner {
	void (*act)(struct partner *p);
	struct kcoro_event *event;
	struct kcoro_coro *co;
	atomic_t go;		/* a round is to be done */
	bool stop;
	int spins;
};

static int partner_fn(void *arg)
{
	struct partner *p = arg;

	while (!kthread_should_stop()) {
		if (!atomic_read_acquire(&p->go)) {
			cpu_relax();
			cond_resched();
			continue;
		}
		spin(p->spins);
		p->act(p);
		atomic_set_release(&p->go, 0);
	}
	return 0;
}

static struct task_struct *partner_start(struct partner *p)
{
	return kthread_run_on_cpu(partner_fn, p, cpumask_last(cpu_online_mask), "kcoro_race/%u");
}

static void partner_go(struct partner *p, struct kcoro_coro *co, int spins)
{
	p->co = co;
	p->spins = spins;
	atomic_set_release(&p->go, 1);
}

static bool partner_done(struct partner *p)
{
	int i;

	for (i = 0; i < 10000000 && atomic_read_acquire(&p->go); i++) {
		cpu_relax();
		if (!(i & 1023))
			cond_resched();
	}
	return !atomic_read(&p->go);
}

static void set_event(struct partner *p)
{
	kcoro_event_set(p->event);
}

static void cancel(struct partner *p)
{
	kcoro_coro_cancel(p->co);
}

static void kill(struct partner *p)
{
	kcoro_coro_kill(p->co);
}

/* Goes on each time the event is set, as often as that is. */
static long follower(struct kcoro_coro *co)
{
	struct racer *r = container_of(co, struct racer, co);
	long got;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(got, kcoro_event_await(co, r->event));
		if (got)
			break;
		atomic_inc(&went_on);
	}
	KCORO_END(got);
}

#define DESC(name_, body, exec, flags_)						\
	static const struct kcoro_desc name_ = {				\
		.owner = THIS_MODULE, .name = #name_, .frame_size = sizeof(struct racer), \
		.executor = KCORO_EXECUTOR_##exec, .flags = (flags_), .resume = body, \
		.destroy = destroy,						\
	}

DESC(follower_desc, follower, SOFTIRQ, 0);
DESC(follower_worker_desc, follower, WORKER, 0);

/*
 * Wake before, during and after the await, by two: not one may be lost. The coroutine
 * and one waker are on one CPU, the other waker on another one.
 */
static int no_wake_is_lost(const struct kcoro_desc *desc)
{
	static struct kcoro_event event;
	struct partner p = { .act = set_event, .event = &event };
	struct task_struct *task;
	struct kcoro_coro *co;
	int i, line = 0;

	kcoro_event_init(&event, true);
	atomic_set(&went_on, 0);
	co = start(desc, &event, 0);
	EXPECT(!IS_ERR(co));
	task = partner_start(&p);
	EXPECT(!IS_ERR(task));
	for (i = 0; i < ROUNDS && !line; i++) {
		int before = atomic_read(&went_on);

		partner_go(&p, co, i % 61);
		spin(i % 53);
		kcoro_event_set(&event);
		/* Two sets wake twice, or once when they met; and then none is left. */
		if (!partner_done(&p) || !SOON(atomic_read(&went_on) > before))
			line = __LINE__;
		if (!SOON(READ_ONCE(event.added) && event.added != KCORO_EVENT_SET))
			line = __LINE__;
		if (atomic_read(&went_on) > before + 2)
			line = __LINE__;
	}
	kthread_stop(task);
	kcoro_coro_kill(co);
	EXPECT(FINISHED(co));
	kcoro_coro_put(co);
	return line;
}

static long once(struct kcoro_coro *co)
{
	struct racer *r = container_of(co, struct racer, co);
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await_timeout(co, r->event, r->ns ? &r->timer : NULL, r->ns));
	KCORO_END(got ?: 1);
}

DESC(once_desc, once, SOFTIRQ, 0);

/* One side sets the event, the other cancels or kills, or the time passes. */
static int set_against(void (*act)(struct partner *p), u64 ns, s64 other_result)
{
	static struct kcoro_event event;
	struct partner p = { .act = act, .event = &event };
	struct task_struct *task = partner_start(&p);
	int i, line = 0, set = 0;

	EXPECT(!IS_ERR(task));
	for (i = 0; i < ROUNDS && !line; i++) {
		struct kcoro_coro *co = kcoro_coro_create(scope, &once_desc);
		s64 got;

		if (IS_ERR(co)) {
			line = __LINE__;
			break;
		}
		kcoro_event_init(&event, i & 1);
		container_of(co, struct racer, co)->event = &event;
		container_of(co, struct racer, co)->ns = ns ? ns + i % 7 * 1000 : 0;
		kcoro_coro_get(co);
		if (i & 2)
			kcoro_coro_start(co);
		partner_go(&p, co, i % 97);
		if (!(i & 2))
			kcoro_coro_start(co);
		spin(i % 89);
		kcoro_event_set(&event);
		if (!partner_done(&p) || !FINISHED(co)) {
			line = __LINE__;
			break;
		}
		got = kcoro_coro_result(co);
		set += got == 1;
		if (got != 1 && got != other_result)
			line = __LINE__;
		if (!list_empty(&event.waits) || (event.added && event.added != KCORO_EVENT_SET))
			line = __LINE__;
		kcoro_coro_put(co);
	}
	kthread_stop(task);
	pr_info("kcoro_test: the event was first in %d of %d\n", set, i);
	return line;
}

static int wakes(void)
{
	return no_wake_is_lost(&follower_desc) ?: no_wake_is_lost(&follower_worker_desc);
}

static int set_against_cancel(void)
{
	return set_against(cancel, 0, -ECANCELED);
}

static int set_against_kill(void)
{
	return set_against(kill, 0, -EINTR);
}

static int set_against_timeout(void)
{
	return set_against(set_event, 20000, -ETIMEDOUT);
}

/* Ends at once; somebody joins it meanwhile, from another CPU's side. */
static long short_lived(struct kcoro_coro *co)
{
	spin(container_of(co, struct racer, co)->spins);
	return 3;
}

DESC(short_desc, short_lived, WORKER, 0);

static long joiner(struct kcoro_coro *co)
{
	struct racer *r = container_of(co, struct racer, co);
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_coro_join(co, r->other, NULL, 0));
	KCORO_END(err ?: kcoro_coro_result(r->other));
}

DESC(joiner_desc, joiner, SOFTIRQ, 0);

static int join_against_end(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct kcoro_coro *other = kcoro_coro_create(scope, &short_desc);
		struct kcoro_coro *co = kcoro_coro_create(scope, &joiner_desc);

		EXPECT(!IS_ERR(other) && !IS_ERR(co));
		container_of(other, struct racer, co)->spins = i % 101;
		container_of(co, struct racer, co)->other = kcoro_coro_get(other);
		kcoro_coro_pin(other, cpumask_last(cpu_online_mask));
		kcoro_coro_get(co);
		kcoro_coro_start(other);
		spin(i % 103);
		kcoro_coro_start(co);
		EXPECT(FINISHED(co));
		EXPECT(kcoro_coro_result(co) == 3);
		kcoro_coro_put(other);
		kcoro_coro_put(co);
	}
	return 0;
}

/* Drops what may be the last reference but its own, in its own resume. */
static long drops(struct kcoro_coro *co)
{
	kcoro_coro_put(co);
	atomic_inc(&went_on);
	return 0;
}

DESC(drops_desc, drops, SOFTIRQ, 0);

static int last_reference_inside(void)
{
	int i;

	atomic_set(&went_on, 0);
	for (i = 0; i < 100; i++) {
		struct kcoro_coro *co = kcoro_coro_create(scope, &drops_desc);

		EXPECT(!IS_ERR(co));
		kcoro_coro_get(co);
		kcoro_coro_start(co);
	}
	EXPECT(SOON(atomic_read(&went_on) == 100));
	return 0;
}

/* One in the scope spawns others on and on, while the scope is destroyed. */
static long nothing(struct kcoro_coro *co)
{
	return 0;
}

DESC(nothing_desc, nothing, SOFTIRQ, 0);

static long spawns(struct kcoro_coro *co)
{
	KCORO_BEGIN(co);
	while (!kcoro_coro_spawn(co->scope, &nothing_desc, NULL, 0)) {
		atomic_inc(&went_on);
		KCORO_YIELD();
	}
	KCORO_END(0);
}

DESC(spawns_desc, spawns, WORKER, 0);

static int destroy_against_spawn(void)
{
	struct kcoro_scope *inner;
	int i;

	for (i = 0; i < 20; i++) {
		inner = test_scope(0, 0);
		EXPECT(!IS_ERR(inner));
		atomic_set(&went_on, 0);
		atomic_set(&destroyed, 0);
		EXPECT(!kcoro_coro_spawn(inner, &spawns_desc, NULL, 0));
		EXPECT(!kcoro_coro_spawn(inner, &spawns_desc, NULL, 0));
		EXPECT(SOON(atomic_read(&went_on) > i));
		EXPECT(!kcoro_scope_destroy(inner));
		EXPECT(atomic_read(&destroyed) == atomic_read(&went_on) + 2);
	}
	return 0;
}

/* A body that sleeps until one that is queued on the same CPU lets it go on. */
static DECLARE_COMPLETION(needed);

static long needs(struct kcoro_coro *co)
{
	wait_for_completion(&needed);
	atomic_inc(&went_on);
	return 0;
}

static long gives(struct kcoro_coro *co)
{
	complete(&needed);
	return 0;
}

DESC(needs_desc, needs, WORKER, KCORO_DESC_SLEEPS);
DESC(gives_desc, gives, WORKER, 0);

static int sleeper_needs_queued(void)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);
	struct kcoro_coro *co;
	int i;

	atomic_set(&went_on, 0);
	for (i = 0; i < 8; i++) {
		co = kcoro_coro_create(scope, &needs_desc);
		EXPECT(!IS_ERR(co));
		kcoro_coro_pin(co, cpu);
		kcoro_coro_start(co);
	}
	for (i = 0; i < 8; i++) {
		co = kcoro_coro_create(scope, &gives_desc);
		EXPECT(!IS_ERR(co));
		kcoro_coro_pin(co, cpu);
		kcoro_coro_start(co);
	}
	EXPECT(SOON(atomic_read(&went_on) == 8));
	return 0;
}

/* Queued and woken on a CPU that goes, and while it is gone. */
static int cpu_goes(void)
{
	static const struct kcoro_desc *const descs[] = { &follower_desc, &follower_worker_desc };
	unsigned int cpu = cpumask_last(cpu_online_mask), d;
	static struct kcoro_event event;
	struct kcoro_coro *co;
	int i, before;

	if (num_online_cpus() < 2 || !IS_ENABLED(CONFIG_HOTPLUG_CPU))
		return 0;
	for (d = 0; d < ARRAY_SIZE(descs); d++) {
		kcoro_event_init(&event, true);
		co = kcoro_coro_create(scope, descs[d]);
		EXPECT(!IS_ERR(co));
		container_of(co, struct racer, co)->event = &event;
		kcoro_coro_pin(co, cpu);
		kcoro_coro_start(kcoro_coro_get(co));
		for (i = 0; i < 3; i++) {
			before = atomic_read(&went_on);
			kcoro_event_set(&event);
			EXPECT(!remove_cpu(cpu));
			EXPECT(SOON(atomic_read(&went_on) > before));
			before = atomic_read(&went_on);
			kcoro_event_set(&event);
			EXPECT(SOON(atomic_read(&went_on) > before));
			EXPECT(!add_cpu(cpu));
			before = atomic_read(&went_on);
			kcoro_event_set(&event);
			EXPECT(SOON(atomic_read(&went_on) > before));
		}
		kcoro_coro_kill(co);
		EXPECT(FINISHED(co));
		kcoro_coro_put(co);
	}
	return 0;
}

/* Cancelled and killed while it runs, and while it is queued. */
static long yields_on(struct kcoro_coro *co)
{
	KCORO_BEGIN(co);
	for (;;)
		KCORO_YIELD();
	KCORO_END(0);
}

DESC(yields_desc, yields_on, WORKER, 0);

static int kill_running(void)
{
	int i;

	for (i = 0; i < 200; i++) {
		struct kcoro_coro *co = start(&yields_desc, NULL, 0);

		EXPECT(!IS_ERR(co));
		spin(i * 7 % 500);
		/* A body that only yields does not see a cancel: it awaits nothing. */
		kcoro_coro_cancel(co);
		kcoro_coro_kill(co);
		EXPECT(FINISHED(co));
		EXPECT(kcoro_coro_status(co) == KCORO_STATUS_KILLED ||
		       kcoro_coro_status(co) == KCORO_STATUS_CANCELLED);
		kcoro_coro_put(co);
	}
	return 0;
}

/* Every case in a scope of its own; what is created is destroyed. */
static int in_scope(int (*run)(void))
{
	int line;

	scope = test_scope(0, 0);
	EXPECT(!IS_ERR(scope));
	line = run();
	EXPECT(!kcoro_scope_destroy(scope));
	return line;
}

#define CASE(name)				\
	static int race_##name(void)		\
	{					\
		return in_scope(name);		\
	}
CASE(wakes)
CASE(set_against_cancel)
CASE(set_against_kill)
CASE(set_against_timeout)
CASE(join_against_end)
CASE(last_reference_inside)
CASE(destroy_against_spawn)
CASE(sleeper_needs_queued)
CASE(cpu_goes)
CASE(kill_running)

const struct kcoro_test_case kcoro_coro_race_cases[] = {
	{ "race_wakes", race_wakes },
	{ "race_cancel", race_set_against_cancel },
	{ "race_kill", race_set_against_kill },
	{ "race_timeout", race_set_against_timeout },
	{ "race_join", race_join_against_end },
	{ "race_last_reference", race_last_reference_inside },
	{ "race_destroy", race_destroy_against_spawn },
	{ "race_sleeper", race_sleeper_needs_queued },
	{ "race_cpu_goes", race_cpu_goes },
	{ "race_kill_running", race_kill_running },
	{}
};
