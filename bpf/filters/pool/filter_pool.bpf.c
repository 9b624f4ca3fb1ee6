// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter_pool.bpf.c - a pool that lives as long as a pinned map, for filters: see
 * filter_pool.h.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <kcoro.bpf.h>
#include <kcoro_keep.bpf.h>

#include "filter_pool.h"

#define ENOENT 2

struct filter_pool_owner {
	struct kcoro_bpf_pool __kptr *pool;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter_pool_owner);
} filter_pool_owner SEC(".maps");

/* 0 or a negative errno. */
SEC("syscall")
int filter_pool(struct filter_pool_args *args)
{
	struct kcoro_bpf_pool_attr attr = { .quota = args->quota };
	struct filter_pool_owner *slot;
	__u32 zero = 0;

	_Static_assert(FILTER_POOL_NAME_LEN == KCORO_NAME_LEN, "filter_pool.h includes nothing");
	slot = bpf_map_lookup_elem(&filter_pool_owner, &zero);
	if (!slot)
		return -ENOENT;
	__builtin_memcpy(attr.name, args->name, sizeof(attr.name));
	args->pool_id = kcoro_pool_keep(&slot->pool, &attr);
	return args->pool_id ? 0 : attr.error;
}

char _license[] SEC("license") = "GPL";
