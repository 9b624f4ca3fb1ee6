// SPDX-License-Identifier: GPL-2.0-only
/* kfuncs.bpf.c - calls every kfunc on behalf of kfuncs.cc, by BPF_PROG_RUN. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kcoro.bpf.h"
#include "kfuncs.h"
#include "table_owner.bpf.h"

struct frame_owner {
	struct kcoro_frame __kptr *frame;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct frame_owner);
} frames SEC(".maps");

SEC("syscall")
int create(struct test_create *call)
{
	struct kcoro_table_attr attr = call->attr;

	call->table_id = owner_create(&attr);
	return 0;
}

SEC("syscall")
int release(void *ctx)
{
	owner_release();
	return 0;
}

SEC("syscall")
int call(struct test_call *call)
{
	struct kcoro_enter_opts opts = { .flags = call->flags };
	struct kcoro_enter_opts second = {};
	struct kcoro_entry *entry, *other;
	__u8 key[TEST_KEY_SIZE];
	__u64 *state;

	__builtin_memcpy(key, call->key, sizeof(key));
	call->value = 0;
	if (call->op == OP_ENTER_WRONG_FLAG)
		opts.flags = 1U << 31;
	if (call->op == OP_ENTER_WRONG_KEY_SIZE)
		entry = bpf_kcoro_table_enter(call->table_id, key, TEST_KEY_SIZE - 1, &opts,
					      sizeof(opts));
	else
		entry = bpf_kcoro_table_enter(call->table_id, key, TEST_KEY_SIZE, &opts,
					      sizeof(opts));
	call->error = opts.error;
	call->created = opts.created;
	if (!entry)
		return 0;
	if (call->op == OP_ENTER_TWICE) {
		other = bpf_kcoro_table_enter(call->table_id, key, TEST_KEY_SIZE, &second,
					      sizeof(second));
		call->error = second.error;
		if (other)
			bpf_kcoro_table_leave(other, 0);
	}
	if (call->op == OP_DATA_TOO_LARGE) {
		call->value = !bpf_kcoro_frame_data(&entry->frame, TEST_FRAME_SIZE + 1);
		bpf_kcoro_table_leave(entry, call->timeout_ns);
		return 0;
	}
	state = (__u64 *)bpf_kcoro_frame_data(&entry->frame, TEST_FRAME_SIZE);
	if (state)
		call->value = ++state[TEST_FRAME_SIZE / 8 - 1];
	if (call->op == OP_ENTER_END)
		bpf_kcoro_table_end(entry);
	else
		bpf_kcoro_table_leave(entry, call->timeout_ns);
	return 0;
}

SEC("syscall")
int read_table(struct test_call *call)
{
	struct kcoro_table_counters c;

	call->error = bpf_kcoro_table_read(call->table_id, &c, sizeof(c));
	call->value = c.created - c.ended - c.expired;
	call->flags = c.expired;
	call->created = c.created;
	return 0;
}

SEC("syscall")
int keep_frame(struct test_frames *call)
{
	struct kcoro_frame *frame = NULL, *old;
	struct frame_owner empty = {}, *slot;
	__u32 key = call->slot, i;
	__u8 *data;

	call->result = 0;
	call->dirty = 0;
	bpf_map_update_elem(&frames, &key, &empty, BPF_NOEXIST);
	slot = bpf_map_lookup_elem(&frames, &key);
	if (!slot)
		return 0;
	if (!call->drop) {
		frame = bpf_kcoro_frame_alloc(call->data_size);
		if (!frame)
			return 0;
		data = bpf_kcoro_frame_data(frame, 64);
		if (data) {
			for (i = 0; i < 64; i++) {
				call->dirty += data[i] != 0;
				data[i] = 0xff;
			}
		}
		call->result = 1;
	}
	old = bpf_kptr_xchg(&slot->frame, frame);
	if (old) {
		call->result = call->drop ? 3 : 2;
		bpf_kcoro_frame_free(old);
	}
	return 0;
}

struct test_live {
	__s64 live;	/* frames allocated and not freed, all classes */
	__u64 allocs;
};

SEC("syscall")
int read_live(struct test_live *out)
{
	struct kcoro_frame_counters c;
	__u32 level, cls;

	out->live = 0;
	out->allocs = 0;
	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
			out->live += c.allocs - c.frees;
			out->allocs += c.allocs;
		}
	}
	return bpf_kcoro_counters_read(KCORO_LEVELS, 0, &c, sizeof(c));
}

struct test_tracing tracing;

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(trace, int unused)
{
	struct kcoro_frame *frame;
	__u8 *data;
	__u32 i;

	frame = bpf_kcoro_frame_alloc_nolock(0);
	if (frame) {
		tracing.wrong++;
		bpf_kcoro_frame_free_nolock(frame);
	}
	frame = bpf_kcoro_frame_alloc_nolock(KCORO_FRAME_DATA_MAX + 1);
	if (frame) {
		tracing.wrong++;
		bpf_kcoro_frame_free_nolock(frame);
	}
	frame = bpf_kcoro_frame_alloc_nolock(TEST_TRACING_SIZE);
	if (!frame) {
		tracing.missed++;
		return 0;
	}
	data = bpf_kcoro_frame_data(frame, TEST_TRACING_SIZE);
	if (data) {
		tracing.got++;
		for (i = 0; i < TEST_TRACING_SIZE; i++) {
			tracing.dirty += data[i] != 0;
			data[i] = 0xff;
		}
	}
	bpf_kcoro_frame_free_nolock(frame);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
