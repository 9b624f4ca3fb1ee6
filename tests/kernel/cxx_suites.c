// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxx_suites.c - tests of the C++ library, the same files as in user space, on the core's queues:
 * tests/cxx/kernel has what they need for that.
 *
 * A test runs in a thread that is bound to a CPU, with bottom halves off: coroutines run when it
 * settles. Then a coroutine of ours yields so often that all that are ready, and those that they
 * wake, have had their turns.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "coro.h"
#include "cxx_suites.h"

#define TURNS 100

struct barrier {
	struct kcoro_coro co;
	struct completion *over;
	int turns;
};

static struct kcoro_scope *barriers;
static int loops;	/* that a test has */

static long barrier_body(struct kcoro_coro *co)
{
	struct barrier *b = container_of(co, struct barrier, co);

	KCORO_BEGIN(co);
	while (b->turns--)
		KCORO_YIELD();
	complete(b->over);
	KCORO_END(0);
}

#define BARRIER(executor_)							\
	{									\
		.owner = THIS_MODULE, .name = "barrier",			\
		.frame_size = sizeof(struct barrier),				\
		.executor = (executor_), .resume = barrier_body,		\
	}

static const struct kcoro_desc barrier_desc[] = {
	BARRIER(KCORO_EXECUTOR_SOFTIRQ),
	BARRIER(KCORO_EXECUTOR_WORKER),
};

static void open(void)
{
	if (loops)
		local_bh_enable();
}

static void shut(void)
{
	if (loops)
		local_bh_disable();
}

struct kcoro_scope *kcoro_test_suite_begin(void)
{
	struct kcoro_scope *scope;

	open();
	scope = test_scope(0, 0);
	loops++;
	shut();
	return IS_ERR(scope) ? NULL : scope;
}

void kcoro_test_suite_end(struct kcoro_scope *scope)
{
	open();
	kcoro_scope_destroy(scope);
	loops--;
	shut();
}

void kcoro_test_suite_settle(int worker)
{
	DECLARE_COMPLETION_ONSTACK(over);
	struct kcoro_coro *co = kcoro_coro_create(barriers, &barrier_desc[worker]);

	if (IS_ERR(co)) {
		pr_err("kcoro_test: no barrier\n");
		return;
	}
	container_of(co, struct barrier, co)->over = &over;
	container_of(co, struct barrier, co)->turns = TURNS;
	kcoro_coro_start(co);
	open();
	wait_for_completion(&over);
	shut();
}

struct suite {
	int (*run)(void);
	int failed;
	struct completion over;
};

void *kcoro_test_suite_alloc(unsigned long size)
{
	return kmalloc(size, GFP_ATOMIC);
}

void kcoro_test_suite_free(void *memory)
{
	kfree(memory);
}

void kcoro_test_suite_no_memory(unsigned long size)
{
	unsigned int slot;

	pr_err("kcoro_test: no memory for %lu bytes of a test, preempt_count %x\n", size,
	       preempt_count());
	for (slot = 0; slot < KCORO_LEVELS * KCORO_CLASSES; slot++) {
		unsigned int level = slot / KCORO_CLASSES, cls = slot % KCORO_CLASSES;
		struct kcoro_frame_counters c;

		if (kcoro_pool_read(kcoro_pool_default(), level, cls, &c) || !c.failures)
			continue;
		pr_err("kcoro_test: level %u, class %u: refused by quota %llu slab %llu context %llu injected %llu\n",
		       level, cls, c.failed_quota, c.failed_slab, c.failed_context,
		       c.failed_injected);
	}
}

static int run_suite(void *arg)
{
	struct suite *suite = arg;

	suite->failed = suite->run();
	complete(&suite->over);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static int run_bound(int (*run)(void))
{
	struct suite suite = { .run = run };
	struct task_struct *thread;

	barriers = test_scope(0, 0);
	EXPECT(!IS_ERR(barriers));
	init_completion(&suite.over);
	thread = kthread_run_on_cpu(run_suite, &suite, cpumask_first(cpu_online_mask),
				    "kcoro_suite/%u");
	EXPECT(!IS_ERR(thread));
	wait_for_completion(&suite.over);
	kthread_stop(thread);
	EXPECT(!kcoro_scope_destroy(barriers));
	EXPECT(!suite.failed);
	return 0;
}

static int suite_task(void)
{
	return run_bound(kcoro_suite_task);
}

static int suite_frame(void)
{
	return run_bound(kcoro_suite_frame);
}

static int suite_spawn(void)
{
	return run_bound(kcoro_suite_spawn);
}

static int suite_event(void)
{
	return run_bound(kcoro_suite_event);
}

static int suite_when(void)
{
	return run_bound(kcoro_suite_when);
}

static int suite_rc_ptr(void)
{
	return run_bound(kcoro_suite_rc_ptr);
}

const struct kcoro_test_case kcoro_cxx_suite_cases[] = {
	{ "cxx_suite_task", suite_task },
	{ "cxx_suite_frame", suite_frame },
	{ "cxx_suite_spawn", suite_spawn },
	{ "cxx_suite_event", suite_event },
	{ "cxx_suite_when", suite_when },
	{ "cxx_suite_rc_ptr", suite_rc_ptr },
	{}
};
