/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * table.bpf.h - a keyed table that belongs to this BPF object.
 *
 * KCORO_TABLE(knocks, __u32, struct knock, 1024) makes
 *
 *   knocks_setup   a syscall program: run it once, between load and attach
 *   knocks_id      the number that bpf_kcoro_table_enter() wants
 *
 * The table is kept in a map of the object. It goes, with all its entries, when
 * the object's programs and maps go: also when their loader is killed.
 */
#ifndef KCORO_EXAMPLE_TABLE_BPF_H
#define KCORO_EXAMPLE_TABLE_BPF_H

#include <kcoro.bpf.h>
#include <kcoro_keep.bpf.h>

#define KCORO_TABLE(table, key_t, frame_t, entries)				\
	__u64 table##_id;							\
	struct table##_owner {							\
		struct kcoro_table __kptr *kept;				\
	};									\
	struct {								\
		__uint(type, BPF_MAP_TYPE_ARRAY);				\
		__uint(max_entries, 1);						\
		__type(key, __u32);						\
		__type(value, struct table##_owner);				\
	} table##_map SEC(".maps");						\
	SEC("syscall") int table##_setup(void *ctx)				\
	{									\
		struct kcoro_table_attr attr = {				\
			.key_size = sizeof(key_t),				\
			.frame_size = sizeof(frame_t),				\
			.max_entries = (entries),				\
			.name = #table,						\
		};								\
		struct table##_owner *owner;					\
		__u32 zero = 0;							\
										\
		owner = bpf_map_lookup_elem(&table##_map, &zero);		\
		if (!owner)							\
			return -2; /* ENOENT: cannot be, the verifier asks */	\
		/* Run twice: the first table goes. */				\
		table##_id = kcoro_table_keep(&owner->kept, &attr);		\
		return table##_id ? 0 : -12; /* ENOMEM */			\
	}

#endif /* KCORO_EXAMPLE_TABLE_BPF_H */
