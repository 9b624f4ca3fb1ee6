/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf_pool.h - pools that BPF programs own: they live as long as something of theirs.
 *
 * A program's frames and tables outlive the program's reference to their pool, in maps
 * and in deadlines that have not passed. So each holds the pool, and the pool is
 * destroyed when its owner and all of them are gone.
 */
#ifndef KCORO_BPF_POOL_H
#define KCORO_BPF_POOL_H

#include <linux/irq_work.h>
#include <linux/percpu-refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kcoro/kcoro.h>

struct kcoro_bpf_pool {
	struct kcoro_pool *pool;
	bool counted;			/* false: the default one, which stays */
	bool released;			/* the owner is gone */
	u64 id;
	struct percpu_ref users;	/* the owner, frames, tables */
	struct irq_work irq_work;
	struct work_struct work;
};

/* The pool of programs that name none. */
extern struct kcoro_bpf_pool kcoro_bpf_pool_default;

struct kcoro_bpf_pool *kcoro_bpf_pool_create(const struct kcoro_bpf_pool_attr *attr);
void kcoro_bpf_pool_release(struct kcoro_bpf_pool *pool);
struct kcoro_bpf_pool *kcoro_bpf_pool_get(u64 id);

/**
 * kcoro_bpf_pool_put() - drop a reference
 * @pool: from kcoro_bpf_pool_get()
 *
 * Context: any, NMI included, with any lock held.
 */
static inline void kcoro_bpf_pool_put(struct kcoro_bpf_pool *pool)
{
	if (pool->counted)
		percpu_ref_put(&pool->users);
}

int kcoro_bpf_pool_init(void);
void kcoro_bpf_pool_exit(void);

#endif /* KCORO_BPF_POOL_H */
