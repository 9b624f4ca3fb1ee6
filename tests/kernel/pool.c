// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool.c - the frame pool from inside the kernel, at the levels that can be
 * reached without outside help: task, softirq (BH off), hardirq (irq_work).
 * Level NMI has its own test, which needs an injected NMI.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <kcoro/kcoro.h>

#include "test.h"

#define MANY 300	/* more than any magazine and batch together hold */

#define FLOOD 4000	/* more than a depot keeps */

static void *frames[MANY];

static struct kcoro_frame_counters read_at(struct kcoro_pool *pool, unsigned int level,
					   unsigned int cls)
{
	struct kcoro_frame_counters c;

	kcoro_pool_read(pool, level, cls, &c);
	return c;
}

static s64 live(struct kcoro_pool *pool)
{
	unsigned int level, cls;
	s64 sum = 0;

	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			struct kcoro_frame_counters c = read_at(pool, level, cls);

			sum += c.allocs - c.frees;
		}
	}
	return sum;
}

static struct kcoro_pool *private_pool(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "test" };

	return kcoro_pool_create(&attr);
}

static int sizes(void)
{
	unsigned int cls;
	size_t size;

	EXPECT(kcoro_size_class(1) == KCORO_CLASS_64B);
	EXPECT(kcoro_size_class(64) == KCORO_CLASS_64B);
	EXPECT(kcoro_size_class(65) == KCORO_CLASS_128B);
	EXPECT(kcoro_size_class(128) == KCORO_CLASS_128B);
	EXPECT(kcoro_size_class(129) == KCORO_CLASS_192B);
	EXPECT(kcoro_size_class(192) == KCORO_CLASS_192B);
	EXPECT(kcoro_size_class(193) == KCORO_CLASS_256B);
	EXPECT(kcoro_size_class(8192) == KCORO_CLASS_8192B);
	EXPECT(kcoro_size_class(8193) == KCORO_CLASSES);
	EXPECT(kcoro_size_class(0) == KCORO_CLASSES);
	EXPECT(kcoro_size_class(SIZE_MAX) == KCORO_CLASSES);
	/* The same where the size is known only at run time: each class holds what it says. */
	for (size = 1; size <= KCORO_FRAME_SIZE_MAX; size++) {
		cls = kcoro_size_class(size);
		EXPECT(size <= KCORO_CLASS_SIZE(cls));
		EXPECT(!cls || size > KCORO_CLASS_SIZE(cls - 1));
	}
	EXPECT(!kcoro_pool_alloc(kcoro_pool_default(), 0));
	EXPECT(!kcoro_pool_alloc(kcoro_pool_default(), KCORO_FRAME_LARGE_MAX + 1));
	return 0;
}

static int bad_attributes(void)
{
	struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "test" };
	struct kcoro_frame_counters c;

	EXPECT(PTR_ERR(kcoro_pool_create(NULL)) == -EINVAL);
	attr.size--;
	EXPECT(PTR_ERR(kcoro_pool_create(&attr)) == -EINVAL);
	attr.size++;
	attr.name = "sixteen letters!";
	EXPECT(PTR_ERR(kcoro_pool_create(&attr)) == -EINVAL);
	attr.name = "";
	EXPECT(PTR_ERR(kcoro_pool_create(&attr)) == -EINVAL);
	attr.name = "test";
	attr.flags = 1U << 31;
	EXPECT(PTR_ERR(kcoro_pool_create(&attr)) == -EINVAL);
	attr.flags = 0;
	attr.reserved[4] = 1;
	EXPECT(PTR_ERR(kcoro_pool_create(&attr)) == -EINVAL);
	attr.reserved[4] = 0;
	attr.quota = U64_MAX;
	EXPECT(PTR_ERR(kcoro_pool_create(&attr)) == -EINVAL);
	EXPECT(kcoro_pool_read(kcoro_pool_default(), KCORO_LEVELS, 0, &c) == -EINVAL);
	EXPECT(kcoro_pool_read(kcoro_pool_default(), 0, KCORO_CLASSES, &c) == -EINVAL);
	kcoro_pool_destroy(NULL);
	return 0;
}

/* A free with a size that no allocation can have changes nothing, not even a counter. */
static int bad_free(void)
{
	struct kcoro_pool *pool = private_pool();
	bool unchanged = false, balanced;
	void *frame;

	EXPECT(!IS_ERR(pool));
	frame = kcoro_pool_alloc(pool, 64);
	if (frame) {
		kcoro_pool_free(pool, frame, 0);
		kcoro_pool_free(pool, frame, KCORO_FRAME_LARGE_MAX + 1);
		kcoro_pool_free(pool, frame, SIZE_MAX);
		kcoro_pool_free(pool, NULL, 64);
		unchanged = live(pool) == 1;
		kcoro_pool_free(pool, frame, 64);
	}
	balanced = live(pool) == 0;
	/* Also where the fault point took the frame away: the pool must go. */
	kcoro_pool_destroy(pool);
	EXPECT(frame && unchanged && balanced);
	return 0;
}

/* MANY frames of a size at once: distinct, aligned, writable to the last byte, freed. */
static int burst(struct kcoro_pool *pool, size_t size)
{
	int i;

	for (i = 0; i < MANY; i++) {
		frames[i] = kcoro_pool_alloc(pool, size);
		EXPECT(frames[i]);
		EXPECT(IS_ALIGNED((unsigned long)frames[i], 64));
		memset(frames[i], i, size);
	}
	for (i = 0; i < MANY; i++) {
		EXPECT(!memchr_inv(frames[i], i & 0xff, size));
		kcoro_pool_free(pool, frames[i], size);
	}
	return 0;
}

static int every_class(void)
{
	struct kcoro_pool *pool = private_pool();
	unsigned int cls;

	EXPECT(!IS_ERR(pool));
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		struct kcoro_frame_counters c;
		int line = burst(pool, KCORO_CLASS_SIZE(cls));

		if (line)
			return line;
		c = read_at(pool, KCORO_LEVEL_TASK, cls);
		EXPECT(c.allocs == MANY);
		EXPECT(c.frees == MANY);
		EXPECT(c.failures == 0);
		EXPECT(c.refills > 0 && c.refills <= c.alloc_misses);
		EXPECT(c.drains <= c.free_misses);
	}
	EXPECT(live(pool) == 0);
	kcoro_pool_destroy(pool);
	return 0;
}

/* Frames beyond what magazines and depot keep go to the slab, and a second burst finds the rest. */
static int beyond_the_depot(void)
{
	struct kcoro_pool *pool = private_pool();
	struct kcoro_frame_counters first, second;
	void **many;
	int i, round;

	EXPECT(!IS_ERR(pool));
	many = kvcalloc(FLOOD, sizeof(*many), GFP_KERNEL);
	EXPECT(many);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < FLOOD; i++) {
			many[i] = kcoro_pool_alloc(pool, 1024);
			EXPECT(many[i]);
		}
		for (i = 0; i < FLOOD; i++)
			kcoro_pool_free(pool, many[i], 1024);
		second = read_at(pool, KCORO_LEVEL_TASK, KCORO_CLASS_1024B);
		EXPECT(second.drains > 0);
		if (!round)
			first = second;
	}
	kvfree(many);
	EXPECT(live(pool) == 0);
	EXPECT(second.exchanges > first.exchanges);
	EXPECT(second.refills - first.refills < first.refills);
	kcoro_pool_destroy(pool);
	return 0;
}

/*
 * A burst that fits into magazines and depot: after the first round nothing comes
 * from the slab, and each magazine that moves serves all its frames.
 */
static int burst_is_cached(void)
{
	struct kcoro_pool *pool = private_pool();
	struct kcoro_frame_counters first, second;
	int i, line;

	EXPECT(!IS_ERR(pool));
	migrate_disable();
	line = burst(pool, 128);
	if (!line)
		line = burst(pool, 128);
	first = read_at(pool, KCORO_LEVEL_TASK, KCORO_CLASS_128B);
	for (i = 0; i < 10 && !line; i++)
		line = burst(pool, 128);
	second = read_at(pool, KCORO_LEVEL_TASK, KCORO_CLASS_128B);
	migrate_enable();
	if (line)
		return line;
	EXPECT(second.refills == first.refills);
	EXPECT(second.drains == first.drains);
	EXPECT(second.exchanges > first.exchanges);
	EXPECT((second.exchanges - first.exchanges) * 32 <= 2 * 10 * MANY);
	kcoro_pool_destroy(pool);
	return 0;
}

/* The second allocation of a hot pair comes from the magazine, and is the same frame. */
static int hot_pair_hits(void)
{
	struct kcoro_pool *pool = private_pool();
	struct kcoro_frame_counters before, after;
	void *first, *second;
	int i;

	EXPECT(!IS_ERR(pool));
	kcoro_pool_free(pool, kcoro_pool_alloc(pool, 128), 128);
	migrate_disable();
	kcoro_pool_free(pool, kcoro_pool_alloc(pool, 128), 128);
	before = read_at(pool, KCORO_LEVEL_TASK, KCORO_CLASS_128B);
	for (i = 0; i < 1000; i++) {
		first = kcoro_pool_alloc(pool, 128);
		kcoro_pool_free(pool, first, 128);
		second = kcoro_pool_alloc(pool, 128);
		kcoro_pool_free(pool, second, 128);
		if (first != second)
			break;
	}
	migrate_enable();
	after = read_at(pool, KCORO_LEVEL_TASK, KCORO_CLASS_128B);
	EXPECT(i == 1000);
	EXPECT(after.allocs - before.allocs == 2000);
	EXPECT(after.alloc_misses == before.alloc_misses);
	EXPECT(after.free_misses == before.free_misses);
	kcoro_pool_destroy(pool);
	return 0;
}

static int bh_off(void)
{
	struct kcoro_pool *pool = private_pool();
	struct kcoro_frame_counters c;
	int line = 0, i;

	EXPECT(!IS_ERR(pool));
	/* BH off is SOFTIRQ_DISABLE_OFFSET, not SOFTIRQ_OFFSET: it counts as task. */
	local_bh_disable();
	for (i = 0; i < MANY && !line; i++) {
		frames[i] = kcoro_pool_alloc(pool, 256);
		if (!frames[i])
			line = __LINE__;
	}
	while (i--)
		kcoro_pool_free(pool, frames[i], 256);
	local_bh_enable();
	EXPECT(!line);
	c = read_at(pool, KCORO_LEVEL_TASK, KCORO_CLASS_256B);
	EXPECT(c.allocs == MANY && c.frees == MANY);
	EXPECT(live(pool) == 0);
	kcoro_pool_destroy(pool);
	return 0;
}

/* The same work at a level of its own: in a tasklet, in hardirq. */
struct elsewhere {
	struct irq_work irq_work;
	struct tasklet_struct tasklet;
	struct completion done;
	struct kcoro_pool *pool;
	int line;
};

static int burst_atomic(struct kcoro_pool *pool, unsigned int level)
{
	struct kcoro_frame_counters c;
	int i, got = 0;

	for (i = 0; i < MANY; i++) {
		frames[i] = kcoro_pool_alloc(pool, 512);
		if (!frames[i])
			break;
		got++;
		memset(frames[i], i, 512);
	}
	for (i = 0; i < got; i++)
		kcoro_pool_free(pool, frames[i], 512);
	c = read_at(pool, level, KCORO_CLASS_512B);
	EXPECT(c.allocs == got);
	EXPECT(c.frees == got);
	/* On PREEMPT_RT the slab is out of bounds here, and failing is right. */
	EXPECT(got == MANY || IS_ENABLED(CONFIG_PREEMPT_RT));
	return 0;
}

static void in_irq_work(struct irq_work *work)
{
	struct elsewhere *e = container_of(work, struct elsewhere, irq_work);

	e->line = burst_atomic(e->pool, KCORO_LEVEL_HARDIRQ);
	complete(&e->done);
}

static void in_tasklet(struct tasklet_struct *tasklet)
{
	struct elsewhere *e = container_of(tasklet, struct elsewhere, tasklet);

	e->line = burst_atomic(e->pool, IS_ENABLED(CONFIG_PREEMPT_RT) ? KCORO_LEVEL_TASK :
							       KCORO_LEVEL_SOFTIRQ);
	complete(&e->done);
}

static int hardirq_level(void)
{
	struct elsewhere e = { .pool = private_pool() };

	EXPECT(!IS_ERR(e.pool));
	init_completion(&e.done);
	e.irq_work = IRQ_WORK_INIT_HARD(in_irq_work);
	irq_work_queue(&e.irq_work);
	wait_for_completion(&e.done);
	irq_work_sync(&e.irq_work);
	EXPECT(!e.line);
	EXPECT(live(e.pool) == 0);
	kcoro_pool_destroy(e.pool);
	return 0;
}

static int softirq_level(void)
{
	struct elsewhere e = { .pool = private_pool() };

	EXPECT(!IS_ERR(e.pool));
	init_completion(&e.done);
	tasklet_setup(&e.tasklet, in_tasklet);
	tasklet_schedule(&e.tasklet);
	wait_for_completion(&e.done);
	tasklet_kill(&e.tasklet);
	EXPECT(!e.line);
	EXPECT(live(e.pool) == 0);
	kcoro_pool_destroy(e.pool);
	return 0;
}

static void free_all(void *pool)
{
	int i;

	for (i = 0; i < MANY; i++)
		kcoro_pool_free(pool, frames[i], 1024);
}

/* Allocated here, freed in hardirq of another CPU: balanced by class, not by level. */
static int freed_elsewhere(void)
{
	struct kcoro_pool *pool = private_pool();
	int i, cpu;

	EXPECT(!IS_ERR(pool));
	for (i = 0; i < MANY; i++) {
		frames[i] = kcoro_pool_alloc(pool, 1024);
		EXPECT(frames[i]);
	}
	EXPECT(live(pool) == MANY);
	cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	if (cpu >= nr_cpu_ids)
		cpu = 0;
	smp_call_function_single(cpu, free_all, pool, 1);
	EXPECT(live(pool) == 0);
	kcoro_pool_destroy(pool);
	return 0;
}

const struct kcoro_test_case kcoro_pool_cases[] = {
	{ "pool_sizes", sizes },
	{ "pool_bad_attributes", bad_attributes },
	{ "pool_bad_free", bad_free },
	{ "pool_every_class", every_class },
	{ "pool_beyond_the_depot", beyond_the_depot },
	{ "pool_burst_is_cached", burst_is_cached },
	{ "pool_hot_pair_hits", hot_pair_hits },
	{ "pool_bh_off", bh_off },
	{ "pool_softirq", softirq_level },
	{ "pool_hardirq", hardirq_level },
	{ "pool_freed_elsewhere", freed_elsewhere },
	{}
};
