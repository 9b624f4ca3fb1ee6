// SPDX-License-Identifier: GPL-2.0-only
/*
 * interrupts.c - works, timers, tasklets, irq_works and IPIs. kthreads set them
 * off at random; none sets itself off again, so that who stops the kthreads has
 * only to wait for what is on the way.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "../../kmod/compat.h"
#include "stress.h"

#define SETS 4
#define STEPS 6	/* at most, in one go: interrupts are off in most of these */

/* One of a kind; a set runs at most one of each at a time, on whatever CPU. */
static struct set {
	struct work_struct work;
	struct work_struct bh_work;
	struct timer_list timer;
	struct tasklet_struct tasklet;
	struct hrtimer soft;
	struct hrtimer hard;
	struct irq_work irq_work;
	struct stress_rng rng[STRESS_ACTOR_COUNT];
} sets[SETS];

static DEFINE_PER_CPU(struct stress_rng, ipi_rng);
/* Per CPU, unbound, and in softirq. */
static struct workqueue_struct *bound_wq, *unbound_wq, *bh_wq;

static void act(enum stress_actor actor, struct stress_rng *rng)
{
	u32 n = 1 + stress_below(rng, STEPS);

	while (n--)
		stress_step(actor, rng);
}

static void in_work(struct work_struct *work)
{
	act(STRESS_work, &container_of(work, struct set, work)->rng[STRESS_work]);
}

static void in_bh_work(struct work_struct *work)
{
	act(STRESS_bh_work, &container_of(work, struct set, bh_work)->rng[STRESS_bh_work]);
}

static void in_timer(struct timer_list *timer)
{
	act(STRESS_timer, &container_of(timer, struct set, timer)->rng[STRESS_timer]);
}

static void in_tasklet(struct tasklet_struct *tasklet)
{
	act(STRESS_tasklet, &container_of(tasklet, struct set, tasklet)->rng[STRESS_tasklet]);
}

static enum hrtimer_restart in_soft(struct hrtimer *timer)
{
	act(STRESS_hrtimer_soft, &container_of(timer, struct set, soft)->rng[STRESS_hrtimer_soft]);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart in_hard(struct hrtimer *timer)
{
	act(STRESS_hrtimer_hard, &container_of(timer, struct set, hard)->rng[STRESS_hrtimer_hard]);
	return HRTIMER_NORESTART;
}

static void in_irq_work(struct irq_work *work)
{
	act(STRESS_irq_work, &container_of(work, struct set, irq_work)->rng[STRESS_irq_work]);
}

static void in_ipi(void *unused)
{
	act(STRESS_ipi, this_cpu_ptr(&ipi_rng));
}

/*
 * All CPUs at once: they wait for one lock, and then for those of the slab. Programs
 * on contention_end run with such a lock held. Emulated CPUs run by turns, so who has
 * the lock keeps it, for a bounded time, until two others are there: the second of
 * those queues, and that is what the tracepoint tells of.
 */
static void in_crowd(void *unused)
{
	static DEFINE_RAW_SPINLOCK(lock);
	static atomic_t here = ATOMIC_INIT(0);
	struct stress_rng *rng = this_cpu_ptr(&ipi_rng);
	u32 i;

	atomic_inc(&here);
	raw_spin_lock(&lock);
	for (i = 0; i < 1000 && atomic_read(&here) < 3; i++)
		udelay(1);
	atomic_dec(&here);
	raw_spin_unlock(&lock);
	act(STRESS_crowd, rng);
}

static int random_cpu(struct stress_rng *rng)
{
	int cpu = stress_below(rng, nr_cpu_ids);

	return cpu_online(cpu) ? cpu : WORK_CPU_UNBOUND;
}

void stress_interrupts_set_off(struct stress_rng *rng)
{
	struct set *set = &sets[stress_below(rng, SETS)];
	int cpu;

	switch (stress_below(rng, 10)) {
	case 0:
		queue_work_on(random_cpu(rng), bound_wq, &set->work);
		break;
	case 1:
		queue_work(unbound_wq, &set->work);
		break;
	case 2:
		queue_work(bh_wq, &set->bh_work);
		break;
	case 3:
		mod_timer(&set->timer, jiffies + stress_below(rng, 4));
		break;
	case 4:
		tasklet_schedule(&set->tasklet);
		break;
	case 5:
		if (!hrtimer_active(&set->soft))
			hrtimer_start(&set->soft, ns_to_ktime(1000 * stress_below(rng, 500)),
				      HRTIMER_MODE_REL_SOFT);
		break;
	case 6:
		if (!hrtimer_active(&set->hard))
			hrtimer_start(&set->hard, ns_to_ktime(1000 * stress_below(rng, 500)),
				      HRTIMER_MODE_REL_HARD);
		break;
	case 7:
		irq_work_queue(&set->irq_work);
		break;
	case 8:
		cpu = random_cpu(rng);
		if (cpu != WORK_CPU_UNBOUND)
			smp_call_function_single(cpu, in_ipi, NULL, stress_below(rng, 2));
		break;
	default:
		if (!stress_below(rng, 4))
			on_each_cpu(in_crowd, NULL, 1);
		break;
	}
}

static void destroy_workqueues(void)
{
	if (bound_wq)
		destroy_workqueue(bound_wq);
	if (unbound_wq)
		destroy_workqueue(unbound_wq);
	if (bh_wq)
		destroy_workqueue(bh_wq);
}

int stress_interrupts_start(void)
{
	u32 i, actor;
	int cpu;

	bound_wq = alloc_workqueue("kcoro_stress_bound", KCORO_WQ_PERCPU, 0);
	unbound_wq = alloc_workqueue("kcoro_stress_unbound", WQ_UNBOUND, 0);
	bh_wq = alloc_workqueue("kcoro_stress_bh", WQ_BH | KCORO_WQ_PERCPU, 0);
	if (!bound_wq || !unbound_wq || !bh_wq) {
		destroy_workqueues();
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu)
		stress_seed(per_cpu_ptr(&ipi_rng, cpu), 200 + cpu);
	for (i = 0; i < SETS; i++) {
		struct set *set = &sets[i];

		for (actor = 0; actor < STRESS_ACTOR_COUNT; actor++)
			stress_seed(&set->rng[actor], 1000 + i * STRESS_ACTOR_COUNT + actor);
		INIT_WORK(&set->work, in_work);
		INIT_WORK(&set->bh_work, in_bh_work);
		timer_setup(&set->timer, in_timer, 0);
		tasklet_setup(&set->tasklet, in_tasklet);
		kcoro_hrtimer_setup(&set->soft, in_soft, HRTIMER_MODE_REL_SOFT);
		kcoro_hrtimer_setup(&set->hard, in_hard, HRTIMER_MODE_REL_HARD);
		set->irq_work = IRQ_WORK_INIT_HARD(in_irq_work);
	}
	return 0;
}

static void nothing(void *unused)
{
}

/* The kthreads have stopped. */
void stress_interrupts_stop(void)
{
	u32 i;

	for (i = 0; i < SETS; i++) {
		struct set *set = &sets[i];

		cancel_work_sync(&set->work);
		cancel_work_sync(&set->bh_work);
		timer_shutdown_sync(&set->timer);
		tasklet_kill(&set->tasklet);
		hrtimer_cancel(&set->soft);
		hrtimer_cancel(&set->hard);
		irq_work_sync(&set->irq_work);
	}
	/* IPIs that nobody waited for come before this one. */
	on_each_cpu(nothing, NULL, 1);
	destroy_workqueues();
}
