// SPDX-License-Identifier: GPL-2.0-only
/*
 * nmi.c - NMIs to this CPU and to others, and two things that nest in an NMI as
 * another NMI would: an int3 between two operations, and a breakpoint inside a
 * window (watch.c).
 *
 * Nobody waits for an NMI: a CPU that goes offline never takes it. To each CPU one
 * at most is on the way: that bounds the rate, and none comes that nobody expects.
 */
#include <linux/cpumask.h>
#include <linux/hw_breakpoint.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/cpu_entry_area.h>
#include <asm/debugreg.h>
#include <asm/nmi.h>

#include "stress.h"

#define STEPS 8

struct nmi_cpu {
	/* 0, or the actor of the one NMI that is on the way to this CPU. */
	enum stress_actor armed;
	struct stress_rng rng;
	struct stress_rng nested;
};

static DEFINE_PER_CPU(struct nmi_cpu, nmi_cpu);

/* Not traced: so the probe below is an int3 and not a call from ftrace. */
static noinline notrace void probed(void)
{
	barrier();
}

static int in_int3(struct kprobe *probe, struct pt_regs *regs)
{
	struct nmi_cpu *n = this_cpu_ptr(&nmi_cpu);

	stress_step(STRESS_nmi_int3, &n->nested);
	stress_step(STRESS_nmi_int3, &n->nested);
	return 0;
}

/* With it the kernel does not turn the int3 into a jump. */
static void after_int3(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.addr = (kprobe_opcode_t *)probed,
	.pre_handler = in_int3,
	.post_handler = after_int3,
};

/*
 * The kernel shuts breakpoints off in an NMI, because the NMI may have come while
 * a #DB was on its way on the one stack that #DB has. Then we let it be.
 */
static bool may_watch(const struct pt_regs *regs)
{
	return stress_watch_in_nmi() && (regs->sp < CPU_ENTRY_AREA_BASE ||
	       regs->sp >= CPU_ENTRY_AREA_BASE + CPU_ENTRY_AREA_MAP_SIZE);
}

/* hw_breakpoint_restore() is for KVM alone in later kernels: the switch is enough. */
static void let_watch(bool on)
{
	set_debugreg(on ? this_cpu_read(cpu_dr7) : 0UL, 7);
}

static void act(struct nmi_cpu *n, enum stress_actor actor, bool watch)
{
	u32 i, steps = 1 + stress_below(&n->rng, STEPS);

	if (watch) {
		atomic64_inc(&stress_events[STRESS_NMI_WATCHED]);
		let_watch(true);
	}
	for (i = 0; i < steps; i++)
		stress_step(actor, &n->rng);
	if (watch)
		let_watch(false);
	if (!stress_below(&n->rng, 4))
		probed();
}

static int handler(unsigned int type, struct pt_regs *regs)
{
	struct nmi_cpu *n = this_cpu_ptr(&nmi_cpu);
	enum stress_actor actor = xchg(&n->armed, 0);

	if (!actor)
		return NMI_DONE;
	act(n, actor, may_watch(regs));
	return NMI_HANDLED;
}

void stress_nmi_send(struct stress_rng *rng, bool self)
{
	int cpu = stress_below(rng, nr_cpu_ids);

	/* No CPU goes offline while preemption is off. */
	preempt_disable();
	if (self)
		cpu = smp_processor_id();
	else if (cpu == smp_processor_id())
		cpu = cpumask_any_but(cpu_online_mask, cpu);
	if (cpu < nr_cpu_ids) {
		enum stress_actor *armed = &per_cpu_ptr(&nmi_cpu, cpu)->armed;

		if (!cpu_online(cpu))
			/* Forget one that never came. */
			WRITE_ONCE(*armed, 0);
		else if (!cmpxchg(armed, 0, self ? STRESS_nmi_self : STRESS_nmi_other))
			__apic_send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	}
	preempt_enable();
}

int stress_nmi_start(void)
{
	int cpu, err;

	for_each_possible_cpu(cpu) {
		stress_seed(&per_cpu_ptr(&nmi_cpu, cpu)->rng, 300 + cpu);
		stress_seed(&per_cpu_ptr(&nmi_cpu, cpu)->nested, 400 + cpu);
	}
	err = register_kprobe(&probe);
	if (err)
		return err;
	err = register_nmi_handler(NMI_LOCAL, handler, 0, "kcoro_stress");
	if (err)
		unregister_kprobe(&probe);
	return err;
}

static void nothing(void *unused)
{
}

/* The kthreads have stopped. */
void stress_nmi_stop(void)
{
	/* An NMI that was sent before this IPI has come before it. */
	on_each_cpu(nothing, NULL, 1);
	unregister_nmi_handler(NMI_LOCAL, "kcoro_stress");
	unregister_kprobe(&probe);
}
