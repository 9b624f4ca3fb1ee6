// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost.c - what a pool costs that nobody uses, and the default one as it is at the start:
 * these cases are the first to run.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "../../kmod/pool/pool.h"
#include "meminfo.h"
#include "test.h"

#define POOLS 64

static size_t magazine_bytes(const struct kcoro_magazine *mag)
{
	return mag && mag->capacity ? struct_size(mag, slots, mag->capacity) : 0;
}

static size_t magazines_of(struct kcoro_pool *pool)
{
	const struct kcoro_magazine *mag;
	unsigned int slot, cls;
	size_t bytes = 0;
	int cpu, node;

	for_each_possible_cpu(cpu) {
		struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		for (slot = 0; slot < KCORO_SLOTS; slot++)
			bytes += magazine_bytes(READ_ONCE(pc->loaded[slot])) +
				 magazine_bytes(READ_ONCE(pc->spare[slot]));
	}
	/* Nobody else uses the pool yet. */
	for_each_node(node) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			for (mag = pool->depots[node][cls].full.top; mag; mag = mag->below)
				bytes += magazine_bytes(mag);
			for (mag = pool->depots[node][cls].empty.top; mag; mag = mag->below)
				bytes += magazine_bytes(mag);
		}
	}
	return bytes;
}

/* The limit is 64 KiB for each CPU, whatever was set aside when kcoro was loaded. */
static int default_pool(void)
{
	struct kcoro_pool *pool = kcoro_pool_default();
	struct kcoro_pool_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	size_t each, held, depots = nr_node_ids * KCORO_CLASSES * sizeof(struct kcoro_depot);

	EXPECT(info);
	kcoro_pool_read_info(pool, info);
	held = info->held;
	kfree(info);
	each = sizeof(struct kcoro_pool_cpu) +
	       (sizeof(*pool) + depots + magazines_of(pool) + held) / num_possible_cpus();
	pr_info("kcoro_test: the default pool at the start: %zu bytes for each CPU, frames %zu in all\n",
		each, held);
	EXPECT(each < SZ_64K);
	return 0;
}

/*
 * Less than 4 KiB for each CPU, as the per-CPU allocator counts, and some more for each
 * pool. Measured over many pools, because both allocators hand out pages.
 */
static int unused_pool(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "unused" };
	long percpu = meminfo("Percpu:"), slab = meminfo("Slab:");
	struct kcoro_pool *pools[POOLS];
	int i, n;

	EXPECT(percpu > 0 && slab > 0);
	for (n = 0; n < POOLS; n++) {
		pools[n] = kcoro_pool_create(&attr);
		if (IS_ERR(pools[n]))
			break;
	}
	percpu = (meminfo("Percpu:") - percpu) / POOLS / num_possible_cpus();
	slab = (meminfo("Slab:") - slab) / POOLS;
	for (i = 0; i < n; i++)
		kcoro_pool_destroy(pools[i]);
	pr_info("kcoro_test: an unused pool: %zu bytes for each CPU, measured %ld, and %ld of slab in all\n",
		sizeof(struct kcoro_pool_cpu), percpu, slab);
	EXPECT(n == POOLS);
	/* With lockdep each lock and work item is larger. */
	EXPECT(IS_ENABLED(CONFIG_LOCKDEP) || sizeof(struct kcoro_pool_cpu) < SZ_4K);
	/* What it rounds up, and keeps ready, is not ours: a tenth. */
	EXPECT(percpu > 0 && percpu < SZ_4K + SZ_4K / 10);
	EXPECT(slab < SZ_8K);
	return 0;
}

const struct kcoro_test_case kcoro_cost_cases[] = {
	{ "cost_default_pool", default_pool },
	{ "cost_unused_pool", unused_pool },
	{}
};
