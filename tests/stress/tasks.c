// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks.c - kthreads, one per possible CPU but not bound to it: what they do
 * themselves, in every mood of process context, and whom they set off.
 *
 * They sleep often: emulated CPUs are few and slow, and others shall run too.
 */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "stress.h"

#define TASKS 4

static struct task {
	struct task_struct *thread;
	struct stress_rng rng;
} tasks[TASKS];

static void steps(enum stress_actor actor, struct stress_rng *rng, u32 n)
{
	while (n--)
		stress_step(actor, rng);
}

static void in_some_mood(struct stress_rng *rng)
{
	u32 n = 1 + stress_below(rng, 8);
	unsigned long flags;

	switch (stress_below(rng, 8)) {
	case 0:
		preempt_disable();
		steps(STRESS_preempt_off, rng, n);
		preempt_enable();
		break;
	case 1:
		local_bh_disable();
		steps(STRESS_bh_off, rng, n);
		local_bh_enable();
		break;
	case 2:
		local_irq_save(flags);
		steps(STRESS_irqs_off, rng, n);
		local_irq_restore(flags);
		break;
	case 3:
		rcu_read_lock();
		steps(STRESS_rcu, rng, n);
		rcu_read_unlock();
		break;
	default:
		steps(STRESS_kthread, rng, n);
		break;
	}
}

/* Counters only grow, in whatever order the CPUs are read. */
static void read_counters(struct kcoro_frame_counters *last, struct stress_rng *rng)
{
	u32 level = stress_below(rng, KCORO_LEVELS), cls = stress_below(rng, KCORO_CLASSES);
	struct kcoro_frame_counters now, *before = &last[level * KCORO_CLASSES + cls];

	if (kcoro_pool_read(kcoro_pool_default(), level, cls, &now))
		stress_error("read: refused");
	if (now.allocs < before->allocs || now.frees < before->frees ||
	    now.alloc_misses < before->alloc_misses || now.free_misses < before->free_misses ||
	    now.refills < before->refills || now.drains < before->drains ||
	    now.deferred < before->deferred || now.failures < before->failures)
		stress_error("read: a counter of level %u, class %u went back", level, cls);
	*before = now;
	atomic64_inc(&stress_events[STRESS_COUNTERS_READ]);
}

static void set_reserve(struct stress_rng *rng)
{
	struct stress_pool *pool = stress_pool_get(rng);

	if (!pool)
		return;
	stress_pool_reserve(pool, rng);
	stress_pool_put(pool);
}

static int run(void *data)
{
	struct kcoro_frame_counters *last;
	struct task *task = data;
	struct stress_rng *rng = &task->rng;

	last = kcalloc(KCORO_LEVELS * KCORO_CLASSES, sizeof(*last), GFP_KERNEL);
	while (!kthread_should_stop()) {
		in_some_mood(rng);
		in_some_mood(rng);
		stress_interrupts_set_off(rng);
		switch (stress_below(rng, 16)) {
		case 0:
			stress_nmi_send(rng, true);
			break;
		case 1:
			stress_nmi_send(rng, false);
			break;
		case 2:
			if (last)
				read_counters(last, rng);
			break;
		case 3:
			set_reserve(rng);
			break;
		case 4:
			stress_coro_scope(rng);
			break;
		}
		/* Emulated CPUs are few: BPF programs and works shall get their part. */
		if (stress_below(rng, 2))
			usleep_range(100, 2000);
		cond_resched();
	}
	kfree(last);
	return 0;
}

int stress_tasks_start(void)
{
	unsigned int i;

	for (i = 0; i < TASKS; i++) {
		stress_seed(&tasks[i].rng, 100 + i);
		tasks[i].thread = kthread_run(run, &tasks[i], "kcoro_stress/%u", i);
		if (IS_ERR(tasks[i].thread)) {
			int err = PTR_ERR(tasks[i].thread);

			tasks[i].thread = NULL;
			stress_tasks_stop();
			return err;
		}
	}
	return 0;
}

void stress_tasks_stop(void)
{
	unsigned int i;

	for (i = 0; i < TASKS; i++) {
		if (tasks[i].thread)
			kthread_stop(tasks[i].thread);
		tasks[i].thread = NULL;
	}
}
