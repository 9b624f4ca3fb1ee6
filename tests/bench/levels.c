// SPDX-License-Identifier: GPL-2.0-only
/*
 * levels.c - run a batch at a level: a tasklet, a hard irq_work, and for NMI a
 * handler of ours plus an NMI that this CPU sends to itself. That is the same
 * NMI that QEMU's inject-nmi delivers, but it comes when we want it, and needs
 * nobody outside the VM.
 *
 * The counter counts the instructions of all CPUs, which take turns. So while one
 * is measured, the others must sleep: bench_let_others_sleep().
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/nmi.h>

#include "bench.h"

static struct {
	struct irq_work irq_work;
	struct tasklet_struct tasklet;
	struct completion done;
	enum kcoro_level level;		/* wanted */
	bool (*run)(struct bench_batch *b);
	struct bench_batch *batch;
	bool ok;
	bool nmi_armed;
} job;

static void run_job(void)
{
	job.ok = interrupt_context_level() == job.level && job.run(job.batch);
}

static void in_tasklet(struct tasklet_struct *tasklet)
{
	run_job();
	complete(&job.done);
}

static void in_irq_work(struct irq_work *work)
{
	run_job();
	complete(&job.done);
}

static int in_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	if (!READ_ONCE(job.nmi_armed))
		return NMI_DONE;
	run_job();
	/* What the job counted is seen by who sees this: send_nmi(). */
	smp_store_release(&job.nmi_armed, false);
	return NMI_HANDLED;
}

/* False when it did not come; it then never will: nothing waits between sending and delivery. */
static bool send_nmi(void)
{
	int i;

	/* The handler sees the job when it sees this. */
	smp_store_release(&job.nmi_armed, true);
	__apic_send_IPI_mask(cpumask_of(raw_smp_processor_id()), NMI_VECTOR);
	/* Pairs with the handler's release. */
	for (i = 0; i < 1000000 && smp_load_acquire(&job.nmi_armed); i++)
		cpu_relax();
	return !xchg(&job.nmi_armed, false);
}

bool bench_run_at(enum kcoro_level level, bool (*run)(struct bench_batch *b),
		  struct bench_batch *b)
{
	job.level = level;
	job.run = run;
	job.batch = b;
	job.ok = false;
	reinit_completion(&job.done);
	switch (level) {
	case KCORO_LEVEL_TASK:
		run_job();
		break;
	case KCORO_LEVEL_SOFTIRQ:
		/* Real-time kernels run it in a thread, as they do all softirqs. */
		if (IS_ENABLED(CONFIG_PREEMPT_RT))
			job.level = KCORO_LEVEL_TASK;
		tasklet_schedule(&job.tasklet);
		wait_for_completion(&job.done);
		break;
	case KCORO_LEVEL_HARDIRQ:
		irq_work_queue(&job.irq_work);
		wait_for_completion(&job.done);
		break;
	case KCORO_LEVEL_NMI:
		return send_nmi() && job.ok;
	default:
		return false;
	}
	return job.ok;
}

/* Twice what a CPU needs to go idle after it has woken another one. */
void bench_let_others_sleep(void)
{
	usleep_range(100, 101);
}

static int on_other_cpu(void *unused)
{
	bench_let_others_sleep();
	run_job();
	return 0;
}

bool bench_run_elsewhere(bool (*run)(struct bench_batch *b), struct bench_batch *b)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());

	job.level = KCORO_LEVEL_TASK;
	job.run = run;
	job.batch = b;
	job.ok = false;
	return cpu < nr_cpu_ids && !smp_call_on_cpu(cpu, on_other_cpu, NULL, false) && job.ok;
}

int bench_levels_init(void)
{
	init_completion(&job.done);
	job.irq_work = IRQ_WORK_INIT_HARD(in_irq_work);
	tasklet_setup(&job.tasklet, in_tasklet);
	return register_nmi_handler(NMI_LOCAL, in_nmi_handler, 0, "kcoro_bench");
}

void bench_levels_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "kcoro_bench");
	tasklet_kill(&job.tasklet);
	irq_work_sync(&job.irq_work);
}
