// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool.c - pools come and go; the default pool; the list of pools.
 *
 * Create, destroy, init and exit: process context, may sleep. A pool's creator sees to
 * it that nobody uses it while it is destroyed; pools share nothing but slab caches.
 */
#include <linux/err.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat.h"
#include "../trace/trace.h"
#include "by_id.h"
#include "frame_debug.h"
#include "pool.h"

struct workqueue_struct *kcoro_pool_wq;

struct kcoro_pool *kcoro_pool_of_all;

/* Looked up where a size is known only at run time: fewer instructions than to compute it. */
const u8 kcoro_class_by_size[] = {
	[0] = KCORO_CLASS_64B,
	[1] = KCORO_CLASS_128B,
	[2] = KCORO_CLASS_192B,
	[3] = KCORO_CLASS_256B,
	[4 ... 7] = KCORO_CLASS_512B,
	[8 ... 15] = KCORO_CLASS_1024B,
	[16 ... 31] = KCORO_CLASS_2048B,
	[32 ... 63] = KCORO_CLASS_4096B,
	[64 ... 127] = KCORO_CLASS_8192B,
};
EXPORT_SYMBOL_GPL(kcoro_class_by_size);
static_assert(ARRAY_SIZE(kcoro_class_by_size) == KCORO_FRAME_SIZE_MAX / 64);

/* sizeof(struct kcoro_pool_attr) when there was no other yet. */
#define ATTR_SIZE_FIRST 64

/* All pools, in the order of their ids. Written under the lock, read under RCU. */
static LIST_HEAD(pools);
static u64 last_id;
static DEFINE_MUTEX(pools_lock);

/* What the caller's structure says, whatever its age. Fields that we don't know must be 0. */
static int attr_read(const struct kcoro_pool_attr *from, struct kcoro_pool_attr *attr)
{
	size_t size;

	if (!from || from->size < ATTR_SIZE_FIRST || from->size > PAGE_SIZE)
		return -EINVAL;
	size = min_t(size_t, from->size, sizeof(*attr));
	memset(attr, 0, sizeof(*attr));
	memcpy(attr, from, size);
	if (memchr_inv((const u8 *)from + size, 0, from->size - size))
		return -E2BIG;
	if (attr->flags & ~(KCORO_POOL_ZERO | KCORO_POOL_ACCOUNT) || attr->quota > LONG_MAX ||
	    memchr_inv(attr->reserved, 0, sizeof(attr->reserved)) || !attr->name ||
	    !*attr->name || strlen(attr->name) >= KCORO_NAME_LEN)
		return -EINVAL;
	if (attr->flags & KCORO_POOL_ACCOUNT && !IS_ENABLED(CONFIG_MEMCG))
		return -EOPNOTSUPP;
	return 0;
}

static void pool_free(struct kcoro_pool *pool)
{
	int node;

	for (node = 0; pool->depots && node < nr_node_ids; node++)
		kfree(pool->depots[node]);
	kfree(pool->depots);
	free_percpu(pool->cpu);
	mem_cgroup_put(pool->memcg);
	kfree(pool);
}

static int depots_create(struct kcoro_pool *pool)
{
	unsigned int cls;
	int node;

	pool->depots = kcalloc(nr_node_ids, sizeof(*pool->depots), GFP_KERNEL);
	if (!pool->depots)
		return -ENOMEM;
	for_each_node(node) {
		pool->depots[node] = kcalloc_node(KCORO_CLASSES, sizeof(**pool->depots), GFP_KERNEL,
						  node);
		if (!pool->depots[node])
			return -ENOMEM;
		for (cls = 0; cls < KCORO_CLASSES; cls++)
			raw_spin_lock_init(&pool->depots[node][cls].lock);
	}
	return 0;
}

static void slots_init(struct kcoro_pool *pool, int cpu)
{
	struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);
	unsigned int slot;

	for (slot = 0; slot < KCORO_SLOTS; slot++) {
		pc->loaded[slot] = &kcoro_magazine_none;
		pc->spare[slot] = &kcoro_magazine_none;
	}
	pc->cpu = cpu;
	pc->node = cpu_to_node(cpu) == NUMA_NO_NODE ? first_online_node : cpu_to_node(cpu);
	pc->pool = pool;
	init_llist_head(&pc->deferred);
	init_irq_work(&pc->irq_work, kcoro_refill_irq_work);
	INIT_WORK(&pc->work, kcoro_refill_work);
}

struct kcoro_pool *kcoro_pool_create(const struct kcoro_pool_attr *from)
{
	struct kcoro_pool_attr attr;
	struct kcoro_pool *pool;
	int cpu, err;

	err = attr_read(from, &attr);
	if (err)
		return ERR_PTR(err);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	strscpy(pool->name, attr.name, sizeof(pool->name));
	pool->flags = attr.flags;
	pool->quota = attr.quota;
	if (attr.flags & KCORO_POOL_ACCOUNT)
		pool->memcg = get_mem_cgroup_from_mm(current->mm);
	pool->cpu = alloc_percpu(struct kcoro_pool_cpu);
	if (!pool->cpu || depots_create(pool)) {
		pool_free(pool);
		return ERR_PTR(-ENOMEM);
	}
	for_each_possible_cpu(cpu)
		slots_init(pool, cpu);
	kcoro_reserve_start(pool);
	if (kcoro_trim_start(pool)) {
		pool_free(pool);
		return ERR_PTR(-ENOMEM);
	}
	mutex_lock(&pools_lock);
	pool->id = ++last_id;
	list_add_tail_rcu(&pool->list, &pools);
	mutex_unlock(&pools_lock);
	return pool;
}
EXPORT_SYMBOL_GPL(kcoro_pool_create);

/**
 * kcoro_pool_next() - the pool that was created after another
 * @id: of the other, 0 for none
 *
 * Context: any, under rcu_read_lock(), which keeps the pool. Return: NULL: no more.
 */
struct kcoro_pool *kcoro_pool_next(u64 id)
{
	struct kcoro_pool *pool;

	list_for_each_entry_rcu(pool, &pools, list)
		if (pool->id > id)
			return pool;
	return NULL;
}

/**
 * kcoro_pool_find() - the pool of that name, the oldest if there are several
 * @name: NUL terminated
 *
 * Context: as kcoro_pool_next(). Return: NULL: none.
 */
struct kcoro_pool *kcoro_pool_find(const char *name)
{
	struct kcoro_pool *pool;

	list_for_each_entry_rcu(pool, &pools, list)
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
}

/**
 * kcoro_pool_for_each() - call a function for each pool
 * @call: must not sleep
 * @arg: for it
 *
 * Context: any but NMI. One that is being destroyed is left out, and is not drained before
 * @call is done with it.
 */
void kcoro_pool_for_each(void (*call)(struct kcoro_pool *pool, unsigned int arg),
			 unsigned int arg)
{
	struct kcoro_pool *pool;

	rcu_read_lock();
	list_for_each_entry_rcu(pool, &pools, list)
		call(pool, arg);
	rcu_read_unlock();
}

/**
 * kcoro_pool_reserve_by_id() - kcoro_pool_reserve(), for who does not own the pool
 * @id: of the pool
 * @size: bytes of a frame
 * @count: how many frames
 *
 * The owner's calls and these set the same number; the last one counts. No pool is
 * created or destroyed meanwhile.
 *
 * Context: process context, may sleep. Return: also -ENOENT: no such pool (any more).
 */
int kcoro_pool_reserve_by_id(u64 id, size_t size, unsigned int count)
{
	struct kcoro_pool *pool;
	int err = -ENOENT;

	mutex_lock(&pools_lock);
	list_for_each_entry(pool, &pools, list) {
		if (pool->id == id) {
			err = kcoro_pool_reserve(pool, size, count);
			break;
		}
	}
	mutex_unlock(&pools_lock);
	return err;
}

/* In this order: the worker queues the reserve's work, and that has CPUs trimmed. */
static void stop_work(struct kcoro_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		irq_work_sync(&per_cpu_ptr(pool->cpu, cpu)->irq_work);
		flush_work(&per_cpu_ptr(pool->cpu, cpu)->work);
	}
	kcoro_reserve_stop(pool);
	kcoro_trim_stop(pool);
}

static void drain_cpu(struct kcoro_pool_cpu *pc)
{
	unsigned int slot;

	for (slot = 0; slot < KCORO_SLOTS; slot++) {
		kcoro_magazine_free(pc->pool, slot % KCORO_CLASSES, pc->loaded[slot]);
		kcoro_magazine_free(pc->pool, slot % KCORO_CLASSES, pc->spare[slot]);
		pc->loaded[slot] = &kcoro_magazine_none;
		pc->spare[slot] = &kcoro_magazine_none;
	}
}

static void drain_depot(struct kcoro_pool *pool, int node, unsigned int cls)
{
	struct kcoro_depot *depot = &pool->depots[node][cls];
	struct kcoro_magazine *mag;

	while ((mag = kcoro_depot_take(depot, true)) || (mag = kcoro_depot_take(depot, false)))
		kcoro_magazine_free(pool, cls, mag);
}

/* Who did not free? Returns the bytes that are live; below 0: freed more than allocated. */
static s64 tell_live(struct kcoro_pool *pool)
{
	s64 bytes = atomic_long_read(&pool->large_held), n;
	unsigned int cls;

	if (bytes)
		pr_err("kcoro: pool \"%s\" destroyed with %lld live bytes of large frames: find who did not free them\n",
		       pool->name, bytes);
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		n = kcoro_pool_live(pool, cls);
		bytes += n * (s64)kcoro_class_size(cls);
		if (n)
			pr_err("kcoro: pool \"%s\" destroyed with %lld live frames of %zu bytes: find who did not free them\n",
			       pool->name, n, kcoro_class_size(cls));
	}
	return bytes;
}

void kcoro_pool_destroy(struct kcoro_pool *pool)
{
	unsigned int cls;
	int cpu, node;
	s64 live, off;

	if (IS_ERR_OR_NULL(pool))
		return;
	mutex_lock(&pools_lock);
	kcoro_pool_retire(pool);
	mutex_unlock(&pools_lock);
	/* Readers that found it in the list. */
	synchronize_rcu();
	live = tell_live(pool);
	stop_work(pool);
	for_each_possible_cpu(cpu)
		drain_cpu(per_cpu_ptr(pool->cpu, cpu));
	for_each_node(node)
		for (cls = 0; cls < KCORO_CLASSES; cls++)
			drain_depot(pool, node, cls);
	kcoro_frame_debug_flush();
	/* held = live + cached + reserved, and the last two are 0 now. */
	off = atomic_long_read(&pool->held) - live;
	if (off)
		pr_err("kcoro: pool \"%s\" is off by %lld bytes: was a frame freed with another size?\n",
		       pool->name, off);
	if (!live && !off)
		pool_free(pool);
}
EXPORT_SYMBOL_GPL(kcoro_pool_destroy);

struct kcoro_pool *kcoro_pool_default(void)
{
	return kcoro_pool_of_all;
}
EXPORT_SYMBOL_GPL(kcoro_pool_default);

int __init kcoro_pool_init(void)
{
	static const struct kcoro_pool_attr attr = {
		.size = sizeof(attr),
		.name = "default",
	};
	int err;

	err = kcoro_slab_init();
	if (err)
		return err;
	err = kcoro_trim_init();
	if (err)
		goto err_slab;
	err = -ENOMEM;
	kcoro_pool_wq = alloc_workqueue("kcoro_pool", WQ_MEM_RECLAIM | KCORO_WQ_PERCPU, 0);
	if (!kcoro_pool_wq)
		goto err_trim;
	kcoro_pool_of_all = kcoro_pool_create(&attr);
	if (IS_ERR(kcoro_pool_of_all)) {
		err = PTR_ERR(kcoro_pool_of_all);
		goto err_wq;
	}
	if (kcoro_frame_debug)
		static_branch_inc(&kcoro_pool_watched);
	kcoro_pool_debugfs_init();
	return 0;

err_wq:
	destroy_workqueue(kcoro_pool_wq);
err_trim:
	kcoro_trim_exit();
err_slab:
	kcoro_slab_exit();
	return err;
}

void kcoro_pool_exit(void)
{
	struct kcoro_pool *pool, *next;

	kcoro_pool_debugfs_exit();
	kcoro_pool_destroy(kcoro_pool_of_all);
	/* Their creators are gone: nobody can use them, or destroy them, any more. */
	list_for_each_entry_safe(pool, next, &pools, list) {
		pr_err("kcoro: pool \"%s\" was not destroyed by its creator\n", pool->name);
		kcoro_pool_destroy(pool);
	}
	destroy_workqueue(kcoro_pool_wq);
	kcoro_trim_exit();
	kcoro_slab_exit();
}
