// SPDX-License-Identifier: GPL-2.0-only
/* frame_map.bpf.c - frames kept in maps with kcoro_frame_map.bpf.h, for frame_map.cc. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "kcoro.bpf.h"
#include "kcoro_frame_map.bpf.h"
#include "frame_map.h"

/* Of a key. */
struct keyed_state {
	__u64 count;
	__u64 key;
};

#define STATE sizeof(struct keyed_state)

#define FRAME_MAP(name, kind, flags)                            \
	struct {                                                \
		__uint(type, kind);                             \
		__uint(max_entries, FRAME_MAP_ENTRIES);         \
		__uint(map_flags, flags);                       \
		__type(key, __u32);                             \
		__type(value, struct kcoro_map_frame);              \
	} name SEC(".maps")

FRAME_MAP(hash, BPF_MAP_TYPE_HASH, 0);
FRAME_MAP(growing, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC);
FRAME_MAP(lru, BPF_MAP_TYPE_LRU_HASH, 0);

/* Counts in the state of a frame that is taken. */
static __always_inline void count(struct frame_map_call *call, struct kcoro_frame *frame)
{
	struct keyed_state *state = kcoro_map_state(frame, sizeof(call->key), sizeof(*state));

	if (!state)
		return;
	if (!state->count)
		state->key = call->key;
	call->count = ++state->count;
	call->state_key = state->key;
}

static __always_inline void report(struct frame_map_call *call, const struct kcoro_take *take)
{
	call->error = take->error;
	call->created = take->created;
	call->inherited = take->inherited;
}

/* A frame of another key ends with its element, and a third key may get that. */
static __always_inline void replace(void *map, struct frame_map_call *call)
{
	struct kcoro_take take = {};
	__u32 key = call->key, other = call->other_key;
	struct kcoro_map_frame *value = kcoro_map_value(map, &key);
	struct kcoro_frame *frame;

	if (!value)
		return;
	frame = kcoro_map_take(map, value, &key, sizeof(key), STATE, &take);
	if (!frame)
		return;
	kcoro_map_end(map, &key, frame);
	value = kcoro_map_value(map, &other);
	if (!value)
		return;
	frame = kcoro_map_take(map, value, &other, sizeof(other), STATE, &take);
	if (frame)
		kcoro_map_put(value, frame);
}

static __always_inline void act(void *map, struct frame_map_call *call)
{
	struct kcoro_take take = {};
	struct kcoro_map_frame *value;
	struct kcoro_frame *frame, *second;
	__u32 key = call->key;

	call->error = NO_ELEMENT;
	value = kcoro_map_value(map, &key);
	if (!value)
		return;
	if (call->op == OP_STALE)
		replace(map, call);
	frame = kcoro_map_take(map, value, &key, sizeof(key), STATE, &take);
	report(call, &take);
	if (!frame)
		return;
	count(call, frame);
	switch (call->op) {
	case OP_END:
		kcoro_map_end(map, &key, frame);
		return;
	case OP_DROP:
		kcoro_map_drop(value, frame);
		return;
	case OP_TWICE:
		second = kcoro_map_take(map, value, &key, sizeof(key), STATE, &take);
		report(call, &take);
		if (second)
			kcoro_map_put(value, second);
		break;
	case OP_LATE:
		bpf_map_delete_elem(map, &key);
		kcoro_map_value(map, &key);
		break;
	}
	call->put_error = kcoro_map_put(value, frame);
}

SEC("syscall")
int frame_map(struct frame_map_call *call)
{
	switch (call->which) {
	case MAP_HASH:
		act(&hash, call);
		break;
	case MAP_GROWING:
		act(&growing, call);
		break;
	case MAP_LRU:
		act(&lru, call);
		break;
	}
	return 0;
}

SEC("syscall")
int frame_map_read(struct frame_map_live *out)
{
	struct kcoro_frame_counters c;
	__u32 level, cls;

	out->live = 0;
	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
			out->live += c.allocs - c.frees;
		}
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
