// SPDX-License-Identifier: GPL-2.0-only
/* attachment.bpf.c - a map and nothing else: its BTF lets bpftool print it decoded. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "attachment.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct attachment);
} attachment SEC(".maps");
