// SPDX-License-Identifier: GPL-2.0-only
/*
 * depot.c - the depot and what gives memory back, with a look at the pool's inside:
 * what happens at the depot's lock, under memory pressure and when a pool is idle.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#include "../../kmod/context.h"
#include "../../kmod/pool/pool.h"
#include "at_level.h"
#include "test.h"

#define FLOOD 2000	/* frames: more than magazines keep */
#define SIZE 1024
#define FLOOD_CLASS KCORO_CLASS_1024B

static struct kcoro_pool *flooded_pool(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "flooded" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	void **frames;
	int i;

	if (IS_ERR(pool))
		return pool;
	frames = kvcalloc(FLOOD, sizeof(*frames), GFP_KERNEL);
	for (i = 0; frames && i < FLOOD; i++)
		frames[i] = kcoro_pool_alloc(pool, SIZE);
	for (i = 0; frames && i < FLOOD; i++)
		kcoro_pool_free(pool, frames[i], SIZE);
	kvfree(frames);
	return pool;
}

/* Allocates one and frees it. */
static bool touch(struct kcoro_pool *pool, size_t size)
{
	void *frame = kcoro_pool_alloc(pool, size);

	kcoro_pool_free(pool, frame, size);
	return frame;
}

static u32 in_depots(struct kcoro_pool *pool)
{
	u32 sum = 0;
	int node;

	for_each_node(node)
		sum += READ_ONCE(pool->depots[node][FLOOD_CLASS].full.length);
	return sum;
}

static bool class_has_magazines(struct kcoro_pool *pool, unsigned int cls)
{
	unsigned int level;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		for (level = 0; level < KCORO_LEVELS; level++)
			/* The one without capacity stands for none. */
			if (READ_ONCE(pc->loaded[kcoro_slot(level, cls)])->capacity ||
			    READ_ONCE(pc->spare[kcoro_slot(level, cls)])->capacity)
				return true;
	}
	return false;
}

static bool cpus_have_magazines(struct kcoro_pool *pool)
{
	unsigned int cls;

	for (cls = 0; cls < KCORO_CLASSES; cls++)
		if (class_has_magazines(pool, cls))
			return true;
	return false;
}

/* Once: flushing would run it a second time when it has queued itself again by then. */
static void run_idle_work(struct kcoro_pool *pool)
{
	struct work_struct *work = &pool->idle_work.work;
	int cpu;

	cancel_delayed_work_sync(&pool->idle_work);
	work->func(work);
	for_each_online_cpu(cpu)
		flush_work(&per_cpu_ptr(pool->cpu, cpu)->trim_work);
}

static bool soon_without_magazines(struct kcoro_pool *pool)
{
	int i;

	for (i = 0; i < 1000 && cpus_have_magazines(pool); i++)
		usleep_range(1000, 2000);
	return !cpus_have_magazines(pool);
}

/*
 * What a probe meets that runs while this CPU has a depot's lock: neither slab nor lock,
 * so an allocation that finds no magazine fails, and such a free is deferred.
 */
static int at_the_lock(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "locked" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	struct kcoro_frame_counters c;
	struct kcoro_pool_cpu *pc;
	void *before, *inside;

	EXPECT(!IS_ERR(pool));
	/* Of another class, so that the magazines of the one below are not there yet. */
	before = kcoro_pool_alloc(pool, SIZE);
	local_irq_disable();
	pc = this_cpu_ptr(pool->cpu);
	raw_spin_lock(&pool->depots[pc->node][KCORO_CLASS_128B].lock);
	__this_cpu_write(kcoro_in_depot, true);
	inside = kcoro_pool_alloc(pool, 128);
	__this_cpu_write(kcoro_in_depot, false);
	raw_spin_unlock(&pool->depots[pc->node][KCORO_CLASS_128B].lock);
	raw_spin_lock(&pool->depots[pc->node][FLOOD_CLASS].lock);
	__this_cpu_write(kcoro_in_depot, true);
	/* Both magazines away, so that there is no room. */
	swap(pc->loaded[FLOOD_CLASS], pc->loaded[KCORO_CLASS_8192B]);
	kcoro_pool_free(pool, before, SIZE);
	swap(pc->loaded[FLOOD_CLASS], pc->loaded[KCORO_CLASS_8192B]);
	__this_cpu_write(kcoro_in_depot, false);
	raw_spin_unlock(&pool->depots[pc->node][FLOOD_CLASS].lock);
	local_irq_enable();
	kcoro_pool_free(pool, inside, 128);
	kcoro_pool_read(pool, KCORO_LEVEL_TASK, FLOOD_CLASS, &c);
	kcoro_pool_destroy(pool);
	EXPECT(before && !inside);
	EXPECT(c.allocs == 1 && c.frees == 1 && c.deferred == 1);
	return 0;
}

/* The shrinker empties the depots, and the CPUs' magazines a little later. */
static int shrink(void)
{
	struct kcoro_pool *pool = flooded_pool();
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = ULONG_MAX };
	unsigned long counted, freed = 0, left = 0;
	u32 cached;
	bool empty;

	EXPECT(!IS_ERR(pool));
	cached = in_depots(pool);
	counted = 0;
	for_each_online_node(sc.nid) {
		counted += pool->shrinker->count_objects(pool->shrinker, &sc);
		freed += pool->shrinker->scan_objects(pool->shrinker, &sc);
	}
	empty = soon_without_magazines(pool) && !in_depots(pool);
	for_each_online_node(sc.nid)
		left += pool->shrinker->count_objects(pool->shrinker, &sc) != SHRINK_EMPTY;
	kcoro_pool_destroy(pool);
	EXPECT(cached > 0);
	EXPECT(freed > 0 && freed <= counted);
	EXPECT(empty && !left);
	return 0;
}

/* Two runs of the idle work with nothing between them: nothing is cached any more. */
static int idle(void)
{
	struct kcoro_pool *pool = flooded_pool();
	bool cached, empty;
	int i;

	EXPECT(!IS_ERR(pool));
	cached = in_depots(pool) > 0;
	for (i = 0; i < 2; i++)
		run_idle_work(pool);
	empty = soon_without_magazines(pool) && !in_depots(pool);
	kcoro_pool_destroy(pool);
	EXPECT(cached && empty);
	return 0;
}

/* A class in use keeps what it has, and another one of the same CPU gives up all it has. */
static int idle_by_class(void)
{
	struct kcoro_pool *pool = flooded_pool();
	bool used = true, had = false, kept, gone;
	int i;

	EXPECT(!IS_ERR(pool));
	migrate_disable();
	for (i = 0; i < 3; i++) {
		used = used && touch(pool, 128);
		if (!i)
			had = class_has_magazines(pool, FLOOD_CLASS);
		run_idle_work(pool);
	}
	kept = class_has_magazines(pool, KCORO_CLASS_128B);
	gone = !class_has_magazines(pool, FLOOD_CLASS) && !in_depots(pool);
	migrate_enable();
	kcoro_pool_destroy(pool);
	EXPECT(used && had && kept);
	EXPECT(gone);
	return 0;
}

/* Bursts of a large class, over and over: from the third one on all of it is cached. */
#define BURST 256
#define BURST_SIZE 2048
#define BURST_CLASS KCORO_CLASS_2048B

/* Batches from and to the slab that one took, or -1. */
static s64 burst(struct kcoro_pool *pool, void **frames)
{
	struct kcoro_frame_counters before, after;
	int n, i;

	kcoro_pool_read(pool, KCORO_LEVEL_TASK, BURST_CLASS, &before);
	for (n = 0; n < BURST; n++) {
		frames[n] = kcoro_pool_alloc(pool, BURST_SIZE);
		if (!frames[n])
			break;
	}
	for (i = 0; i < n; i++)
		kcoro_pool_free(pool, frames[i], BURST_SIZE);
	kcoro_pool_read(pool, KCORO_LEVEL_TASK, BURST_CLASS, &after);
	return n < BURST ? -1 : after.refills - before.refills + after.drains - before.drains;
}

static u32 room_of(struct kcoro_pool *pool)
{
	u32 sum = 0;
	int node;

	for_each_node(node)
		sum += READ_ONCE(pool->depots[node][BURST_CLASS].room.extra);
	return sum;
}

static int room(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "room" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = ULONG_MAX };
	void **frames = kvcalloc(BURST, sizeof(*frames), GFP_KERNEL);
	u32 once, again, idle, shrunk;
	s64 batches[8], last;
	int i;

	EXPECT(!IS_ERR(pool) && frames);
	migrate_disable();
	batches[0] = burst(pool, frames);
	once = room_of(pool);
	for (i = 1; i < ARRAY_SIZE(batches); i++)
		batches[i] = burst(pool, frames);
	again = room_of(pool);
	/* Looks while it is in use take nothing. */
	for (i = 0; i < 3; i++) {
		run_idle_work(pool);
		last = burst(pool, frames);
	}
	for (i = 0; i < 3; i++)
		run_idle_work(pool);
	idle = room_of(pool);
	for (i = 0; i < 3; i++)
		burst(pool, frames);
	for_each_online_node(sc.nid)
		pool->shrinker->scan_objects(pool->shrinker, &sc);
	shrunk = room_of(pool);
	migrate_enable();
	kvfree(frames);
	kcoro_pool_destroy(pool);
	pr_info("kcoro_test: batches of bursts of %d frames of %d bytes: %lld, %lld, %lld, then %lld; room for %u more\n",
		BURST, BURST_SIZE, batches[0], batches[1], batches[2], batches[7], again);
	EXPECT(batches[0] > 0 && !once);
	EXPECT(batches[7] == 0 && last == 0);
	EXPECT(again > 0 && again <= kcoro_depot_most(BURST_CLASS));
	EXPECT(!idle && !shrunk);
	return 0;
}

/*
 * Two bursts that leave the depot with full and empty magazines, then allocations until
 * one misses, frees until one misses, and so on: no order of operations misses more often.
 */
#define WORST_MOST 600

struct worst {
	struct kcoro_pool *pool;
	unsigned int cls;
	int line;
	u64 operations, misses;
	enum kcoro_level level;	/* seen there: on PREEMPT_RT a tasklet is a task */
	unsigned int have;
	void *frames[WORST_MOST];
};

static bool worst_alloc(struct worst *w)
{
	if (w->have == WORST_MOST)
		return false;
	w->frames[w->have] = kcoro_pool_alloc(w->pool, kcoro_class_size(w->cls));
	w->operations++;
	return w->frames[w->have] ? ++w->have : false;
}

static bool worst_free(struct worst *w)
{
	if (!w->have)
		return false;
	kcoro_pool_free(w->pool, w->frames[--w->have], kcoro_class_size(w->cls));
	w->operations++;
	return true;
}

static u64 worst_misses(const struct kcoro_slot_counters *c)
{
	return kcoro_count_of(c, KCORO_COUNT_ALLOC_MISS) + kcoro_count_of(c, KCORO_COUNT_FREE_MISS);
}

static u64 worst_slab(const struct kcoro_slot_counters *c)
{
	return kcoro_count_of(c, KCORO_COUNT_REFILL) + kcoro_count_of(c, KCORO_COUNT_DRAIN);
}

static int worst_rounds(struct worst *w)
{
	struct kcoro_pool_cpu *pc = raw_cpu_ptr(w->pool->cpu);
	enum kcoro_level level = kcoro_context_level();
	const struct kcoro_slot_counters *c = &pc->count[kcoro_slot(level, w->cls)];
	u64 exchanges, slab;
	u32 capacity = kcoro_magazine_capacity(level, w->cls);
	u64 operations, before;
	int i;

	w->level = level;
	EXPECT(5 * capacity < WORST_MOST);
	for (i = 0; i < 2; i++) {
		while (w->have < 5 * capacity)
			EXPECT(worst_alloc(w));
		while (w->have)
			EXPECT(worst_free(w));
	}
	while (w->have < 2 * capacity)
		EXPECT(worst_alloc(w));
	exchanges = kcoro_count_of(c, KCORO_COUNT_EXCHANGE);
	w->misses = worst_misses(c);
	slab = worst_slab(c);
	w->operations = 0;
	for (i = 0; i < 100; i++) {
		before = worst_misses(c);
		while (worst_misses(c) == before)
			EXPECT(worst_alloc(w));
		before = worst_misses(c);
		while (worst_misses(c) == before)
			EXPECT(worst_free(w));
	}
	operations = w->operations;
	w->misses = worst_misses(c) - w->misses;
	/* All that missed was an exchange, and the slab was left alone. */
	EXPECT(kcoro_count_of(c, KCORO_COUNT_EXCHANGE) - exchanges == w->misses);
	EXPECT(worst_slab(c) == slab);
	/* Just behind an exchange a hot pair never misses. */
	before = worst_misses(c);
	for (i = 0; i < 1000; i++)
		EXPECT(worst_alloc(w) && worst_free(w));
	EXPECT(worst_misses(c) == before);
	w->operations = operations;
	return 0;
}

static void worst_here(void *arg)
{
	struct worst *w = arg;

	w->line = worst_rounds(w);
	while (w->have)
		worst_free(w);
}

static int worst_of(struct worst *w, enum kcoro_level level, unsigned int cls)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "worst" };
	bool reached;

	w->pool = kcoro_pool_create(&attr);
	EXPECT(!IS_ERR(w->pool));
	w->cls = cls;
	migrate_disable();
	reached = at_level(level, worst_here, w);
	migrate_enable();
	kcoro_pool_destroy(w->pool);
	if (w->line)
		return w->line;
	EXPECT(reached && w->misses == 200);
	pr_info("kcoro_test: worst case of %zu bytes at level %d: the depot once in %llu operations\n",
		kcoro_class_size(cls), w->level, w->operations / w->misses);
	EXPECT(w->operations >= 32 * w->misses);
	return 0;
}

/* For sizes up to 512 bytes; larger ones have fewer frames in a magazine. */
static int worst_pattern(void)
{
	static const enum kcoro_level levels[] = { KCORO_LEVEL_TASK, KCORO_LEVEL_SOFTIRQ };
	struct worst *w = kzalloc(sizeof(*w), GFP_KERNEL);
	unsigned int cls;
	int i, line = 0;

	EXPECT(w);
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		for (cls = 0; cls <= KCORO_CLASS_512B && !line; cls++)
			line = worst_of(w, levels[i], cls);
	kfree(w);
	return line;
}

struct nested {
	struct kcoro_pool *pool;
	void *frame, *got;
	bool busy;
};

/* An NMI between two instructions of another NMI's window: it finds the window's mark. */
static void in_nested_nmi(void *arg)
{
	struct kcoro_pool_cpu *pc;
	struct nested *n = arg;

	pc = raw_cpu_ptr(n->pool->cpu);
	pc->nmi_busy = 1;
	n->got = kcoro_pool_alloc(n->pool, 128);
	kcoro_pool_free(n->pool, n->frame, 128);
	n->busy = pc->nmi_busy;
	pc->nmi_busy = 0;
}

static void in_nmi_again(void *arg)
{
	struct nested *n = arg;

	n->got = kcoro_pool_alloc(n->pool, 128);
	kcoro_pool_free(n->pool, n->got, 128);
}

static bool worker_has_freed(struct kcoro_pool *pool)
{
	struct kcoro_pool_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	bool done = false;
	int i;

	for (i = 0; info && i < 1000 && !done; i++) {
		usleep_range(1000, 2000);
		kcoro_pool_read_info(pool, info);
		done = info->live == 0;
	}
	kfree(info);
	return done;
}

/*
 * The nested allocation gets nothing though the magazine has frames, and the nested free
 * waits for the worker; the window's mark is left. Afterwards NMIs are served as before.
 */
static int nested_nmi(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "nested" };
	struct nested n = { .pool = kcoro_pool_create(&attr) };
	struct kcoro_frame_counters c;
	int i;

	EXPECT(!IS_ERR(n.pool));
	n.frame = kcoro_pool_alloc(n.pool, 128);
	EXPECT(n.frame);
	/* The first one is cold, and the worker sees to the next. */
	for (i = 0; i < 1000 && !n.got; i++) {
		EXPECT(at_level(KCORO_LEVEL_NMI, in_nmi_again, &n));
		usleep_range(1000, 2000);
	}
	EXPECT(n.got);
	kcoro_pool_read(n.pool, KCORO_LEVEL_NMI, KCORO_CLASS_128B, &c);
	EXPECT(at_level(KCORO_LEVEL_NMI, in_nested_nmi, &n));
	EXPECT(!n.got && n.busy);
	EXPECT(worker_has_freed(n.pool));
	i = c.failed_context;
	kcoro_pool_read(n.pool, KCORO_LEVEL_NMI, KCORO_CLASS_128B, &c);
	EXPECT(c.failed_context == i + 1 && c.deferred == 1);
	EXPECT(at_level(KCORO_LEVEL_NMI, in_nmi_again, &n) && n.got);
	kcoro_pool_destroy(n.pool);
	return 0;
}

const struct kcoro_test_case kcoro_depot_cases[] = {
	{ "depot_at_the_lock", at_the_lock },
	{ "depot_shrink", shrink },
	{ "depot_idle", idle },
	{ "depot_idle_by_class", idle_by_class },
	{ "depot_room", room },
	{ "depot_worst_pattern", worst_pattern },
	{ "depot_nested_nmi", nested_nmi },
	{}
};
