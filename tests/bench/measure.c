// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure.c - one entry at one level: warm up, then many batches.
 *
 * The minimum is the operation alone; the median has in it what comes with it
 * every so often. What has nothing to do with it, a timer tick say, hits few
 * batches and shows in neither.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "bench.h"

#define WARM_UP 8
#define TRIES 50
#define HOLDS 8

static u64 totals[BENCH_BATCHES_MAX];
static void *slots[BENCH_BURST];
static void *held[HOLDS][BENCH_BURST];

/*
 * Does the counter count instructions? A loop of two is counted three times, to
 * the last one. A clock would hardly give these figures, let alone three times.
 */
bool bench_is_counted(void)
{
	const unsigned long loops = 10000;
	int i;

	for (i = 0; i < 3; i++) {
		unsigned long flags, n = loops;
		u64 begin, took;

		local_irq_save(flags);
		begin = rdtsc();
		asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
		took = rdtsc() - begin;
		local_irq_restore(flags);
		if (took < 2 * loops || took > 2 * loops + 20)
			return false;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static bool both_halves(const struct bench_entry *e, enum kcoro_level level, struct bench_batch *b)
{
	if (e->finish)
		bench_let_others_sleep();
	return bench_run_at(level, e->run, b) && (!e->finish || bench_run_elsewhere(e->finish, b));
}

static bool batch(const struct bench_entry *e, enum kcoro_level level, u64 *total)
{
	struct bench_batch b = { .slots = slots };
	bool ok;

	if (e->fresh && e->setup && e->setup(e))
		return false;
	ok = both_halves(e, level, &b);
	if (e->fresh && e->teardown)
		e->teardown();
	*total = b.total;
	cond_resched();
	return ok;
}

/* The first batches may find nothing: at some levels a pool is filled by somebody else. */
static bool warm_up(const struct bench_entry *e, enum kcoro_level level)
{
	int good = 0, tries;
	u64 unused;

	for (tries = 0; good < WARM_UP && tries < TRIES; tries++) {
		if (batch(e, level, &unused))
			good++;
		else
			msleep(2);
	}
	return good == WARM_UP;
}

static const char *all_batches(const struct bench_entry *e, enum kcoro_level level,
			       unsigned int batches)
{
	unsigned int n = 0, failed = 0;

	if (!warm_up(e, level))
		return "nothing to be had";
	/* Refills that the warm-up asked for are done, and the other CPUs are idle. */
	msleep(4);
	while (n < batches) {
		if (batch(e, level, &totals[n])) {
			n++;
			continue;
		}
		/* What fails every now and then is no figure either. */
		if (++failed > batches / 10)
			return "often nothing";
		msleep(2);
	}
	return NULL;
}

static unsigned int hold(const struct bench_entry *e)
{
	unsigned int i;

	for (i = 0; e->hold && i < HOLDS; i++) {
		struct bench_batch b = { .slots = held[i] };

		if (!e->hold(&b))
			break;
	}
	return i;
}

static void let_go(const struct bench_entry *e, unsigned int n)
{
	while (n--) {
		struct bench_batch b = { .slots = held[n] };

		e->let_go(&b);
	}
}

void bench_measure(const struct bench_entry *e, enum kcoro_level level, unsigned int batches,
		   struct bench_result *result)
{
	unsigned int holds;

	*result = (struct bench_result){};
	if (!e->fresh && e->setup && e->setup(e)) {
		result->reason = "set-up failed";
		return;
	}
	holds = hold(e);
	result->reason = all_batches(e, level, batches);
	let_go(e, holds);
	if (!e->fresh && e->teardown)
		e->teardown();
	if (result->reason)
		return;
	sort(totals, batches, sizeof(totals[0]), by_value, NULL);
	result->min = totals[0];
	result->median = totals[batches / 2];
}
