// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress_pools.bpf.c - all pools by number, for the end of the stress: it has no frames
 * and no tables itself, so that it looks at them when the other programs are gone.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "kcoro.bpf.h"
#include "stress_bpf.h"

struct stress_pool_read result;
/* Too large for the stack. */
struct kcoro_pool_info info;

static __always_inline int read_class(__u64 pool_id, __u32 cls)
{
	struct kcoro_frame_counters c;
	__s64 live = 0;
	__u32 level;
	int err;

	for (level = 0; level < KCORO_LEVELS; level++) {
		if (pool_id)
			err = bpf_kcoro_pool_counters_read(pool_id, level, cls, &c, sizeof(c));
		else
			err = bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
		if (err)
			return err;
		live += c.allocs - c.frees;
		result.failures += c.failures;
		result.with_reason += c.failed_quota + c.failed_slab + c.failed_context;
	}
	result.frames_live[cls] = live;
	return 0;
}

SEC("syscall")
int read_pool(__u64 *pool_id)
{
	__u64 id = *pool_id;
	__u32 cls;
	int err;

	__builtin_memset(&result, 0, sizeof(result));
	result.pool_id = id;
	result.next_id = bpf_kcoro_pool_next(id);
	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		err = read_class(id, cls);
		if (err)
			return err;
	}
	if (!id)
		return 0;
	err = bpf_kcoro_pool_read(id, &info, sizeof(info));
	__builtin_memcpy(result.name, info.name, sizeof(result.name));
	result.live = info.live;
	result.held = info.held;
	result.held_most = info.held_most;
	result.reserved = info.reserved;
	result.quota = info.quota;
	return err;
}

char LICENSE[] SEC("license") = "GPL";
