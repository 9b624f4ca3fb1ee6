// SPDX-License-Identifier: GPL-2.0-only
/*
 * nmi.c - the frame pool at level NMI: a handler of ours does the work, and this
 * CPU's or another's local APIC is told to deliver an NMI to it.
 *
 * A cold NMI gets nothing (there is no reserve yet) but asks the worker for a
 * magazine; the next one finds it in the depot. Frees that find no room are deferred.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/nmi.h>

#include <kcoro/kcoro.h>

#include "test.h"

#define MANY 100

static struct {
	struct kcoro_pool *pool;
	void *frames[MANY];
	int want;	/* frames to allocate; then, or if 0 at once, frames are freed */
	int got;
	bool armed;
	int level_seen;
} nmi;

static int handler(unsigned int type, struct pt_regs *regs)
{
	int i;

	if (!READ_ONCE(nmi.armed))
		return NMI_DONE;
	nmi.level_seen = interrupt_context_level();
	if (nmi.want) {
		for (nmi.got = 0; nmi.got < nmi.want; nmi.got++) {
			nmi.frames[nmi.got] = kcoro_pool_alloc(nmi.pool, 256);
			if (!nmi.frames[nmi.got])
				break;
			memset(nmi.frames[nmi.got], nmi.got, 256);
		}
	}
	for (i = 0; i < nmi.got; i++)
		kcoro_pool_free(nmi.pool, nmi.frames[i], 256);
	/* What was counted is seen by who sees this: deliver(). */
	smp_store_release(&nmi.armed, false);
	return NMI_HANDLED;
}

/* One NMI on @cpu. False when it did not come within a second. */
static bool deliver(int cpu, int want)
{
	int i;

	nmi.want = want;
	/* The handler sees what is wanted when it sees this. */
	smp_store_release(&nmi.armed, true);
	__apic_send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	/* Pairs with the handler's release. */
	for (i = 0; i < 1000 && smp_load_acquire(&nmi.armed); i++)
		usleep_range(1000, 2000);
	return !nmi.armed;
}

static struct kcoro_frame_counters at_nmi(void)
{
	struct kcoro_frame_counters c;

	kcoro_pool_read(nmi.pool, KCORO_LEVEL_NMI, KCORO_CLASS_256B, &c);
	return c;
}

/* The worker gave the CPU a magazine. */
static bool refilled(u64 before)
{
	int i;

	for (i = 0; i < 1000 && at_nmi().refills == before; i++)
		usleep_range(1000, 2000);
	return at_nmi().refills > before;
}

static int all(int cpu)
{
	struct kcoro_frame_counters c;
	int i, first;

	EXPECT(deliver(cpu, 1));
	EXPECT(nmi.level_seen == KCORO_LEVEL_NMI);
	EXPECT(nmi.got == 0);
	EXPECT(at_nmi().failures == 1);
	EXPECT(refilled(0));

	/* As many as the magazine holds, and not one more; all go back into it. */
	EXPECT(deliver(cpu, MANY));
	first = nmi.got;
	EXPECT(first > 1 && first < MANY);
	EXPECT(refilled(1));
	EXPECT(deliver(cpu, first));
	EXPECT(nmi.got == first);
	c = at_nmi();
	EXPECT(c.allocs == 2 * first && c.frees == 2 * first);
	EXPECT(c.failures == 2);

	/* Frames of the task level, freed in NMI: what the magazines can't take is deferred. */
	for (i = 0; i < MANY; i++) {
		nmi.frames[i] = kcoro_pool_alloc(nmi.pool, 256);
		EXPECT(nmi.frames[i]);
	}
	nmi.got = MANY;
	EXPECT(deliver(cpu, 0));
	c = at_nmi();
	EXPECT(c.frees == 2 * first + MANY);
	EXPECT(c.deferred > 0 && c.deferred < MANY);
	EXPECT(c.free_misses >= c.deferred);
	return 0;
}

static int run(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "nmi" };
	int line;

	nmi.pool = kcoro_pool_create(&attr);
	EXPECT(!IS_ERR(nmi.pool));
	EXPECT(!register_nmi_handler(NMI_LOCAL, handler, 0, "kcoro_test"));
	line = all(cpumask_last(cpu_online_mask));
	unregister_nmi_handler(NMI_LOCAL, "kcoro_test");
	kcoro_pool_destroy(nmi.pool);
	return line;
}

const struct kcoro_test_case kcoro_nmi_cases[] = {
	{ "pool_nmi", run },
	{}
};
