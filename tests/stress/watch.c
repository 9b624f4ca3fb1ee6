// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - others' code inside a window.
 *
 * A window is a few instructions long, and an interrupt seldom hits it. A hardware
 * breakpoint on the count of a magazine does, each time: #DB comes between the
 * instructions of a push or pop, at level NMI, and allocates and frees there. It
 * also raises an irq_work, which comes as soon as #DB is over, still inside the
 * window: it does the same at level hardirq, and asks for a reschedule, so that a
 * window that left preemption on is left by its task.
 *
 * One CPU's magazine of one level and class is watched at a time, for a moment.
 * This file knows the pool from inside, and no other here does.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/perf_event.h>
#include <linux/sched.h>

#include "../../kmod/pool/pool.h"
#include "stress.h"

struct watch_cpu {
	struct irq_work irq_work;
	struct stress_rng at_db;
	struct stress_rng after;
};

static struct watch_cpu __percpu *watch_cpu;
static struct task_struct *watcher;
static struct stress_rng rng;
/* The CPU whose magazine of level NMI is watched; -1: none. */
static int nmi_watched_on = -1;

bool stress_watch_in_nmi(void)
{
	return READ_ONCE(nmi_watched_on) == raw_smp_processor_id();
}

static void after_breakpoint(struct irq_work *irq_work)
{
	struct watch_cpu *w = container_of(irq_work, struct watch_cpu, irq_work);

	stress_step(STRESS_after_breakpoint, &w->after);
	set_tsk_need_resched(current);
	set_preempt_need_resched();
}

static void at_breakpoint(struct perf_event *event, struct perf_sample_data *data,
			  struct pt_regs *regs)
{
	struct watch_cpu *w = this_cpu_ptr(watch_cpu);

	if (READ_ONCE(stress_stopping))
		return;
	stress_step(STRESS_breakpoint, &w->at_db);
	if (!stress_below(&w->at_db, 2))
		irq_work_queue(&w->irq_work);
}

static void watch_once(void)
{
	enum kcoro_level level = stress_below(&rng, KCORO_LEVELS);
	int cpu = stress_below(&rng, nr_cpu_ids);
	/* The smaller classes are used most. */
	u32 cls = stress_below(&rng, KCORO_CLASSES / 2);
	struct kcoro_magazine *magazine;
	struct perf_event_attr attr;
	struct perf_event *event;

	magazine = READ_ONCE(per_cpu_ptr(stress_pool_watched()->cpu, cpu)
				     ->loaded[kcoro_slot(level, cls)]);
	/* Nothing there yet. */
	if (!magazine->capacity)
		return;
	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)&magazine->count;
	attr.bp_len = HW_BREAKPOINT_LEN_4;
	attr.bp_type = HW_BREAKPOINT_RW;
	event = perf_event_create_kernel_counter(&attr, cpu, NULL, at_breakpoint, NULL);
	/* That CPU is offline just now. */
	if (IS_ERR(event))
		return;
	atomic64_inc(&stress_events[STRESS_WATCHES]);
	if (level == KCORO_LEVEL_NMI) {
		atomic64_inc(&stress_events[STRESS_WATCHES_OF_NMI]);
		WRITE_ONCE(nmi_watched_on, cpu);
	}
	msleep(20 + stress_below(&rng, 50));
	WRITE_ONCE(nmi_watched_on, -1);
	perf_event_release_kernel(event);
}

static int watch(void *unused)
{
	while (!kthread_should_stop()) {
		watch_once();
		msleep(5);
	}
	return 0;
}

int stress_watch_start(void)
{
	int cpu;

	watch_cpu = alloc_percpu(struct watch_cpu);
	if (!watch_cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct watch_cpu *w = per_cpu_ptr(watch_cpu, cpu);

		w->irq_work = IRQ_WORK_INIT_HARD(after_breakpoint);
		stress_seed(&w->at_db, 500 + cpu);
		stress_seed(&w->after, 600 + cpu);
	}
	stress_seed(&rng, 901);
	watcher = kthread_run(watch, NULL, "kcoro_stress/watch");
	if (IS_ERR(watcher)) {
		free_percpu(watch_cpu);
		return PTR_ERR(watcher);
	}
	return 0;
}

void stress_watch_stop(void)
{
	int cpu;

	kthread_stop(watcher);
	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu_ptr(watch_cpu, cpu)->irq_work);
	free_percpu(watch_cpu);
}
