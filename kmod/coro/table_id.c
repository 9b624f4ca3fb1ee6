// SPDX-License-Identifier: GPL-2.0-only
/*
 * table_id.c - the numbers by which programs name tables, and how a table is found by one.
 *
 * Contexts: publish and unpublish may sleep; the others: any but NMI.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/xarray.h>

#include "table_inside.h"

/* Low half of an id: index here. High half: random, so that old ids don't fit new tables. */
static DEFINE_XARRAY_FLAGS(tables, XA_FLAGS_ALLOC1);
static u32 next_index;

struct kcoro_table *kcoro_tables_recent[KCORO_TABLES_RECENT];

/* kcoro_table_find() where others have taken the table's place. */
struct kcoro_table *kcoro_table_find_any(u64 id)
{
	struct kcoro_table *table = xa_load(&tables, (u32)id);

	return table && table->id == id ? table : NULL;
}

/**
 * kcoro_table_get() - the table of an id
 * @id: from kcoro_table_id()
 *
 * Context: any but NMI. Return: the table, until kcoro_table_put(), soon; or NULL.
 */
struct kcoro_table *kcoro_table_get(u64 id)
{
	struct kcoro_table *table;

	rcu_read_lock();
	table = kcoro_table_find(id);
	if (table && !percpu_ref_tryget_live_rcu(&table->users))
		table = NULL;
	rcu_read_unlock();
	return table;
}

/* The number by which programs name the table: never 0, never used again. */
u64 kcoro_table_id(const struct kcoro_table *table)
{
	return table->id;
}
EXPORT_SYMBOL_GPL(kcoro_table_id);

/* From here on programs can enter. */
int kcoro_table_publish(struct kcoro_table *table)
{
	u32 index;
	int err;

	/* The id is written before the table can be found by it. */
	err = xa_alloc_cyclic(&tables, &index, NULL, xa_limit_32b, &next_index, GFP_KERNEL);
	if (err < 0)
		return err;
	table->id = (u64)get_random_u32() << 32 | index;
	err = xa_err(xa_store(&tables, index, table, GFP_KERNEL));
	if (err)
		xa_erase(&tables, index);
	else
		/* All of the table is written before it can be found. */
		smp_store_release(&kcoro_tables_recent[index % KCORO_TABLES_RECENT], table);
	return err;
}

/* Nobody finds the table any more, when the RCU read sections of now are over. */
void kcoro_table_unpublish(struct kcoro_table *table)
{
	xa_erase(&tables, (u32)table->id);
	cmpxchg(&kcoro_tables_recent[table->id % KCORO_TABLES_RECENT], table, NULL);
}
