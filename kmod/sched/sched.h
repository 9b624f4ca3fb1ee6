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
 * Who drains: the queue's work item (softirq: a BH workqueue, worker: a workqueue), or
 * a waker that asked for it (kcoro_sched_run_here()). @owner says that somebody does:
 *
 *   adder:     list gets the item; full barrier; owner 0? then kick
 *   drainer:   owner = 0; full barrier; list empty? else drain or kick again
 *
 * so one of the two sees the other. A kick queues the work item; from NMI, and where
 * any lock may be held, by way of irq_work. A drain takes what is added meanwhile before
 * it ends, and has a budget.
 *
 * The work item of a CPU that went offline runs elsewhere and drains that CPU's queue:
 * a queue is found from its work item, never by "this CPU".
 *
 * queue.c   queues, drains, kicks
 * later.c   from NMI to where locks may be taken
 */
#ifndef KCORO_SCHED_H
#define KCORO_SCHED_H

#include <linux/llist.h>
#include <linux/workqueue.h>

#include <kcoro/coro.h>

struct kcoro_queue {
	struct llist_head list;
	int owner;			/* somebody drains */
	struct llist_node *first;	/* the fifo: only the owner looks */
	struct llist_node *last;
	struct work_struct work;
	struct kcoro_item kick;		/* later.c: has the work item queued */
	unsigned long kicking;		/* bit 0: kick is on its way */
	unsigned int cpu;
	enum kcoro_executor executor;
} ____cacheline_aligned_in_smp;

/* How an item comes into its queue. */
enum kcoro_add {
	KCORO_ADD_KICK,		/* and the queue is kicked if it was empty */
	KCORO_ADD_HERE,		/* the caller drains the queue next: kcoro_sched_run_here() */
	KCORO_ADD_LATER,	/* any lock may be held here: kicked by way of irq_work */
};

extern struct kcoro_queue __percpu *kcoro_queues[KCORO_EXECUTORS];
extern struct workqueue_struct *kcoro_executor_wq[KCORO_EXECUTORS];

/* queue.c */
void kcoro_queue_kick(struct kcoro_queue *q, enum kcoro_add how);
void kcoro_sched_run_here(void);
int kcoro_sched_init(void);
void kcoro_sched_exit(void);

/* later.c; any context. */
void kcoro_later_add(struct kcoro_item *item);
int kcoro_later_init(void);
void kcoro_later_exit(void);

/**
 * kcoro_sched_add() - have an item run
 * @item: not queued; the queue's until it is run
 * @executor: where
 * @cpu: a possible CPU
 * @how: see enum kcoro_add
 *
 * Context: any; from NMI as with KCORO_ADD_LATER. Never fails.
 */
static inline void kcoro_sched_add(struct kcoro_item *item, enum kcoro_executor executor,
				   unsigned int cpu, enum kcoro_add how)
{
	struct kcoro_queue *q = per_cpu_ptr(kcoro_queues[executor], cpu);

	/* llist_add() is the full barrier between the list and the owner. */
	if (llist_add(&item->node, &q->list) && how != KCORO_ADD_HERE && !READ_ONCE(q->owner))
		kcoro_queue_kick(q, how);
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
