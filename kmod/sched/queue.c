// SPDX-License-Identifier: GPL-2.0-only
/*
 * queue.c - per-CPU queues, their drains and kicks. See sched.h for the order of things.
 *
 * Contexts: kick: any. Drains run in softirq (also a caller's with BH off) or in a
 * kworker, one at a time for a queue.
 */
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "../compat.h"
#include "sched.h"

/* Items that one drain runs before others have a turn. */
#define BUDGET 256

struct kcoro_queue __percpu *kcoro_queues[KCORO_EXECUTORS];
struct workqueue_struct *kcoro_executor_wq[KCORO_EXECUTORS];

/* Where locks of the workqueue may be taken; the CPU can't go while we look at it. */
static void queue_the_work(struct kcoro_queue *q)
{
	unsigned int cpu = q->cpu;

	preempt_disable();
	if (unlikely(!cpu_online(cpu)))
		cpu = smp_processor_id();
	queue_work_on(cpu, kcoro_executor_wq[q->executor], &q->work);
	preempt_enable();
}

static void kick_from_later(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct kcoro_queue *q = container_of(item, struct kcoro_queue, kick);

	/* First: who adds from now on kicks anew. Pairs with the bit's test in the kick. */
	clear_bit(0, &q->kicking);
	smp_mb__after_atomic();
	queue_the_work(q);
}

/**
 * kcoro_queue_kick() - have a queue drained
 * @q: the queue
 * @how: KCORO_ADD_LATER where any lock may be held
 *
 * Context: any.
 */
void kcoro_queue_kick(struct kcoro_queue *q, enum kcoro_add how)
{
	if (how != KCORO_ADD_LATER && !in_nmi())
		queue_the_work(q);
	else if (!test_and_set_bit(0, &q->kicking))
		kcoro_later_add(&q->kick);
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

static void drain(struct kcoro_queue *q)
{
	unsigned int budget = BUDGET;
	struct llist_node *node;
	struct kcoro_item *item;
	bool more;

	do {
		if (xchg(&q->owner, 1))
			return;
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
		more = node;
		/* Full barrier: see sched.h. The fifo is written before another owner reads it. */
		smp_store_mb(q->owner, 0);
	} while (!more && !llist_empty(&q->list));
	if (more)
		kcoro_queue_kick(q, KCORO_ADD_KICK);
}

static void queue_work_fn(struct work_struct *work)
{
	drain(container_of(work, struct kcoro_queue, work));
}

/**
 * kcoro_sched_run_here() - drain this CPU's softirq queue, now
 *
 * Does nothing while that is being drained, as inside a coroutine that it runs: so
 * resumptions never nest.
 *
 * Context: task or softirq level, interrupts on, no lock held.
 */
void kcoro_sched_run_here(void)
{
	struct kcoro_queue *q;

	local_bh_disable();
	q = this_cpu_ptr(kcoro_queues[KCORO_EXECUTOR_SOFTIRQ]);
	if (!llist_empty(&q->list))
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
		INIT_WORK(&q->work, queue_work_fn);
		q->kick.run = kick_from_later;
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
	kcoro_executor_wq[KCORO_EXECUTOR_SOFTIRQ] = alloc_workqueue("kcoro_bh",
								    WQ_BH | KCORO_WQ_PERCPU, 0);
	kcoro_executor_wq[KCORO_EXECUTOR_WORKER] = alloc_workqueue("kcoro_worker",
								   KCORO_WQ_PERCPU, 0);
	if (!kcoro_executor_wq[KCORO_EXECUTOR_SOFTIRQ] ||
	    !kcoro_executor_wq[KCORO_EXECUTOR_WORKER] ||
	    queues_create(KCORO_EXECUTOR_SOFTIRQ) || queues_create(KCORO_EXECUTOR_WORKER)) {
		kcoro_sched_exit();
		return err;
	}
	return 0;
}

/* No coroutine is left, so nobody adds; a kick may still be on its way. */
void kcoro_sched_exit(void)
{
	unsigned int executor;

	kcoro_later_exit();
	for (executor = 0; executor < KCORO_EXECUTORS; executor++) {
		if (kcoro_executor_wq[executor])
			destroy_workqueue(kcoro_executor_wq[executor]);
		free_percpu(kcoro_queues[executor]);
	}
}
