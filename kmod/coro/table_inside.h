/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table_inside.h - inside of the keyed table: table.c has the entries, key.c those who
 * await a key.
 */
#ifndef KCORO_TABLE_INSIDE_H
#define KCORO_TABLE_INSIDE_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "table.h"

struct kcoro_bpf_pool;

struct kcoro_bucket {
	raw_spinlock_t lock;
	struct hlist_head head;		/* entries */
	struct hlist_head waits;	/* struct kcoro_key_wait, newest first */
};

struct kcoro_table {
	u64 id;
	struct kcoro_bpf_pool *pool;
	struct percpu_ref users;
	struct kcoro_bucket *buckets;
	u32 mask;
	u32 seed;
	u32 key_size;
	u32 data_offset;
	u32 frame_size;
	u32 max_entries;
	atomic_t live;
	struct kcoro_table_counters __percpu *count;
	struct irq_work irq_work;
	struct work_struct release_work;
	struct work_struct destroy_work;
	char name[KCORO_NAME_LEN];
};

static inline struct kcoro_bucket *kcoro_table_bucket(struct kcoro_table *table, u32 hash)
{
	return &table->buckets[hash & table->mask];
}

#define kcoro_table_count(table, counter) this_cpu_inc((table)->count->counter)

/* table.c: a table that is not on its way out, held until the put. Any context but NMI. */
struct kcoro_table *kcoro_table_get(u64 id);
void kcoro_table_put(struct kcoro_table *table);

/* key.c */
void kcoro_key_break(struct kcoro_bucket *bucket);

#endif /* KCORO_TABLE_INSIDE_H */
