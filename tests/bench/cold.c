// SPDX-License-Identifier: GPL-2.0-only
/*
 * cold.c - the first allocation and free of a new pool or cache: one pair a
 * batch, what it comes from made anew for each. Not in NMI, where the first
 * allocation gets nothing and asks for a magazine.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include <kcoro/kcoro.h>

#include "bench.h"

static struct kcoro_pool *pool;
static struct kmem_cache *cache;

static int pool_setup(const struct bench_entry *e)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "cold" };

	pool = kcoro_pool_create(&attr);
	return PTR_ERR_OR_ZERO(pool);
}

static void pool_teardown(void)
{
	kcoro_pool_destroy(pool);
}

static int cache_setup(const struct bench_entry *e)
{
	cache = kmem_cache_create("kcoro_bench_cold", e->size, 0, SLAB_NO_MERGE, NULL);
	return cache ? 0 : -ENOMEM;
}

static void cache_teardown(void)
{
	kmem_cache_destroy(cache);
}

static __always_inline bool kcoro_pair(struct bench_batch *b, size_t size)
{
	void *p;

	bench_begin(b);
	p = kcoro_pool_alloc(pool, size);
	if (unlikely(!p))
		return false;
	kcoro_pool_free(pool, p, size);
	bench_end(b);
	return true;
}

static bool kmem_cache_pair(struct bench_batch *b)
{
	void *p;

	bench_begin(b);
	p = kmem_cache_alloc(cache, GFP_ATOMIC);
	if (unlikely(!p))
		return false;
	kmem_cache_free(cache, p);
	bench_end(b);
	return true;
}

#define KCORO_PAIR(bytes)						\
	static bool kcoro_pair_##bytes(struct bench_batch *b)		\
	{								\
		return kcoro_pair(b, bytes);				\
	}
KCORO_PAIR(64)
KCORO_PAIR(128)
KCORO_PAIR(512)
KCORO_PAIR(2048)

#define ENTRY(name, bytes, function, resource)				\
	{								\
		.subject = #name, .operation = "alloc_free",		\
		.pattern = "cold", .size = bytes, .pairs = 1,		\
		.levels = BENCH_SLAB, .fresh = true,			\
		.setup = resource##_setup,				\
		.teardown = resource##_teardown, .run = function,	\
	}

const struct bench_entry bench_cold[] = {
	ENTRY(kmem_cache, 64, kmem_cache_pair, cache),
	ENTRY(kmem_cache, 128, kmem_cache_pair, cache),
	ENTRY(kmem_cache, 512, kmem_cache_pair, cache),
	ENTRY(kmem_cache, 2048, kmem_cache_pair, cache),
	ENTRY(kcoro, 64, kcoro_pair_64, pool),
	ENTRY(kcoro, 128, kcoro_pair_128, pool),
	ENTRY(kcoro, 512, kcoro_pair_512, pool),
	ENTRY(kcoro, 2048, kcoro_pair_2048, pool),
	{}
};
