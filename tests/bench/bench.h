/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - kcoro_bench.ko: a table of entries, each measured at each level that
 * it may run at.
 *
 * main.c        choose entries, measure them when the module is loaded, hand out rows
 * measure.c     one entry at one level: warm up, many batches, minimum and median
 * levels.c      run a batch at a level, or on another CPU
 * count.c       the kfunc by which BPF programs read the same counter
 * alloc_free.c  entries: allocators, hot, in bursts and across CPUs
 * cold.c        entries: the first allocation
 * coro.c        entries: coroutines, and the kernel's own ways beside them
 * cxx.c         entries: coroutines in C++
 *
 * To add a row: write a function that runs a batch between bench_begin() and
 * bench_end(), and add one struct bench_entry for it to a table; main.c lists the
 * tables. To add a table: declare it below and list it there.
 */
#ifndef KCORO_BENCH_H
#define KCORO_BENCH_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/msr.h>

#include <kcoro/abi.h>

#define BENCH_PAIRS 64		/* pairs in a hot batch */
#define BENCH_BURST 256		/* pairs in a batch of the other patterns */
#define BENCH_BATCHES_MAX 1000

/* Where an entry may run. Real-time kernels forbid their slab where it can't sleep. */
#define BENCH_TASK BIT(KCORO_LEVEL_TASK)
#define BENCH_SOFTIRQ BIT(KCORO_LEVEL_SOFTIRQ)
#define BENCH_HARDIRQ BIT(KCORO_LEVEL_HARDIRQ)
#define BENCH_NMI BIT(KCORO_LEVEL_NMI)
#define BENCH_ANY (BENCH_TASK | BENCH_SOFTIRQ | BENCH_HARDIRQ | BENCH_NMI)
#define BENCH_SLAB \
	(BENCH_TASK | BENCH_SOFTIRQ | (IS_ENABLED(CONFIG_PREEMPT_RT) ? 0 : BENCH_HARDIRQ))

struct bench_batch {
	u64 begin;	/* the counter when the measured part began */
	u64 total;	/* counted in the measured parts so far */
	void **slots;	/* room for BENCH_BURST pointers */
};

/**
 * struct bench_entry - something to measure
 * @subject: what is measured, @operation: what it does, @pattern: how
 * @size: bytes of the object, 0 where there is none
 * @pairs: operations in a batch; the figures are per one of them
 * @levels: BENCH_* where it may run
 * @fresh: set up and tear down around every batch, not once for all of them
 * @setup: process context, before the first batch; 0 or -errno. May be NULL
 * @teardown: process context, after the last batch. May be NULL
 * @hold: run eight times before the first batch, at task level, and what it got is
 *	kept: so it gets all that others left in a cache that is shared, and the
 *	figures don't depend on that. May be NULL
 * @let_go: gives back what a @hold got, after the last batch
 * @run: one batch, at the level. False when something was not to be had; then it
 *	has given back all it got
 * @finish: its second half, at task level on another CPU; NULL: all is done by
 *	@run. Called only when @run was well; must give back all that @run got
 */
struct bench_entry {
	const char *subject;
	const char *operation;
	const char *pattern;
	unsigned int size;
	unsigned int pairs;
	unsigned long levels;
	bool fresh;
	int (*setup)(const struct bench_entry *e);
	void (*teardown)(void);
	bool (*hold)(struct bench_batch *b);
	bool (*let_go)(struct bench_batch *b);
	bool (*run)(struct bench_batch *b);
	bool (*finish)(struct bench_batch *b);
};

/* Ends with an entry without subject. */
extern const struct bench_entry bench_alloc_free[];
extern const struct bench_entry bench_cold[];
extern const struct bench_entry bench_coro[];
extern const struct bench_entry bench_cxx[];

/* Under counted instructions the TSC goes up by one with each: no rdtsc_ordered(). */
static __always_inline void bench_begin(struct bench_batch *b)
{
	barrier();
	b->begin = rdtsc();
	barrier();
}

static __always_inline void bench_end(struct bench_batch *b)
{
	barrier();
	b->total += rdtsc() - b->begin;
	barrier();
}

/* measure.c */
struct bench_result {
	u64 min;	/* of a batch */
	u64 median;
	const char *reason;	/* why there are no figures, or NULL */
};

bool bench_is_counted(void);
void bench_measure(const struct bench_entry *e, enum kcoro_level level, unsigned int batches,
		   struct bench_result *result);

/* levels.c; process context. The result is the function's; false too when the level was missed. */
int bench_levels_init(void);
void bench_levels_exit(void);
bool bench_run_at(enum kcoro_level level, bool (*run)(struct bench_batch *b),
		  struct bench_batch *b);
bool bench_run_elsewhere(bool (*run)(struct bench_batch *b), struct bench_batch *b);
void bench_let_others_sleep(void);

/* count.c */
int bench_count_init(void);

#endif /* KCORO_BENCH_H */
