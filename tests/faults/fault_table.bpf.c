// SPDX-License-Identifier: GPL-2.0-only
/* fault_table.bpf.c - a table, its entries and frames in a map, for fault_table.cc. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "kcoro.bpf.h"
#include "fault_table.h"
#include "../kernel/table_owner.bpf.h"

struct frame_owner {
	struct kcoro_frame __kptr *frame;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FAULT_KEYS);
	__type(key, __u32);
	__type(value, struct frame_owner);
} frames SEC(".maps");

SEC("syscall")
int create(struct fault_call *call)
{
	struct kcoro_table_attr attr = {
		.key_size = 4, .frame_size = 300, .max_entries = 16, .name = "faults"
	};

	call->table_id = owner_create(&attr);
	return 0;
}

SEC("syscall")
int enter(struct fault_call *call)
{
	struct kcoro_enter_opts opts = { .flags = KCORO_ENTER_CREATE };
	struct kcoro_entry *entry;
	__u32 key = call->key;

	entry = bpf_kcoro_table_enter(call->table_id, &key, sizeof(key), &opts, sizeof(opts));
	call->error = opts.error;
	if (entry)
		bpf_kcoro_table_leave(entry, 0);
	return 0;
}

SEC("syscall")
int keep(struct fault_call *call)
{
	struct kcoro_frame *frame, *old;
	struct frame_owner *slot;
	__u32 key = call->key;

	call->error = 0;
	slot = bpf_map_lookup_elem(&frames, &key);
	if (!slot)
		return 0;
	frame = bpf_kcoro_frame_alloc(1000);
	if (!frame) {
		call->error = 1;
		return 0;
	}
	old = bpf_kptr_xchg(&slot->frame, frame);
	if (old)
		bpf_kcoro_frame_free(old);
	return 0;
}

SEC("syscall")
int read_counts(struct fault_counts *counts)
{
	struct kcoro_table_counters t = {};
	struct kcoro_frame_counters c;
	__u32 level, cls;

	if (counts->table_id)
		bpf_kcoro_table_read(counts->table_id, &t, sizeof(t));
	counts->nomem = t.nomem;
	counts->failures = 0;
	counts->live = 0;
	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
			counts->failures += c.failures;
			counts->live += c.allocs - c.frees;
		}
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
