// SPDX-License-Identifier: GPL-2.0-only
/*
 * pools.bpf.c - the command's access to pools: one after the other, and their reserves.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <kcoro.bpf.h>
#include "stats.h"
#include "pools.h"

char LICENSE[] SEC("license") = "GPL";

struct pool_row row;

SEC("syscall")
int pool_read(struct pool_read_args *args)
{
	__u64 id = bpf_kcoro_pool_next(args->id);

	if (!id)
		return POOL_READ_END;
	args->id = id;
	if (bpf_kcoro_pool_read(id, &row.info, sizeof(row.info)))
		return POOL_READ_GONE;
	for (__u32 i = 0; i < FRAME_STATS_ROWS; i++)
		if (bpf_kcoro_pool_counters_read(id, i / KCORO_CLASSES, i % KCORO_CLASSES,
						 &row.frames[i], sizeof(row.frames[i])))
			return POOL_READ_GONE;
	return POOL_READ_ROW;
}

SEC("syscall")
int pool_reserve(struct pool_reserve_args *args)
{
	return bpf_kcoro_pool_reserve(args->id, args->size, args->count);
}
