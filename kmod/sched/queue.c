// SPDX-License-Identifier: GPL-2.0-only
/*
 * queue.c - per-CPU queues, their drains and kicks. See sched.h for the order of things.
 *
 * Contexts: kick: any. Drains run in softirq (also a caller's with BH off) or in a
 * kworker, one at a time for a queue.
 */
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "../compat.h"
#include "sched.h"

/* Items that one drain runs before others have a turn. */
#define BUDGET 256

struct kcoro_queue __percpu *kcoro_queues[KCORO_EXECUTORS];
struct workqueue_struct *kcoro_worker_wq;

/*
 * Where locks of the workqueue may be taken. With preemption off no CPU goes offline.
 * A queue whose CPU is gone is drained here.
 */
static void kick(struct kcoro_queue *q)
{
	unsigned int here, cpu = q->cpu;

	preempt_disable();
	here = smp_processor_id();
	if (unlikely(!cpu_online(cpu)))
		cpu = here;
	if (q->executor == KCORO_EXECUTOR_WORKER)
		queue_work_on(cpu, kcoro_worker_wq, &q->work);
	else if (cpu == here)
		tasklet_schedule(&q->tasklet);
	else if (IS_ENABLED(CONFIG_PREEMPT_RT))
		/* Nobody may raise a softirq by an IPI: do_softirq_post_smp_call_flush() warns. */
		queue_work_on(cpu, kcoro_worker_wq, &q->remote);
	else if (!test_and_set_bit(KCORO_KICKING_IPI, &q->kicking))
		smp_call_function_single_async(cpu, &q->ipi);
	preempt_enable();
}

/* First the bit: who adds from now on kicks anew. */
static void kick_over(struct kcoro_queue *q, enum kcoro_kicking which)
{
	clear_bit(which, &q->kicking);
	/* Pairs with the test and set of the bit: a later kick is not taken for this one. */
	smp_mb__after_atomic();
}

static void kick_by_ipi(void *arg)
{
	struct kcoro_queue *q = arg;

	kick_over(q, KCORO_KICKING_IPI);
	tasklet_schedule(&q->tasklet);
}

static void kick_later(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct kcoro_queue *q = container_of(item, struct kcoro_queue, later);

	kick_over(q, KCORO_KICKING_LATER);
	kick(q);
}

/**
 * kcoro_queue_kick() - have a queue drained
 * @q: the queue
 *
 * Context: any; from NMI by way of irq_work.
 */
void kcoro_queue_kick(struct kcoro_queue *q)
{
	if (likely(!in_nmi()))
		kick(q);
	else if (!test_and_set_bit(KCORO_KICKING_LATER, &q->kicking))
		kcoro_later_add(&q->later);
}

/* What was added goes behind what is there, oldest first. */
static void take_added(struct kcoro_queue *q)
{
	struct llist_node *newest = llist_del_all(&q->list), *oldest;

	if (!newest)
		return;
	oldest = llist_reverse_order(newest);
	if (q->last)
		q->last->next = oldest;
	else
		q->first = oldest;
	q->last = newest;
}

/* As the owner, who is that no more when this returns. */
static void drain(struct kcoro_queue *q)
{
	unsigned int budget = BUDGET;
	struct llist_node *node;
	struct kcoro_item *item;

	do {
		for (;;) {
			if (!llist_empty(&q->list))
				take_added(q);
			node = q->first;
			if (!node || !budget)
				break;
			budget--;
			q->first = node->next;
			if (!q->first)
				q->last = NULL;
			item = container_of(node, struct kcoro_item, node);
			item->run(item, q);
		}
		/* Full barrier: see sched.h. The fifo is written before another owner reads it. */
		smp_store_mb(q->owner, 0);
		if (node) {
			kcoro_queue_kick(q);
			return;
		}
	} while (!llist_empty(&q->list) && !xchg(&q->owner, 1));
}

/* An owner looks at the list again when it is done. */
static void drain_unowned(struct kcoro_queue *q)
{
	if (!xchg(&q->owner, 1))
		drain(q);
}

static void queue_tasklet(struct tasklet_struct *tasklet)
{
	drain_unowned(container_of(tasklet, struct kcoro_queue, tasklet));
}

static void queue_work_fn(struct work_struct *work)
{
	drain_unowned(container_of(work, struct kcoro_queue, work));
}

static void queue_remote_fn(struct work_struct *work)
{
	local_bh_disable();
	drain_unowned(container_of(work, struct kcoro_queue, remote));
	local_bh_enable();
}

/**
 * kcoro_sched_begin_here() - own this CPU's softirq queue
 *
 * What is added to it from now on is not kicked, and is run by kcoro_sched_end_here(),
 * on this CPU. Until then bottom halves are off.
 *
 * Context: task or softirq level, interrupts on, no lock held.
 * Return: the queue; NULL when somebody owns it, as inside a coroutine that it runs: so
 * resumptions never nest. Either is for kcoro_sched_end_here().
 */
struct kcoro_queue *kcoro_sched_begin_here(void)
{
	struct kcoro_queue *q;

	local_bh_disable();
	q = raw_cpu_ptr(kcoro_queues[KCORO_EXECUTOR_SOFTIRQ]);
	return xchg(&q->owner, 1) ? NULL : q;
}

/**
 * kcoro_sched_end_here() - run what was added
 * @q: from kcoro_sched_begin_here()
 */
void kcoro_sched_end_here(struct kcoro_queue *q)
{
	if (q)
		drain(q);
	local_bh_enable();
}

static int queues_create(enum kcoro_executor executor)
{
	struct kcoro_queue *q;
	int cpu;

	kcoro_queues[executor] = alloc_percpu(struct kcoro_queue);
	if (!kcoro_queues[executor])
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(kcoro_queues[executor], cpu);
		init_llist_head(&q->list);
		if (executor == KCORO_EXECUTOR_WORKER)
			INIT_WORK(&q->work, queue_work_fn);
		else
			tasklet_setup(&q->tasklet, queue_tasklet);
		INIT_WORK(&q->remote, queue_remote_fn);
		q->later.run = kick_later;
		INIT_CSD(&q->ipi, kick_by_ipi, q);
		q->cpu = cpu;
		q->executor = executor;
	}
	return 0;
}

int __init kcoro_sched_init(void)
{
	int err = kcoro_later_init();

	if (err)
		return err;
	err = -ENOMEM;
	kcoro_worker_wq = alloc_workqueue("kcoro_worker", KCORO_WQ_PERCPU, 0);
	if (!kcoro_worker_wq || queues_create(KCORO_EXECUTOR_SOFTIRQ) ||
	    queues_create(KCORO_EXECUTOR_WORKER)) {
		kcoro_sched_exit();
		return err;
	}
	return 0;
}

/* No coroutine is left, so nobody adds; a kick may still be on its way. */
void kcoro_sched_exit(void)
{
	struct kcoro_queue *q;
	int cpu;

	kcoro_later_flush();
	for_each_possible_cpu(cpu) {
		if (!kcoro_queues[KCORO_EXECUTOR_SOFTIRQ])
			break;
		q = per_cpu_ptr(kcoro_queues[KCORO_EXECUTOR_SOFTIRQ], cpu);
		while (READ_ONCE(q->kicking))
			usleep_range(10, 100);
	}
	/* The IPI's handler, which runs with interrupts off, is out. */
	synchronize_rcu();
	for_each_possible_cpu(cpu) {
		if (!kcoro_queues[KCORO_EXECUTOR_SOFTIRQ])
			break;
		tasklet_kill(&per_cpu_ptr(kcoro_queues[KCORO_EXECUTOR_SOFTIRQ], cpu)->tasklet);
	}
	if (kcoro_worker_wq)
		destroy_workqueue(kcoro_worker_wq);
	free_percpu(kcoro_queues[KCORO_EXECUTOR_SOFTIRQ]);
	free_percpu(kcoro_queues[KCORO_EXECUTOR_WORKER]);
}
