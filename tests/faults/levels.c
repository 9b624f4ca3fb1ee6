// SPDX-License-Identifier: GPL-2.0-only
/*
 * levels.c - frames allocated and freed at every level on one CPU, any of them refused.
 *
 * In NMI, and on PREEMPT_RT in hardirq, the first ones find no magazine and are
 * refused without anybody's doing; a worker brings one. So each level is tried until
 * it was served, and what counts is its last round and that the counters agree.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/nmi.h>

#include "scenario.h"

#define EACH 3
#define SIZE 256
#define TRIES 50

static struct kcoro_pool *pool;
static u64 refused[KCORO_LEVELS];
static unsigned int last_refused;	/* in the round that was last */
static struct completion done;
static bool nmi_armed;

/* One round, at the level of the caller. */
static void round_here(void)
{
	unsigned int level = interrupt_context_level(), i;
	void *frames[EACH];

	last_refused = 0;
	for (i = 0; i < EACH; i++) {
		frames[i] = kcoro_pool_alloc_gfp(pool, SIZE, GFP_ATOMIC | __GFP_NOWARN);
		last_refused += !frames[i];
	}
	for (i = 0; i < EACH; i++)
		kcoro_pool_free(pool, frames[i], SIZE);
	refused[level] += last_refused;
}

static void in_tasklet(struct tasklet_struct *unused)
{
	round_here();
	complete(&done);
}

static void in_irq_work(struct irq_work *unused)
{
	round_here();
	complete(&done);
}

static int in_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	if (!READ_ONCE(nmi_armed))
		return NMI_DONE;
	round_here();
	/* The round's results are seen by who sees this: by_nmi(). */
	smp_store_release(&nmi_armed, false);
	return NMI_HANDLED;
}

static int by_task(void)
{
	round_here();
	return 0;
}

static int by_softirq(void)
{
	static DECLARE_TASKLET(tasklet, in_tasklet);

	tasklet_schedule(&tasklet);
	wait_for_completion(&done);
	tasklet_unlock_wait(&tasklet);
	return 0;
}

static int by_hardirq(void)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(in_irq_work);

	irq_work_queue(&work);
	wait_for_completion(&done);
	irq_work_sync(&work);
	return 0;
}

static int by_nmi(void)
{
	unsigned int i;

	/* The handler sees what the round needs when it sees this. */
	smp_store_release(&nmi_armed, true);
	__apic_send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
	/* Pairs with the handler's release. */
	for (i = 0; i < 1000 && smp_load_acquire(&nmi_armed); i++)
		usleep_range(1000, 2000);
	EXPECT(!nmi_armed);
	return 0;
}

static int each_level(unsigned int *missing)
{
	static int (*const by[KCORO_LEVELS])(void) = { by_task, by_softirq, by_hardirq, by_nmi };
	unsigned int level, tries;
	int err;

	for (level = 0; level < KCORO_LEVELS; level++) {
		for (tries = 0; tries < TRIES; tries++) {
			err = by[level]();
			if (err)
				return err;
			if (last_refused < EACH)
				break;
			msleep(20);
		}
		EXPECT(tries < TRIES);
		*missing += last_refused;
	}
	return 0;
}

int faults_levels(void)
{
	static const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "levels" };
	struct kcoro_frame_counters c;
	unsigned int level, missing = 0;
	struct faults_sum sum;
	int err;

	pool = kcoro_pool_create(&attr);
	if (IS_ERR(pool)) {
		EXPECT(PTR_ERR(pool) == -ENOMEM);
		return -ENOMEM;
	}
	memset(refused, 0, sizeof(refused));
	init_completion(&done);
	err = register_nmi_handler(NMI_LOCAL, in_nmi_handler, 0, "kcoro_faults");
	if (err) {
		kcoro_pool_destroy(pool);
		return err;
	}
	migrate_disable();
	err = each_level(&missing);
	migrate_enable();
	unregister_nmi_handler(NMI_LOCAL, "kcoro_faults");
	for (level = 0; level < KCORO_LEVELS && !err; level++) {
		kcoro_pool_read(pool, level, KCORO_CLASS_256B, &c);
		if (c.failures != refused[level]) {
			pr_err("kcoro_faults: level %u: %llu refused, %llu counted\n", level,
			       refused[level], c.failures);
			err = -EINVAL;
		}
	}
	sum = faults_sum(pool);
	kcoro_pool_destroy(pool);
	if (err)
		return err;
	EXPECT(sum.live == 0);
	return missing ? -ENOMEM : 0;
}
