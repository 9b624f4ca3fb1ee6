// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool.c - pools come and go; the default pool; sums of the counters.
 *
 * Create, destroy, init and exit: process context, may sleep. kcoro_pool_read():
 * any context. A pool's creator sees to it that nobody uses it while it is
 * destroyed; nothing here is shared between pools but the slab caches.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat.h"
#include "frame_debug.h"
#include "pool.h"

struct workqueue_struct *kcoro_pool_wq;

static struct kcoro_pool *default_pool;

static bool attr_is_zero(const struct kcoro_pool_attr *attr)
{
	return !attr->flags && !memchr_inv(attr->reserved, 0, sizeof(attr->reserved));
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
	pool->cpu = alloc_percpu(struct kcoro_pool_cpu);
	if (!pool->cpu) {
		kfree(pool);
		return ERR_PTR(-ENOMEM);
	}
	strscpy(pool->name, attr->name, sizeof(pool->name));
	for_each_possible_cpu(cpu) {
		struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);

		for (slot = 0; slot < KCORO_SLOTS; slot++)
			pc->loaded[slot] = &kcoro_magazine_none;
		pc->cpu = cpu;
		pc->pool = pool;
		init_llist_head(&pc->deferred);
		init_irq_work(&pc->irq_work, kcoro_refill_irq_work);
		INIT_WORK(&pc->work, kcoro_refill_work);
	}
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
		struct kcoro_magazine *mag = pc->loaded[slot];

		if (mag == &kcoro_magazine_none)
			continue;
		WARN_ON_ONCE(!kcoro_magazine_is_valid(mag));
		kcoro_slab_free(mag->slots, mag->count);
		pc->loaded[slot] = &kcoro_magazine_none;
		kfree(mag);
	}
}

void kcoro_pool_destroy(struct kcoro_pool *pool)
{
	unsigned int cls;
	bool live = false;
	int cpu;

	if (IS_ERR_OR_NULL(pool))
		return;
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		s64 n = live_frames(pool, cls);

		if (!n)
			continue;
		live = true;
		pr_err("kcoro: pool \"%s\" destroyed with %lld live frames of %zu bytes: find who did not free them\n",
		       pool->name, n, kcoro_class_size(cls));
	}
	for_each_possible_cpu(cpu)
		drain_cpu(per_cpu_ptr(pool->cpu, cpu));
	kcoro_frame_debug_flush();
	if (live)
		return;
	free_percpu(pool->cpu);
	kfree(pool);
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
		const struct kcoro_frame_counters *c = &per_cpu_ptr(pool->cpu, cpu)->count[slot];

		out->allocs += READ_ONCE(c->allocs);
		out->frees += READ_ONCE(c->frees);
		out->alloc_misses += READ_ONCE(c->alloc_misses);
		out->free_misses += READ_ONCE(c->free_misses);
		out->failures += READ_ONCE(c->failures);
		out->refills += READ_ONCE(c->refills);
		out->drains += READ_ONCE(c->drains);
		out->deferred += READ_ONCE(c->deferred);
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
	err = -ENOMEM;
	kcoro_pool_wq = alloc_workqueue("kcoro_pool", WQ_MEM_RECLAIM | KCORO_WQ_PERCPU, 0);
	if (!kcoro_pool_wq)
		goto err_slab;
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
err_slab:
	kcoro_slab_exit();
	return err;
}

void kcoro_pool_exit(void)
{
	kcoro_pool_destroy(default_pool);
	destroy_workqueue(kcoro_pool_wq);
	kcoro_slab_exit();
}
