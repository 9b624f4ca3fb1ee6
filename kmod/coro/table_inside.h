/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table_inside.h - inside of the keyed table: table.c has the entries, table_id.c the tables'
 * numbers, key.c those who await a key.
 */
#ifndef KCORO_TABLE_INSIDE_H
#define KCORO_TABLE_INSIDE_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/unaligned.h>
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
	u64 seed[2];
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

/* Both halves of the product: each bit of it depends on all of a and b. */
static inline u64 kcoro_fold(u64 a, u64 b)
{
	u128 product = (u128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/*
 * The hash of a key. Two random numbers of the table's own keep senders of packets from
 * choosing where they land: who does not know them makes neither factor zero on purpose.
 */
static inline u32 kcoro_table_hash(const struct kcoro_table *table, const void *key)
{
	u64 hash = table->seed[0] ^ table->key_size, a = 0, b = 0;
	u32 n = table->key_size;

	for (; n > 16; key += 16, n -= 16)
		hash = kcoro_fold(get_unaligned((const u64 *)key) ^ table->seed[1],
				  get_unaligned((const u64 *)(key + 8)) ^ hash);
	/* 1 .. 16 bytes are left: two pieces that may overlap, and leave none out. */
	if (n >= 8) {
		a = get_unaligned((const u64 *)key);
		b = get_unaligned((const u64 *)(key + n - 8));
	} else if (n >= 4) {
		a = get_unaligned((const u32 *)key);
		b = get_unaligned((const u32 *)(key + n - 4));
	} else {
		memcpy(&a, key, n);
	}
	hash = kcoro_fold(a ^ table->seed[1], b ^ hash);
	return hash ^ hash >> 32;
}

static inline bool kcoro_table_same_key(const struct kcoro_table *table, const void *a,
					const void *b)
{
	u32 n = table->key_size;

	for (; n >= 8; a += 8, b += 8, n -= 8)
		if (get_unaligned((const u64 *)a) != get_unaligned((const u64 *)b))
			return false;
	return !n || !memcmp(a, b, n);
}

#define kcoro_table_count(table, counter) this_cpu_inc((table)->count->counter)

/* table_id.c */
#define KCORO_TABLES_RECENT 16 /* a power of two */

/* The tables that were made last, by index: mostly there are few, and this is all it takes. */
extern struct kcoro_table *kcoro_tables_recent[KCORO_TABLES_RECENT];

struct kcoro_table *kcoro_table_find_any(u64 id);

/* In an RCU read section, until whose end the table stays; it may be on its way out. */
static inline struct kcoro_table *kcoro_table_find(u64 id)
{
	struct kcoro_table *table = READ_ONCE(kcoro_tables_recent[id % KCORO_TABLES_RECENT]);

	return likely(table && table->id == id) ? table : kcoro_table_find_any(id);
}

/* A table that is not on its way out, held until the put. Any context but NMI. */
struct kcoro_table *kcoro_table_get(u64 id);

static inline void kcoro_table_put(struct kcoro_table *table)
{
	percpu_ref_put(&table->users);
}

int kcoro_table_publish(struct kcoro_table *table);
void kcoro_table_unpublish(struct kcoro_table *table);

/* key.c */
void kcoro_key_break(struct kcoro_bucket *bucket);

#endif /* KCORO_TABLE_INSIDE_H */
