// SPDX-License-Identifier: GPL-2.0-only
/* bpf_pools.bpf.c - pools of BPF programs, on behalf of bpf_pools.cc, by BPF_PROG_RUN. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kcoro.bpf.h"
#include "bpf_pools.h"
#include "table_owner.bpf.h"

struct frame_owner {
	struct kcoro_frame __kptr *frame;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TEST_SLOTS);
	__type(key, __u32);
	__type(value, struct frame_owner);
} frames SEC(".maps");

struct pool_owner {
	struct kcoro_bpf_pool __kptr *pool;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TEST_POOLS);
	__type(key, __u32);
	__type(value, struct pool_owner);
} pool_owner SEC(".maps");

static __always_inline void keep_pool(struct kcoro_bpf_pool *pool, __u32 key)
{
	struct pool_owner *slot;

	slot = bpf_map_lookup_elem(&pool_owner, &key);
	if (slot)
		pool = bpf_kptr_xchg(&slot->pool, pool);
	if (pool)
		bpf_kcoro_pool_release(pool);
}

/* The one that was there before is released. */
SEC("syscall")
int pool_create(struct test_pool *call)
{
	struct kcoro_bpf_pool_attr attr = call->attr;
	struct kcoro_bpf_pool *pool;

	call->id = 0;
	if (call->wrong_size)
		pool = bpf_kcoro_pool_create(&attr, sizeof(attr) - 8);
	else
		pool = bpf_kcoro_pool_create(&attr, sizeof(attr));
	call->attr.error = attr.error;
	if (!pool)
		return 0;
	call->id = bpf_kcoro_pool_id(pool);
	keep_pool(pool, call->slot);
	return 0;
}

SEC("syscall")
int pool_release(struct test_pool *call)
{
	keep_pool(NULL, call->slot);
	return 0;
}

SEC("syscall")
int table_create(struct test_pool_table *call)
{
	struct kcoro_table_attr attr = {
		.key_size = 8,
		.frame_size = TEST_STATE - 200,	/* with header and key not over 1 KiB */
		.max_entries = 1000,
		.pool_id = call->pool_id,
		.name = "test",
	};

	call->id = owner_create(&attr);
	return 0;
}

SEC("syscall")
int table_release(void *ctx)
{
	struct kcoro_table *old;
	struct table_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&owner, &zero);
	old = slot ? bpf_kptr_xchg(&slot->table, NULL) : NULL;
	if (old)
		bpf_kcoro_table_release(old);
	return 0;
}

SEC("syscall")
int table_enter(struct test_enter *call)
{
	struct kcoro_enter_opts opts = { .flags = KCORO_ENTER_CREATE };
	struct kcoro_entry *entry;
	__u64 key = call->key;

	entry = bpf_kcoro_table_enter(call->table_id, &key, sizeof(key), &opts, sizeof(opts));
	call->error = opts.error;
	if (entry)
		bpf_kcoro_table_leave(entry, 0);
	return 0;
}

SEC("syscall")
int frame_keep(struct test_frame *call)
{
	struct kcoro_frame *frame = NULL, *old;
	struct frame_owner *slot;
	__u32 key = call->slot;

	call->result = 0;
	slot = bpf_map_lookup_elem(&frames, &key);
	if (!slot)
		return 0;
	if (!call->drop) {
		frame = bpf_kcoro_frame_alloc_from(call->pool_id, call->data_size);
		if (!frame)
			return 0;
		call->result = 1;
	}
	old = bpf_kptr_xchg(&slot->frame, frame);
	if (old) {
		call->result = call->drop ? 3 : 2;
		bpf_kcoro_frame_free(old);
	}
	return 0;
}

SEC("syscall")
int reserve(struct test_reserve *call)
{
	return bpf_kcoro_pool_reserve(call->pool_id, call->size, call->count);
}

/* Too large for the stack. */
struct kcoro_pool_info info;

SEC("syscall")
int read(struct test_read *call)
{
	struct kcoro_frame_counters c;
	__u32 level, cls;
	int err = 0;

	__builtin_memset(&call->counters, 0, sizeof(call->counters));
	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			if (call->pool_id)
				err = bpf_kcoro_pool_counters_read(call->pool_id, level, cls, &c,
								   sizeof(c));
			else
				err = bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
			if (err)
				return err;
			call->counters.allocs += c.allocs;
			call->counters.frees += c.frees;
			call->counters.failures += c.failures;
			call->counters.reserve += c.reserve;
			call->counters.failed_quota += c.failed_quota;
			call->counters.failed_slab += c.failed_slab;
			call->counters.failed_context += c.failed_context;
		}
	}
	if (!call->pool_id)
		return 0;
	/* Nor may a wrong level be taken for a class of the next one. */
	if (bpf_kcoro_pool_counters_read(call->pool_id, KCORO_LEVELS, 0, &c, sizeof(c)) != -22)
		return -1;
	err = bpf_kcoro_pool_read(call->pool_id, &info, sizeof(info));
	__builtin_memcpy(&call->info, &info, sizeof(info));
	return err;
}

/* In: of which one; out: the next. */
SEC("syscall")
int next(__u64 *id)
{
	*id = bpf_kcoro_pool_next(*id);
	return 0;
}

__u64 traced_pool;
__u32 traced_got, traced_missed, traced_wrong;

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(trace, int unused)
{
	struct kcoro_frame *frame;

	frame = bpf_kcoro_frame_alloc_from_nolock(~0ULL, TEST_TRACING_STATE);
	if (frame) {
		traced_wrong++;
		bpf_kcoro_frame_free_nolock(frame);
	}
	frame = bpf_kcoro_frame_alloc_from_nolock(traced_pool, KCORO_FRAME_DATA_MAX + 1);
	if (frame) {
		traced_wrong++;
		bpf_kcoro_frame_free_nolock(frame);
	}
	frame = bpf_kcoro_frame_alloc_from_nolock(traced_pool, TEST_TRACING_STATE);
	if (!frame) {
		traced_missed++;
		return 0;
	}
	traced_got++;
	bpf_kcoro_frame_free_nolock(frame);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
