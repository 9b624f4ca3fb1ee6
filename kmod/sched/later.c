// SPDX-License-Identifier: GPL-2.0-only
/*
 * later.c - from where no lock may be taken to where locks may be: an item is put on
 * this CPU's list, and an irq_work runs it in hardirq context a moment later.
 *
 * Context of kcoro_later_add(): any, NMI included, with any lock held. The item must
 * stay until it was run. What runs it has interrupts off, on PREEMPT_RT too.
 */
#include <linux/irq_work.h>
#include <linux/percpu.h>

#include "sched.h"

struct later {
	struct llist_head list;
	struct irq_work irq_work;
};

static DEFINE_PER_CPU(struct later, later);

static void run_later(struct irq_work *irq_work)
{
	struct later *l = container_of(irq_work, struct later, irq_work);
	struct llist_node *node = llist_reverse_order(llist_del_all(&l->list)), *next;
	struct kcoro_item *item;

	for (; node; node = next) {
		next = node->next;
		item = container_of(node, struct kcoro_item, node);
		item->run(item, NULL);
	}
}

/**
 * kcoro_later_add() - have an item run in hardirq context, soon
 * @item: not queued; item->run() is called with no queue
 *
 * Context: any, with any lock held.
 */
void kcoro_later_add(struct kcoro_item *item)
{
	struct later *l;

	preempt_disable_notrace();
	l = this_cpu_ptr(&later);
	llist_add(&item->node, &l->list);
	irq_work_queue(&l->irq_work);
	preempt_enable_notrace();
}

int __init kcoro_later_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct later *l = per_cpu_ptr(&later, cpu);

		init_llist_head(&l->list);
		l->irq_work = IRQ_WORK_INIT_HARD(run_later);
	}
	return 0;
}

/* What was added before has run when this returns. Process context. */
void kcoro_later_flush(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu_ptr(&later, cpu)->irq_work);
}
