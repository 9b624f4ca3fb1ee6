// SPDX-License-Identifier: GPL-2.0-only
/*
 * alloc_free.c - allocators, each at four sizes: hot (allocate, free, allocate,
 * free), in bursts (allocate 256, then free 256) and across CPUs (allocate 256
 * on one CPU, free them on another).
 *
 * Each is called as its users call it: in line where it is, with the size known
 * at compile time, and every allocation is tested for NULL. For that each loop
 * is compiled anew for each allocator and size.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mempool.h>
#include <linux/objpool.h>
#include <linux/slab.h>

#include <kcoro/kcoro.h>

#include "bench.h"

/* What the entry being measured uses; the others are unset. */
static struct kcoro_pool *pool;
static struct kmem_cache *cache;
static mempool_t *mempool;
static struct objpool_head objpool;

/* The loops. */
typedef void *(*alloc_fn)(size_t size);
typedef void (*free_fn)(void *p, size_t size);

static __always_inline bool hot(struct bench_batch *b, alloc_fn alloc, free_fn free, size_t size)
{
	unsigned int i;

	bench_begin(b);
	for (i = 0; i < BENCH_PAIRS; i++) {
		void *p = alloc(size);

		if (unlikely(!p))
			return false;
		free(p, size);
	}
	bench_end(b);
	return true;
}

static __always_inline bool fill(struct bench_batch *b, alloc_fn alloc, free_fn free, size_t size)
{
	void **slots = b->slots;
	unsigned int i;

	bench_begin(b);
	for (i = 0; i < BENCH_BURST; i++) {
		slots[i] = alloc(size);
		if (unlikely(!slots[i]))
			goto nothing;
	}
	bench_end(b);
	return true;

nothing:
	while (i--)
		free(slots[i], size);
	return false;
}

static __always_inline bool empty(struct bench_batch *b, free_fn free, size_t size)
{
	void **slots = b->slots;
	unsigned int i;

	bench_begin(b);
	for (i = 0; i < BENCH_BURST; i++)
		free(slots[i], size);
	bench_end(b);
	return true;
}

/* The allocators. */
#define ALLOCATOR(name, alloc, free)					\
	static __always_inline void *take_##name(size_t size)		\
	{								\
		return alloc;						\
	}								\
	static __always_inline void give_##name(void *p, size_t size)	\
	{								\
		free;							\
	}

/* Hidden from the compiler, so that class and checks are worked out at each call. */
static __always_inline size_t hidden(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

ALLOCATOR(kmalloc_kernel, kmalloc(size, GFP_KERNEL), kfree(p))
ALLOCATOR(kmalloc_atomic, kmalloc(size, GFP_ATOMIC), kfree(p))
ALLOCATOR(kmem_cache, kmem_cache_alloc(cache, GFP_ATOMIC), kmem_cache_free(cache, p))
ALLOCATOR(mempool, mempool_alloc(mempool, GFP_ATOMIC), mempool_free(p, mempool))
ALLOCATOR(objpool, objpool_pop(&objpool), objpool_push(p, &objpool))
ALLOCATOR(kcoro, kcoro_pool_alloc(pool, size), kcoro_pool_free(pool, p, size))
ALLOCATOR(kcoro_runtime_size, kcoro_pool_alloc(pool, hidden(size)),
	  kcoro_pool_free(pool, p, hidden(size)))
ALLOCATOR(kcoro_default_pool, kcoro_pool_alloc(kcoro_pool_default(), size),
	  kcoro_pool_free(kcoro_pool_default(), p, size))

/* For those that need nothing of their own. */
#define nothing_setup NULL
#define nothing_teardown NULL

static int cache_setup(const struct bench_entry *e)
{
	cache = kmem_cache_create("kcoro_bench", e->size, 0, SLAB_NO_MERGE, NULL);
	return cache ? 0 : -ENOMEM;
}

static void cache_teardown(void)
{
	kmem_cache_destroy(cache);
}

static int mempool_setup(const struct bench_entry *e)
{
	mempool = mempool_create_kmalloc_pool(16, e->size);
	return mempool ? 0 : -ENOMEM;
}

static void mempool_teardown(void)
{
	mempool_destroy(mempool);
}

/* Objects enough that a burst finds all of its own on its CPU. */
static int objpool_setup(const struct bench_entry *e)
{
	return objpool_init(&objpool, BENCH_BURST * num_possible_cpus(), e->size, GFP_KERNEL,
			    NULL, NULL, NULL);
}

static void objpool_teardown(void)
{
	objpool_fini(&objpool);
}

static int pool_setup(const struct bench_entry *e)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "bench" };

	pool = kcoro_pool_create(&attr);
	return PTR_ERR_OR_ZERO(pool);
}

static void pool_teardown(void)
{
	kcoro_pool_destroy(pool);
}

/* The functions of one allocator at one size... */
#define BATCHES(name, bytes)							\
	static bool name##_hot_##bytes(struct bench_batch *b)			\
	{									\
		return hot(b, take_##name, give_##name, bytes);		\
	}									\
	static bool name##_fill_##bytes(struct bench_batch *b)			\
	{									\
		return fill(b, take_##name, give_##name, bytes);		\
	}									\
	static bool name##_empty_##bytes(struct bench_batch *b)			\
	{									\
		return empty(b, give_##name, bytes);				\
	}									\
	static bool name##_burst_##bytes(struct bench_batch *b)			\
	{									\
		return name##_fill_##bytes(b) && name##_empty_##bytes(b);	\
	}

/* ... and their entries. Across CPUs both sides are at task level. */
#define ENTRY(name, kind, bytes, count, where, resource, ...)			\
	{									\
		.subject = #name, .operation = "alloc_free", .pattern = #kind,	\
		.size = bytes, .pairs = count, .levels = where,			\
		.setup = resource##_setup, .teardown = resource##_teardown,	\
		__VA_ARGS__							\
	}
#define ENTRIES(name, bytes, where, resource, ...)				\
	ENTRY(name, hot, bytes, BENCH_PAIRS, where, resource,			\
	      .run = name##_hot_##bytes),					\
	ENTRY(name, burst, bytes, BENCH_BURST, where, resource, __VA_ARGS__	\
	      .run = name##_burst_##bytes),					\
	ENTRY(name, cross_cpu, bytes, BENCH_BURST, BENCH_TASK, resource, __VA_ARGS__ \
	      .run = name##_fill_##bytes, .finish = name##_empty_##bytes)

#define ALL_BATCHES(name)	\
	BATCHES(name, 64)	\
	BATCHES(name, 128)	\
	BATCHES(name, 512)	\
	BATCHES(name, 2048)
#define ALL_ENTRIES(name, where, resource)	\
	ENTRIES(name, 64, where, resource),	\
	ENTRIES(name, 128, where, resource),	\
	ENTRIES(name, 512, where, resource),	\
	ENTRIES(name, 2048, where, resource)

/* The same for those whose cache is everybody's. */
#define SHARED(name, bytes, where, resource)					\
	ENTRIES(name, bytes, where, resource,					\
		.hold = name##_fill_##bytes, .let_go = name##_empty_##bytes,)
#define ALL_SHARED_ENTRIES(name, where, resource)	\
	SHARED(name, 64, where, resource),		\
	SHARED(name, 128, where, resource),		\
	SHARED(name, 512, where, resource),		\
	SHARED(name, 2048, where, resource)

static bool empty_loop(struct bench_batch *b)
{
	unsigned int i;

	bench_begin(b);
	/* Hidden, so that no compiler makes one turn of two, as gcc-14 does else. */
	for (i = BENCH_PAIRS; i; i--)
		OPTIMIZER_HIDE_VAR(i);
	bench_end(b);
	return true;
}

ALL_BATCHES(kmalloc_kernel)
ALL_BATCHES(kmalloc_atomic)
ALL_BATCHES(kmem_cache)
ALL_BATCHES(mempool)
ALL_BATCHES(objpool)
ALL_BATCHES(kcoro)
ALL_BATCHES(kcoro_runtime_size)
ALL_BATCHES(kcoro_default_pool)

const struct bench_entry bench_alloc_free[] = {
	{
		.subject = "empty_loop", .operation = "alloc_free", .pattern = "hot",
		.pairs = BENCH_PAIRS, .levels = BENCH_ANY, .run = empty_loop,
	},
	ALL_SHARED_ENTRIES(kmalloc_kernel, BENCH_TASK, nothing),
	ALL_SHARED_ENTRIES(kmalloc_atomic, BENCH_SLAB, nothing),
	ALL_ENTRIES(kmem_cache, BENCH_SLAB, cache),
	ALL_SHARED_ENTRIES(mempool, BENCH_SLAB, mempool),
	ALL_ENTRIES(objpool, BENCH_ANY, objpool),
	ALL_ENTRIES(kcoro, BENCH_ANY, pool),
	ALL_ENTRIES(kcoro_runtime_size, BENCH_ANY, pool),
	ALL_ENTRIES(kcoro_default_pool, BENCH_ANY, nothing),
	{}
};
