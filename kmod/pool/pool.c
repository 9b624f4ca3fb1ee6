// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool.c - pools come and go; the default pool; sums of the counters.
 *
 * Create, destroy, init and exit: process context, may sleep. kcoro_pool_read():
 * any context. A pool's creator sees to it that nobody uses it while it is
 * destroyed; nothing here is shared between pools but the slab caches.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat.h"
#include "../trace/trace.h"
#include "frame_debug.h"
#include "pool.h"

struct workqueue_struct *kcoro_pool_wq;

static struct kcoro_pool *default_pool;

/* All pools, for the module's end. */
static LIST_HEAD(pools);
static DEFINE_MUTEX(pools_lock);

static bool attr_is_zero(const struct kcoro_pool_attr *attr)
{
	return !attr->flags && !memchr_inv(attr->reserved, 0, sizeof(attr->reserved));
}

static void pool_free(struct kcoro_pool *pool)
{
	int node;

	for (node = 0; pool->depots && node < nr_node_ids; node++)
		kfree(pool->depots[node]);
	kfree(pool->depots);
	free_percpu(pool->cpu);
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

struct kcoro_pool *kcoro_pool_create(const struct kcoro_pool_attr *attr)
{
	struct kcoro_pool *pool;
	unsigned int slot;
	int cpu;

	if (!attr || attr->size != sizeof(*attr) || !attr_is_zero(attr) || !attr->name ||
	    !*attr->name || strlen(attr->name) >= KCORO_NAME_LEN)
		return ERR_PTR(-EINVAL);
	if (attr->quota)
		return ERR_PTR(-EOPNOTSUPP);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	strscpy(pool->name, attr->name, sizeof(pool->name));
	pool->cpu = alloc_percpu(struct kcoro_pool_cpu);
	if (!pool->cpu || depots_create(pool)) {
		pool_free(pool);
		return ERR_PTR(-ENOMEM);
	}
	for_each_possible_cpu(cpu) {
		struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

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
	if (kcoro_trim_start(pool)) {
		pool_free(pool);
		return ERR_PTR(-ENOMEM);
	}
	mutex_lock(&pools_lock);
	list_add(&pool->list, &pools);
	mutex_unlock(&pools_lock);
	return pool;
}
EXPORT_SYMBOL_GPL(kcoro_pool_create);

/* Frames of one class that are allocated and not freed. */
static s64 live_frames(struct kcoro_pool *pool, unsigned int cls)
{
	struct kcoro_frame_counters sum;
	unsigned int level;
	s64 live = 0;

	for (level = 0; level < KCORO_LEVELS; level++) {
		kcoro_pool_read(pool, level, cls, &sum);
		live += sum.allocs - sum.frees;
	}
	return live;
}

static void drain_cpu(struct kcoro_pool_cpu *pc)
{
	unsigned int slot;

	irq_work_sync(&pc->irq_work);
	flush_work(&pc->work);
	for (slot = 0; slot < KCORO_SLOTS; slot++) {
		kcoro_magazine_free(pc->loaded[slot]);
		kcoro_magazine_free(pc->spare[slot]);
		pc->loaded[slot] = &kcoro_magazine_none;
		pc->spare[slot] = &kcoro_magazine_none;
	}
}

static void drain_depot(struct kcoro_depot *depot)
{
	struct kcoro_magazine *mag;

	while ((mag = kcoro_depot_take(depot, true)) || (mag = kcoro_depot_take(depot, false)))
		kcoro_magazine_free(mag);
}

void kcoro_pool_destroy(struct kcoro_pool *pool)
{
	unsigned int cls;
	bool live = false;
	int cpu, node;

	if (IS_ERR_OR_NULL(pool))
		return;
	mutex_lock(&pools_lock);
	list_del(&pool->list);
	mutex_unlock(&pools_lock);
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		s64 n = live_frames(pool, cls);

		if (!n)
			continue;
		live = true;
		pr_err("kcoro: pool \"%s\" destroyed with %lld live frames of %zu bytes: find who did not free them\n",
		       pool->name, n, kcoro_class_size(cls));
	}
	kcoro_trim_stop(pool);
	for_each_possible_cpu(cpu)
		drain_cpu(per_cpu_ptr(pool->cpu, cpu));
	for_each_node(node)
		for (cls = 0; cls < KCORO_CLASSES; cls++)
			drain_depot(&pool->depots[node][cls]);
	kcoro_frame_debug_flush();
	if (!live)
		pool_free(pool);
}
EXPORT_SYMBOL_GPL(kcoro_pool_destroy);

struct kcoro_pool *kcoro_pool_default(void)
{
	return default_pool;
}
EXPORT_SYMBOL_GPL(kcoro_pool_default);

int kcoro_pool_read(struct kcoro_pool *pool, unsigned int level, unsigned int cls,
		    struct kcoro_frame_counters *out)
{
	unsigned int slot;
	int cpu;

	if (level >= KCORO_LEVELS || cls >= KCORO_CLASSES)
		return -EINVAL;
	slot = kcoro_slot(level, cls);
	memset(out, 0, sizeof(*out));
	for_each_possible_cpu(cpu) {
		const struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);
		const struct kcoro_slot_counters *c = &pc->count[slot];

		out->allocs += READ_ONCE(pc->allocs[slot]);
		out->frees += READ_ONCE(pc->frees[slot]);
		out->alloc_misses += READ_ONCE(c->alloc_misses);
		out->free_misses += READ_ONCE(c->free_misses);
		out->failures += READ_ONCE(c->failures);
		out->refills += READ_ONCE(c->refills);
		out->drains += READ_ONCE(c->drains);
		out->deferred += READ_ONCE(c->deferred);
		out->exchanges += READ_ONCE(c->exchanges);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_pool_read);

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
	default_pool = kcoro_pool_create(&attr);
	if (IS_ERR(default_pool)) {
		err = PTR_ERR(default_pool);
		goto err_wq;
	}
	if (kcoro_frame_debug)
		static_branch_inc(&kcoro_pool_watched);
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

	kcoro_pool_destroy(default_pool);
	/* Their creators are gone: nobody can use them, or destroy them, any more. */
	list_for_each_entry_safe(pool, next, &pools, list) {
		pr_err("kcoro: pool \"%s\" was not destroyed by its creator\n", pool->name);
		kcoro_pool_destroy(pool);
	}
	destroy_workqueue(kcoro_pool_wq);
	kcoro_trim_exit();
	kcoro_slab_exit();
}
