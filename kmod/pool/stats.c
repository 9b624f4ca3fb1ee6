// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats.c - what a pool counted, summed over CPUs.
 *
 * Callable from any context, NMI included, while the pool exists. Other CPUs go on
 * counting meanwhile, so a sum is near the truth, and exact when they are at rest.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/string.h>

#include "pool.h"

static void add(struct kcoro_frame_counters *out, const struct kcoro_pool_cpu *pc,
		unsigned int slot)
{
	const struct kcoro_slot_counters *c = &pc->count[slot];
	u64 quota = kcoro_count_of(c, KCORO_FAILED_QUOTA);
	u64 slab = kcoro_count_of(c, KCORO_FAILED_SLAB);
	u64 context = kcoro_count_of(c, KCORO_FAILED_CONTEXT);
	u64 injected = kcoro_count_of(c, KCORO_FAILED_INJECTED);

	out->allocs += READ_ONCE(pc->allocs[slot]);
	out->frees += READ_ONCE(pc->frees[slot]);
	out->alloc_misses += kcoro_count_of(c, KCORO_COUNT_ALLOC_MISS);
	out->free_misses += kcoro_count_of(c, KCORO_COUNT_FREE_MISS);
	out->refills += kcoro_count_of(c, KCORO_COUNT_REFILL);
	out->drains += kcoro_count_of(c, KCORO_COUNT_DRAIN);
	out->deferred += kcoro_count_of(c, KCORO_COUNT_DEFERRED);
	out->exchanges += kcoro_count_of(c, KCORO_COUNT_EXCHANGE);
	out->reserve += kcoro_count_of(c, KCORO_COUNT_RESERVE);
	out->failed_quota += quota;
	out->failed_slab += slab;
	out->failed_context += context;
	out->failed_injected += injected;
	out->failures += quota + slab + context + injected;
}

int kcoro_pool_read(struct kcoro_pool *pool, unsigned int level, unsigned int cls,
		    struct kcoro_frame_counters *out)
{
	int cpu;

	if (level >= KCORO_LEVELS || cls >= KCORO_CLASSES)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	for_each_possible_cpu(cpu)
		add(out, per_cpu_ptr(pool->cpu, cpu), kcoro_slot(level, cls));
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_pool_read);

int kcoro_pool_read_cpu(struct kcoro_pool *pool, unsigned int cpu, unsigned int level,
			unsigned int cls, struct kcoro_frame_counters *out)
{
	if (level >= KCORO_LEVELS || cls >= KCORO_CLASSES || cpu >= nr_cpu_ids ||
	    !cpu_possible(cpu))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	add(out, per_cpu_ptr(pool->cpu, cpu), kcoro_slot(level, cls));
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_pool_read_cpu);

/**
 * kcoro_pool_live() - frames of one class that are allocated and not freed
 * @pool: the pool
 * @cls: class
 */
s64 kcoro_pool_live(struct kcoro_pool *pool, unsigned int cls)
{
	unsigned int level;
	s64 live = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		for (level = 0; level < KCORO_LEVELS; level++)
			live += READ_ONCE(pc->allocs[kcoro_slot(level, cls)]) -
				READ_ONCE(pc->frees[kcoro_slot(level, cls)]);
	}
	return live;
}

static void read_gfp(struct kcoro_pool *pool, struct kcoro_pool_info *out)
{
	unsigned int level, choice;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		for (level = 0; level < KCORO_LEVELS; level++)
			for (choice = 0; choice < KCORO_GFP_CHOICES; choice++)
				out->gfp[level][choice] += READ_ONCE(pc->gfp[level][choice]);
	}
}

static void read_class(struct kcoro_pool *pool, unsigned int cls, struct kcoro_pool_info *out)
{
	size_t size = kcoro_class_size(cls);
	unsigned int bucket;
	int node;

	out->live += kcoro_pool_live(pool, cls) * size;
	out->reserve_there[cls] = kcoro_reserve_there(pool, cls);
	out->reserve_wanted[cls] = READ_ONCE(pool->reserve[cls].wanted);
	out->reserved += out->reserve_there[cls] * size;
	for_each_node(node)
		for (bucket = 0; bucket < KCORO_SIZE_BUCKETS; bucket++)
			out->sizes[cls][bucket] +=
				atomic64_read(&pool->depots[node][cls].sizes[bucket]);
}

void kcoro_pool_read_info(struct kcoro_pool *pool, struct kcoro_pool_info *out)
{
	unsigned int cls;

	memset(out, 0, sizeof(*out));
	out->id = pool->id;
	memcpy(out->name, pool->name, sizeof(out->name));
	out->flags = pool->flags;
	out->quota = pool->quota;
	out->live = atomic_long_read(&pool->large_held);
	for (cls = 0; cls < KCORO_CLASSES; cls++)
		read_class(pool, cls, out);
	out->held = atomic_long_read(&pool->held);
	out->held_most = atomic_long_read(&pool->held_most);
	/* While others allocate and free, the terms are not of one moment. */
	if (out->held > out->live + out->reserved)
		out->cached = out->held - out->live - out->reserved;
	out->large_allocs = atomic64_read(&pool->large_allocs);
	out->large_frees = atomic64_read(&pool->large_frees);
	out->large_failures = atomic64_read(&pool->large_failures);
	read_gfp(pool, out);
}
EXPORT_SYMBOL_GPL(kcoro_pool_read_info);
