// SPDX-License-Identifier: GPL-2.0-only
/*
 * depot.c - the depot and what gives memory back, with a look at the pool's inside:
 * what happens at the depot's lock, under memory pressure and when a pool is idle.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#include "../../kmod/pool/pool.h"
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

static u32 in_depots(struct kcoro_pool *pool)
{
	u32 sum = 0;
	int node;

	for_each_node(node)
		sum += READ_ONCE(pool->depots[node][FLOOD_CLASS].full.length);
	return sum;
}

static bool cpus_have_magazines(struct kcoro_pool *pool)
{
	unsigned int slot;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		for (slot = 0; slot < KCORO_SLOTS; slot++)
			/* The one without capacity stands for none. */
			if (READ_ONCE(pc->loaded[slot])->capacity ||
			    READ_ONCE(pc->spare[slot])->capacity)
				return true;
	}
	return false;
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
	for (i = 0; i < 2; i++) {
		mod_delayed_work(system_unbound_wq, &pool->idle_work, 0);
		flush_delayed_work(&pool->idle_work);
	}
	empty = soon_without_magazines(pool) && !in_depots(pool);
	kcoro_pool_destroy(pool);
	EXPECT(cached && empty);
	return 0;
}

const struct kcoro_test_case kcoro_depot_cases[] = {
	{ "depot_at_the_lock", at_the_lock },
	{ "depot_shrink", shrink },
	{ "depot_idle", idle },
	{}
};
