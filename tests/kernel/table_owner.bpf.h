/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table_owner.bpf.h - a map that owns one table. For kfuncs.bpf.c and
 * tests/faults/fault_table.bpf.c. Include kcoro.bpf.h before it.
 */
#ifndef KCORO_TEST_TABLE_OWNER_BPF_H
#define KCORO_TEST_TABLE_OWNER_BPF_H

#include <kcoro_keep.bpf.h>

struct table_owner {
	struct kcoro_table __kptr *table;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table_owner);
} owner SEC(".maps");

/*
 * Make a table and keep it in the map; one that was there is released. Its id, or 0
 * when there is none: then the map is as it was. For syscall programs: it may sleep.
 */
static __always_inline __u64 owner_create(struct kcoro_table_attr *attr)
{
	struct table_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&owner, &zero);
	return slot ? kcoro_table_keep(&slot->table, attr) : 0;
}

/* Release what is in the map, if anything. */
static __always_inline void owner_release(void)
{
	struct table_owner *slot;
	struct kcoro_table *old;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&owner, &zero);
	if (!slot)
		return;
	old = bpf_kptr_xchg(&slot->table, NULL);
	if (old)
		bpf_kcoro_table_release(old);
}

#endif /* KCORO_TEST_TABLE_OWNER_BPF_H */
