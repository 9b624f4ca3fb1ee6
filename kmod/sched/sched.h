/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched.h - runnable items, and where they are run.
 *
 *   add (any CPU, any context)          drain (one at a time for a queue)
 *        |                                   |
 *        v                                   v
 *   [ list, lock-free, newest first ] --> [ fifo, the owner's alone ] --> item->run()
 *                                              ^                            |
 *                                              +------ again (a yield) -----+
 *
 * There is a queue per CPU and executor. An item that is added is run exactly once, in
 * the order of the additions of one CPU. Adding allocates nothing and takes no lock: an
 * item is its own list node, and is its queue's from the addition until it is run.
 *
 * Who drains: the queue's tasklet (softirq) or work item (worker), or a waker that asks
 * for it, on its CPU (kcoro_sched_begin_here(), wakes, kcoro_sched_end_here()). @owner says
 * that somebody does:
 *
 *   adder:     list gets the item; full barrier; owner 0? then kick
 *   drainer:   owner = 0; full barrier; list empty? else drain or kick again
 *
 * so one of the two sees the other. A kick schedules the tasklet, on another CPU by an
 * IPI (on PREEMPT_RT a work item drains it there, bottom halves off), or queues the work
 * item; from NMI by way of irq_work. A drain takes what is added meanwhile before it ends,
 * and has a budget.
 *
 * The queue of a CPU that is offline is drained by whoever kicks it: a queue is found
 * from its tasklet or work item, never by "this CPU".
 *
 * A tasklet, and not a BH workqueue: from kick to run it takes a quarter of the
 * instructions (docs/scheduler.md).
 *
 * queue.c   queues, drains, kicks
 * later.c   from NMI to where locks may be taken
 */
#ifndef KCORO_SCHED_H
#define KCORO_SCHED_H

#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include <kcoro/coro.h>

/* Who is on the way to kick: one of each at a time. */
enum kcoro_kicking {
	KCORO_KICKING_LATER,
	KCORO_KICKING_IPI,
};

struct kcoro_queue {
	struct llist_head list;
	int owner;			/* somebody drains */
	struct llist_node *first;	/* the fifo: only the owner looks */
	struct llist_node *last;
	union {
		struct tasklet_struct tasklet;	/* softirq */
		struct work_struct work;	/* worker */
	};
	struct kcoro_item later;	/* from NMI: kicks */
	call_single_data_t ipi;		/* to another CPU: kicks there */
	struct work_struct remote;	/* the same on PREEMPT_RT, of a softirq queue */
	unsigned long kicking;		/* enum kcoro_kicking, as bit numbers */
	unsigned int cpu;
	enum kcoro_executor executor;
} ____cacheline_aligned_in_smp;

extern struct kcoro_queue __percpu *kcoro_queues[KCORO_EXECUTORS];
extern struct workqueue_struct *kcoro_worker_wq;

/* queue.c */
void kcoro_queue_kick(struct kcoro_queue *q);
struct kcoro_queue *kcoro_sched_begin_here(void);
void kcoro_sched_end_here(struct kcoro_queue *q);
int kcoro_sched_init(void);
void kcoro_sched_exit(void);

/* later.c; any context. */
void kcoro_later_add(struct kcoro_item *item);
int kcoro_later_init(void);
void kcoro_later_flush(void);

/**
 * kcoro_sched_add() - have an item run
 * @item: not queued; the queue's until it is run
 * @executor: where
 * @cpu: a possible CPU
 *
 * Context: any, NMI included. Never fails.
 */
static inline void kcoro_sched_add(struct kcoro_item *item, enum kcoro_executor executor,
				   unsigned int cpu)
{
	struct kcoro_queue *q = per_cpu_ptr(kcoro_queues[executor], cpu);
	struct llist_node *first = READ_ONCE(q->list.first);

	/* llist_add() by hand: that is a call. A full barrier between the list and the owner. */
	do {
		item->node.next = first;
	} while (!try_cmpxchg(&q->list.first, &first, &item->node));
	if (!first && !READ_ONCE(q->owner))
		kcoro_queue_kick(q);
}

/**
 * kcoro_queue_again() - have an item run again, behind all that are there
 * @q: the queue that runs it now
 * @item: what is being run
 *
 * Context: inside item->run(), called by the queue's drain.
 */
static inline void kcoro_queue_again(struct kcoro_queue *q, struct kcoro_item *item)
{
	item->node.next = NULL;
	if (q->last)
		q->last->next = &item->node;
	else
		q->first = &item->node;
	q->last = &item->node;
}

#endif /* KCORO_SCHED_H */
