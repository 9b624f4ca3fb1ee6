// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_pool.c - see bpf_pool.h.
 *
 * Contexts: create may sleep. get, put, release: any, NMI included, with any lock held.
 *
 *   release -> irq_work -> work: number gone, users killed
 *           -> RCU, last put -> irq_work -> work: the pool is destroyed
 *
 * The one irq_work and the one work do both halves: the second begins when the first is
 * over, because no last put can come before the kill.
 *
 * Programs name a pool by its number, as they do with tables: one that is gone is never
 * named by another.
 */
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/percpu-refcount.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../pool/by_id.h"
#include "bpf_pool.h"

/* Of memory, that the default pool may hold: 1 / 2^this. */
#define DEFAULT_SHARE_SHIFT 4

/* One that programs have made. */
struct owned_pool {
	struct kcoro_bpf_pool bpf;
	bool released;			/* the owner is gone */
	struct percpu_ref users;	/* the owner, frames, tables */
	struct irq_work irq_work;
	struct work_struct work;
};

struct kcoro_bpf_pool kcoro_bpf_pool_default;

static DEFINE_XARRAY(pools);
/*
 * The last one made of each remainder: programs ask with every frame, and a walk through
 * the xarray is a third of what a frame costs them. Readers hold rcu_read_lock().
 */
#define RECENT 16
static struct owned_pool __rcu *recent[RECENT];
static atomic_t pools_alive = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(pools_gone);
static struct workqueue_struct *pool_wq;

static struct owned_pool *owned(struct kcoro_bpf_pool *pool)
{
	return container_of(pool, struct owned_pool, bpf);
}

static void pool_irq_work(struct irq_work *irq_work)
{
	struct owned_pool *pool = container_of(irq_work, struct owned_pool, irq_work);

	queue_work(pool_wq, &pool->work);
}

static void pool_work(struct work_struct *work)
{
	struct owned_pool *pool = container_of(work, struct owned_pool, work);

	if (!pool->released) {
		pool->released = true;
		xa_erase(&pools, pool->bpf.id);
		/* Unless a newer one is in its place. */
		cmpxchg((struct owned_pool __force **)&recent[pool->bpf.id % RECENT], pool, NULL);
		/* From here on the pool is the last user's. */
		percpu_ref_kill(&pool->users);
		return;
	}
	irq_work_sync(&pool->irq_work);
	percpu_ref_exit(&pool->users);
	kcoro_pool_destroy(pool->bpf.pool);
	kfree(pool);
	if (atomic_dec_and_test(&pools_alive))
		wake_up_all(&pools_gone);
}

static void pool_users_gone(struct percpu_ref *users)
{
	struct owned_pool *pool = container_of(users, struct owned_pool, users);

	irq_work_queue(&pool->irq_work);
}

static struct kcoro_pool *make(const struct kcoro_bpf_pool_attr *attr)
{
	const struct kcoro_pool_attr pool_attr = {
		.size = sizeof(pool_attr),
		.flags = IS_ENABLED(CONFIG_MEMCG) ? KCORO_POOL_ACCOUNT : 0,
		.name = attr->name,
		.quota = attr->quota,
	};

	if (!attr->quota || attr->flags || strnlen(attr->name, KCORO_NAME_LEN) == KCORO_NAME_LEN ||
	    memchr_inv(attr->reserved, 0, sizeof(attr->reserved)))
		return ERR_PTR(-EINVAL);
	return kcoro_pool_create(&pool_attr);
}

/**
 * kcoro_bpf_pool_create() - make a pool for a BPF program
 * @attr: what it shall be
 *
 * The memory cgroup of the calling process pays for it.
 *
 * Context: process context, may sleep.
 * Return: the pool, owned by the caller, or ERR_PTR: -EINVAL, -ENOMEM.
 */
struct kcoro_bpf_pool *kcoro_bpf_pool_create(const struct kcoro_bpf_pool_attr *attr)
{
	struct owned_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL_ACCOUNT);
	int err;

	if (!pool)
		return ERR_PTR(-ENOMEM);
	pool->bpf.counted = true;
	init_irq_work(&pool->irq_work, pool_irq_work);
	INIT_WORK(&pool->work, pool_work);
	pool->bpf.pool = make(attr);
	if (IS_ERR(pool->bpf.pool)) {
		err = PTR_ERR(pool->bpf.pool);
		goto err_free;
	}
	pool->bpf.id = kcoro_pool_id(pool->bpf.pool);
	err = percpu_ref_init(&pool->users, pool_users_gone, 0, GFP_KERNEL);
	if (err)
		goto err_pool;
	/* From here on programs can find it. */
	err = xa_insert(&pools, pool->bpf.id, pool, GFP_KERNEL);
	if (err)
		goto err_users;
	rcu_assign_pointer(recent[pool->bpf.id % RECENT], pool);
	atomic_inc(&pools_alive);
	return &pool->bpf;

err_users:
	percpu_ref_exit(&pool->users);
err_pool:
	kcoro_pool_destroy(pool->bpf.pool);
err_free:
	kfree(pool);
	return ERR_PTR(err);
}

/**
 * kcoro_bpf_pool_release() - the owner's reference goes
 * @pool: from kcoro_bpf_pool_create(), no longer the caller's afterwards
 *
 * Returns at once. A little later the number names nothing any more; the pool goes when
 * its last frame was freed and its last table has ended.
 */
void kcoro_bpf_pool_release(struct kcoro_bpf_pool *pool)
{
	irq_work_queue(&owned(pool)->irq_work);
}

/**
 * kcoro_bpf_pool_get() - the pool of that number
 * @id: its number; 0: the default pool of BPF programs
 *
 * Return: the pool, with a reference for kcoro_bpf_pool_put(), or NULL: there is none,
 * its owner is gone, or it is not one of BPF programs.
 */
struct kcoro_bpf_pool *kcoro_bpf_pool_get(u64 id)
{
	struct owned_pool *pool;

	if (!id)
		return &kcoro_bpf_pool_default;
	rcu_read_lock();
	pool = rcu_dereference(recent[id % RECENT]);
	if (!pool || pool->bpf.id != id)
		pool = xa_load(&pools, id);
	if (pool && !percpu_ref_tryget_live_rcu(&pool->users))
		pool = NULL;
	rcu_read_unlock();
	return pool ? &pool->bpf : NULL;
}

/**
 * kcoro_bpf_pool_put() - drop a reference
 * @pool: from kcoro_bpf_pool_get()
 */
void kcoro_bpf_pool_put(struct kcoro_bpf_pool *pool)
{
	if (pool->counted)
		percpu_ref_put(&owned(pool)->users);
}

int __init kcoro_bpf_pool_init(void)
{
	const struct kcoro_pool_attr attr = {
		.size = sizeof(attr),
		.name = "bpf",
		.quota = ((u64)totalram_pages() << PAGE_SHIFT) >> DEFAULT_SHARE_SHIFT,
	};
	struct kcoro_pool *pool;

	pool_wq = alloc_workqueue("kcoro_bpf_pool", WQ_UNBOUND, 0);
	if (!pool_wq)
		return -ENOMEM;
	pool = kcoro_pool_create(&attr);
	if (IS_ERR(pool)) {
		destroy_workqueue(pool_wq);
		return PTR_ERR(pool);
	}
	kcoro_bpf_pool_default.pool = pool;
	kcoro_bpf_pool_default.id = kcoro_pool_id(pool);
	return 0;
}

/* Programs and maps hold the module: pools that are left are on their way out. */
void kcoro_bpf_pool_exit(void)
{
	wait_event(pools_gone, !atomic_read(&pools_alive));
	/* The last of the percpu_ref callbacks may still be in ours. */
	synchronize_rcu();
	rcu_barrier();
	destroy_workqueue(pool_wq);
	kcoro_pool_destroy(kcoro_bpf_pool_default.pool);
}
