// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe.bpf.c - calls each kind of kfunc once: that it loads shows that the module
 * kept its BTF, that it runs shows that the module works. Leaves nothing behind.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <kcoro.bpf.h>
#include "probe.h"

char LICENSE[] SEC("license") = "GPL";

#define EINVAL 22
#define ENOMEM 12
#define EIO 5

#define PROBE_BYTES 64
#define PATTERN 0x6b636f726f6b636fULL

/* Neither const nor static: the memory that a kfunc gets must be writable. */
struct kcoro_table_attr table_attr = {
	.key_size = 8,
	.frame_size = PROBE_BYTES,
	.max_entries = 1,
	.name = "kcoro_probe",
};

static __always_inline int probe_frame(struct probe_args *args)
{
	struct kcoro_frame *frame;
	__u64 *words;
	int err = 0;

	args->step = PROBE_ALLOC;
	frame = bpf_kcoro_frame_alloc(PROBE_BYTES);
	if (!frame)
		return -ENOMEM;
	args->step = PROBE_DATA;
	words = (__u64 *)bpf_kcoro_frame_data(frame, PROBE_BYTES);
	if (!words) {
		err = -EINVAL;
	} else if (words[0] || words[PROBE_BYTES / 8 - 1]) {
		err = -EIO; /* frames for BPF are zeroed */
	} else {
		words[0] = PATTERN;
		if (*(volatile __u64 *)words != PATTERN)
			err = -EIO;
	}
	bpf_kcoro_frame_free(frame);
	return err;
}

SEC("syscall")
int probe(struct probe_args *args)
{
	struct kcoro_frame_counters counters = {};
	struct kcoro_table *table;
	__u64 allocs = 0;
	int err;

	err = probe_frame(args);
	if (err)
		return err;

	args->step = PROBE_TABLE;
	table = bpf_kcoro_table_create(&table_attr, sizeof(table_attr));
	if (!table)
		return -ENOMEM;
	args->table_id = bpf_kcoro_table_id(table);
	bpf_kcoro_table_release(table);

	args->step = PROBE_COUNTERS;
	for (__u32 i = 0; i < KCORO_CLASSES; i++) {
		err = bpf_kcoro_counters_read(KCORO_LEVEL_TASK, i, &counters, sizeof(counters));
		if (err)
			return err;
		allocs += counters.allocs;
	}
	args->allocs = allocs;
	args->step = PROBE_DONE;
	return allocs ? 0 : -EIO;
}
