/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_keep.bpf.h - make a table or a pool that lives as long as a map of the program.
 *
 *	struct owner { struct kcoro_table __kptr *table; };	(value of an array)
 *
 *	table_id = kcoro_table_keep(&slot->table, &attr);
 *
 * For syscall programs, which may sleep. Include kcoro.bpf.h before.
 */
#ifndef KCORO_KEEP_BPF_H
#define KCORO_KEEP_BPF_H

/*
 * kcoro_table_keep - make a table and keep it in a map
 * @slot: a __kptr in the element of a map; a table that is there already is released
 * @attr: what it shall be, in memory that can be written
 *
 * The map owns the table. Returns its number; 0: a wrong attribute, or no memory, and the
 * map is as it was.
 */
static __always_inline __u64 kcoro_table_keep(struct kcoro_table **slot,
					      struct kcoro_table_attr *attr)
{
	struct kcoro_table *table = bpf_kcoro_table_create(attr, sizeof(*attr));
	__u64 id;

	if (!table)
		return 0;
	id = bpf_kcoro_table_id(table);
	table = bpf_kptr_xchg(slot, table);
	if (table)
		bpf_kcoro_table_release(table);
	return id;
}

/*
 * kcoro_pool_keep - the same with a pool
 * @slot: a __kptr in the element of a map; a pool that is there already is released
 * @attr: in: what it shall be; out: error
 *
 * The map owns the pool. Returns its number; 0: see @attr->error, a negative errno, and
 * the map is as it was.
 */
static __always_inline __u64 kcoro_pool_keep(struct kcoro_bpf_pool **slot,
					     struct kcoro_bpf_pool_attr *attr)
{
	struct kcoro_bpf_pool *pool = bpf_kcoro_pool_create(attr, sizeof(*attr));
	__u64 id;

	if (!pool)
		return 0;
	id = bpf_kcoro_pool_id(pool);
	pool = bpf_kptr_xchg(slot, pool);
	if (pool)
		bpf_kcoro_pool_release(pool);
	return id;
}

#endif /* KCORO_KEEP_BPF_H */
