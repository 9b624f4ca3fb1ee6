/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * context.h - where am I: level, may I sleep, may I use the slab, which flags.
 *
 * Callable from every context, NMI included; nothing here is traced or probed,
 * so a window of the frame pool may use it.
 *
 * On PREEMPT_RT softirq code runs in threads and counts as KCORO_LEVEL_TASK:
 * interrupt_context_level() sees no SOFTIRQ_OFFSET in the preempt count there.
 */
#ifndef KCORO_CONTEXT_H
#define KCORO_CONTEXT_H

#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <kcoro/abi.h>

/* The level of the running code; it can't change under that code's feet. */
static __always_inline enum kcoro_level kcoro_context_level(void)
{
	return (enum kcoro_level)interrupt_context_level();
}

/*
 * Is sleeping certain to be allowed? False negatives are harmless, false
 * positives are not. One case can't be seen from here: a non-sleepable BPF
 * program on a kernel whose RCU readers leave no trace in the task. kfuncs that
 * are not KF_SLEEPABLE therefore name their flags and never ask.
 */
static __always_inline bool kcoro_context_may_sleep(void)
{
	return preemptible() && !rcu_preempt_depth();
}

/*
 * May the slab be called? Not from NMI; on PREEMPT_RT only when preemptible,
 * because its locks are sleeping locks there
 * (Documentation/core-api/real-time/differences.rst).
 */
static __always_inline bool kcoro_context_may_slab(void)
{
	if (in_nmi())
		return false;
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

/* The flags that this context allows. */
static __always_inline gfp_t kcoro_context_gfp(void)
{
	return kcoro_context_may_sleep() ? GFP_KERNEL : GFP_ATOMIC;
}

#endif /* KCORO_CONTEXT_H */
