// SPDX-License-Identifier: GPL-2.0-only
/*
 * at_level.c - runs a function in a task, a tasklet, an interrupt or an NMI, and waits
 * for it. From process context, one at a time.
 *
 * On PREEMPT_RT a tasklet runs in a thread, and counts as task level.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>

#include <asm/apic.h>
#include <asm/nmi.h>

#include "at_level.h"

struct call {
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
	struct irq_work irq_work;
	struct tasklet_struct tasklet;
};

static struct call *nmi_call;

static void in_irq_work(struct irq_work *work)
{
	struct call *call = container_of(work, struct call, irq_work);

	call->fn(call->arg);
	complete(&call->done);
}

static void in_tasklet(struct tasklet_struct *tasklet)
{
	struct call *call = container_of(tasklet, struct call, tasklet);

	call->fn(call->arg);
	complete(&call->done);
}

static int in_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	struct call *call = READ_ONCE(nmi_call);

	if (!call)
		return NMI_DONE;
	call->fn(call->arg);
	/* What was done is seen by who sees this: wait_for_nmi(). */
	smp_store_release(&nmi_call, NULL);
	return NMI_HANDLED;
}

/* False when it did not come within a second. */
static bool wait_for_nmi(struct call *call)
{
	bool came;
	int i;

	if (register_nmi_handler(NMI_LOCAL, in_nmi_handler, 0, "kcoro_at_level"))
		return false;
	/* The handler that sees the call sees what is in it. */
	smp_store_release(&nmi_call, call);
	__apic_send_IPI_mask(cpumask_of(cpumask_last(cpu_online_mask)), NMI_VECTOR);
	/* Pairs with the handler's release. */
	for (i = 0; i < 1000 && smp_load_acquire(&nmi_call); i++)
		usleep_range(1000, 2000);
	came = !nmi_call;
	unregister_nmi_handler(NMI_LOCAL, "kcoro_at_level");
	WRITE_ONCE(nmi_call, NULL);
	return came;
}

/* Returns false when the level could not be reached. */
bool at_level(enum kcoro_level level, void (*fn)(void *arg), void *arg)
{
	struct call call = { .fn = fn, .arg = arg };

	init_completion(&call.done);
	switch (level) {
	case KCORO_LEVEL_TASK:
		fn(arg);
		return true;
	case KCORO_LEVEL_SOFTIRQ:
		tasklet_setup(&call.tasklet, in_tasklet);
		tasklet_schedule(&call.tasklet);
		wait_for_completion(&call.done);
		tasklet_kill(&call.tasklet);
		return true;
	case KCORO_LEVEL_HARDIRQ:
		call.irq_work = IRQ_WORK_INIT_HARD(in_irq_work);
		irq_work_queue(&call.irq_work);
		wait_for_completion(&call.done);
		irq_work_sync(&call.irq_work);
		return true;
	case KCORO_LEVEL_NMI:
		return wait_for_nmi(&call);
	default:
		return false;
	}
}
