// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress.bpf.c - random operations on frames and tables, by syscall, XDP and TC
 * programs; the TC one also as tcx on lo, where it runs in softirq.
 *
 * A frame in a map carries a pattern made of its slot; an entry's state one made
 * of its table and key. Who meets one compares it.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "kcoro.bpf.h"
#include "stress_bpf.h"
#include "frame_pattern.bpf.h"
#include "frame_owner.bpf.h"

#define ENOENT 2
#define ENOMEM 12
#define EBUSY 16
#define ENOSPC 28
#define EDQUOT 122
#define TC_ACT_OK 0

__u64 kinds[KINDS];

/* Elements are deleted with their frames in them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STRESS_SLOTS);
	__type(key, __u32);
	__type(value, struct frame_owner);
} left SEC(".maps");

struct pool_owner {
	struct kcoro_bpf_pool __kptr *pool;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STRESS_POOLS);
	__type(key, __u32);
	__type(value, struct pool_owner);
} pools SEC(".maps");

struct table_owner {
	struct kcoro_table __kptr *table;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STRESS_TABLES);
	__type(key, __u32);
	__type(value, struct table_owner);
} tables SEC(".maps");

static __always_inline void ran(enum stress_kind kind)
{
	__sync_fetch_and_add(&kinds[kind], 1);
}

static __always_inline __u64 next(__u64 x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static __always_inline __u32 random_size(__u64 random)
{
	switch (random & 7) {
	case 0:
		return 48;	/* with its header just 64 bytes */
	case 1:
		return 49;
	case 2:
		return 1 + (random >> 8) % KCORO_FRAME_DATA_MAX;
	case 3:
		return random >> 8 & 1 ? KCORO_FRAME_DATA_MAX : 1000;
	case 4:
		return 1;
	default:
		return PATTERN_SIZE + (random >> 8 & 255);
	}
}

/* All of it when it is one of these sizes, else as much as the pattern takes. */
static __noinline int check_zero(struct kcoro_frame *frame)
{
	__u8 *data;

	data = bpf_kcoro_frame_data(frame, KCORO_FRAME_DATA_MAX);
	if (data)
		return pattern_dirty(data, KCORO_FRAME_DATA_MAX / 8);
	data = bpf_kcoro_frame_data(frame, 1000);
	if (data)
		return pattern_dirty(data, 1000 / 8);
	data = bpf_kcoro_frame_data(frame, PATTERN_SIZE);
	if (data)
		return pattern_dirty(data, PATTERN_WORDS);
	data = bpf_kcoro_frame_data(frame, 1);
	return !data || *(volatile __u8 *)data;
}

static __always_inline struct kcoro_frame *frame_new(__u64 random, __u64 tag)
{
	__u32 size = random_size(random);
	enum stress_source source;
	__u64 pool = random_pool(random, &source);
	struct kcoro_frame *frame;
	__u8 *data;

	frame = pool ? bpf_kcoro_frame_alloc_from(pool, size) : bpf_kcoro_frame_alloc(size);
	if (!frame) {
		count_failed(source);
		return NULL;
	}
	ran(pool ? KIND_frame_alloc_from : KIND_frame_alloc);
	if (check_zero(frame))
		fault(FAULT_new_frame_is_dirty);
	data = bpf_kcoro_frame_data(frame, PATTERN_SIZE);
	if (data) {
		ran(KIND_frame_data);
		pattern_write(data, tag);
	} else {
		ran(KIND_frame_data_too_large);
		if (size >= PATTERN_SIZE)
			fault(FAULT_not_refused);
	}
	return frame;
}

static __always_inline void frame_end(struct kcoro_frame *frame, __u64 tag)
{
	frame_taken(frame, tag);
	bpf_kcoro_frame_free(frame);
	ran(KIND_frame_free);
}

__noinline int frame_step(__u64 random)
{
	struct kcoro_frame *frame = NULL, *old;
	struct frame_owner *owner;
	__u32 slot = (random >> 32) % STRESS_SLOTS;
	__u64 tag = mix(slot + 1);

	owner = bpf_map_lookup_elem(&frames, &slot);
	if (!owner)
		return 0;
	if (random & 1 << 20) {
		frame = frame_new(random, tag);
		if (!frame)
			return 0;
		ran(KIND_frame_to_map);
	}
	old = bpf_kptr_xchg(&owner->frame, frame);
	if (old) {
		ran(KIND_frame_from_map);
		frame_end(old, tag);
	}
	return 0;
}

/* A frame that goes with its element. Later kernels give it to the next key: no tag. */
__noinline int left_step(__u64 random)
{
	__u32 slot = (random >> 32) % STRESS_SLOTS;
	struct frame_owner empty = {}, *owner;
	struct kcoro_frame *frame, *old;

	if (random & 1 << 20) {
		bpf_map_delete_elem(&left, &slot);
		return 0;
	}
	bpf_map_update_elem(&left, &slot, &empty, BPF_NOEXIST);
	owner = bpf_map_lookup_elem(&left, &slot);
	if (!owner)
		return 0;
	frame = frame_new(random, mix(~0ULL));
	if (!frame)
		return 0;
	old = bpf_kptr_xchg(&owner->frame, frame);
	if (old)
		frame_end(old, mix(~0ULL));
	ran(KIND_frame_left_to_map);
	return 0;
}

/* Tables 0 and 1 are of the pool of all programs, and the others as stress_programs.h says. */
static __always_inline void entry_failed(const struct kcoro_enter_opts *opts, __u32 slot)
{
	switch (opts->error) {
	case -EBUSY:
		ran(KIND_table_enter_ebusy);
		break;
	case -ENOSPC:
		ran(KIND_table_enter_enospc);
		break;
	case -ESTALE:
		ran(KIND_table_enter_estale);
		break;
	case -ENOENT:
		ran(KIND_table_enter_enoent);
		if (opts->flags)
			fault(FAULT_strange_error);
		break;
	case -ENOMEM:
		count_failed(slot < 2 ? SOURCE_bpf : slot == 2 ? SOURCE_stays : SOURCE_renewed);
		break;
	default:
		fault(FAULT_strange_error);
	}
}

static __always_inline __u64 random_timeout(__u64 random)
{
	switch (random & 7) {
	case 0:
		return 0;
	case 1:
		return 3600ULL * 1000000000ULL;
	default:
		return (random >> 3 & 31) * 1000000ULL + 1;
	}
}

__noinline int table_step(__u64 random)
{
	/* Half of all to one table that has one bucket: that many CPUs wait for its lock. */
	__u32 slot = random & 1 << 16 ? 0 : random >> 17 & (STRESS_TABLES - 1);
	struct kcoro_enter_opts opts = { .flags = random >> 20 & 3 ? KCORO_ENTER_CREATE : 0 };
	__u64 key[STRESS_KEY_SIZE / 8] = { slot ? random >> 24 & (STRESS_KEYS - 1) :
						  random >> 24 & 1, 0 };
	__u64 id = table_ids[slot & (STRESS_TABLES - 1)], tag = mix(id + key[0]);
	struct kcoro_enter_opts second = {};
	struct kcoro_entry *entry, *other;
	__u8 *data;

	entry = bpf_kcoro_table_enter(id, key, sizeof(key), &opts, sizeof(opts));
	if (!entry) {
		entry_failed(&opts, slot & (STRESS_TABLES - 1));
		return 0;
	}
	ran(KIND_table_enter);
	data = bpf_kcoro_frame_data(&entry->frame, PATTERN_SIZE);
	if (opts.created) {
		ran(KIND_table_enter_created);
		if (data && pattern_dirty(data, PATTERN_WORDS))
			fault(FAULT_new_frame_is_dirty);
	} else if (data && pattern_differs(data, tag)) {
		fault(FAULT_entry_content);
	}
	if (data)
		pattern_write(data, tag);
	if (!(random >> 32 & 7)) {
		other = bpf_kcoro_table_enter(id, key, sizeof(key), &second, sizeof(second));
		if (other) {
			fault(FAULT_not_refused);
			bpf_kcoro_table_leave(other, 0);
		} else if (second.error == -EBUSY) {
			ran(KIND_table_enter_ebusy);
		} else if (second.error != -ESTALE) {
			fault(FAULT_strange_error);
		}
	}
	if (random >> 36 & 3) {
		bpf_kcoro_table_leave(entry, random_timeout(random >> 40));
		ran(KIND_table_leave);
	} else {
		if (data)
			pattern_write(data, PATTERN_FREED);
		bpf_kcoro_table_end(entry);
		ran(KIND_table_end);
	}
	return 0;
}

/* None of these changes anything. */
__noinline int bad_step(__u64 random)
{
	__u64 id = table_ids[random >> 32 & (STRESS_TABLES - 1)];
	struct kcoro_enter_opts opts = {};
	__u64 key[STRESS_KEY_SIZE / 8] = {};
	struct kcoro_frame *frame;
	struct kcoro_entry *entry = NULL;

	if (random & 1 << 16) {
		__u32 too_large = KCORO_FRAME_DATA_MAX + 1 + (random >> 40);

		frame = bpf_kcoro_frame_alloc(random & 1 << 17 ? 0 : too_large);
		if (frame) {
			fault(FAULT_not_refused);
			bpf_kcoro_frame_free(frame);
		}
		ran(KIND_frame_alloc_refused);
		return 0;
	}
	switch (random >> 18 & 7) {
	case 0:
	case 1:
		/* One that no table has: the next one in the high half. */
		entry = bpf_kcoro_table_enter(id + (1ULL << 32), key, sizeof(key), &opts,
					      sizeof(opts));
		break;
	case 2:
		entry = bpf_kcoro_table_enter(id, key, sizeof(key) - 1, &opts, sizeof(opts));
		break;
	case 3:
		opts.flags = 2;
		entry = bpf_kcoro_table_enter(id, key, sizeof(key), &opts, sizeof(opts));
		break;
	case 4:
		opts.reserved = 1;
		entry = bpf_kcoro_table_enter(id, key, sizeof(key), &opts, sizeof(opts));
		break;
	default:
		entry = bpf_kcoro_table_enter(id, key, sizeof(key), &opts, sizeof(opts) - 4);
		break;
	}
	if (entry) {
		fault(FAULT_not_refused);
		bpf_kcoro_table_leave(entry, 0);
	} else if (opts.error == -EINVAL) {
		ran(KIND_table_enter_einval);
	} else if (opts.error == -ESTALE) {
		ran(KIND_table_enter_estale);
	} else {
		fault(FAULT_strange_error);
	}
	return 0;
}

__noinline int read_step(__u64 random)
{
	struct kcoro_frame_counters c;
	struct kcoro_table_counters t;
	__u64 id = table_ids[random >> 48 & (STRESS_TABLES - 1)];
	int err;

	if (random & 1 << 16) {
		err = bpf_kcoro_table_read(id, &t, sizeof(t));
		if (err && err != -ESTALE)
			fault(FAULT_strange_error);
		ran(KIND_table_read);
	} else {
		__u32 level = random >> 20 & 7, cls = random >> 24 & 15;
		bool good = level < KCORO_LEVELS && cls < KCORO_CLASSES;

		err = bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
		if (err != (good ? 0 : -EINVAL))
			fault(FAULT_strange_error);
		ran(KIND_counters_read);
	}
	return 0;
}

/* Returns the next state of the generator, never 0. */
static __always_inline __u64 step(__u64 state)
{
	__u64 random = mix(state);

	switch (random >> 58) {
	case 0:
	case 1:
		bad_step(random);
		break;
	case 2:
	case 3:
		read_step(random);
		break;
	case 4 ... 11:
		left_step(random);
		break;
	case 12 ... 31:
		frame_step(random);
		break;
	default:
		table_step(random);
		break;
	}
	return next(state);
}

SEC("syscall")
int by_syscall(struct stress_random *ctx)
{
	int i;

	bpf_for(i, 0, 8)
		ctx->state = step(ctx->state);
	ran(KIND_run_syscall);
	return 0;
}

SEC("xdp")
int by_xdp(struct xdp_md *ctx)
{
	__u64 *data = (__u64 *)(long)ctx->data, state;
	int i;

	if ((void *)(data + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	state = *data;
	bpf_for(i, 0, 4)
		state = step(state);
	ran(KIND_run_xdp);
	return XDP_PASS;
}

static __always_inline int by_skb(struct __sk_buff *skb, __u32 offset)
{
	__u64 state;
	int i;

	if (bpf_skb_load_bytes(skb, offset, &state, sizeof(state)) || !state)
		return TC_ACT_OK;
	bpf_for(i, 0, 4)
		state = step(state);
	return TC_ACT_OK;
}

SEC("tc")
int by_tc(struct __sk_buff *skb)
{
	ran(KIND_run_tc);
	return by_skb(skb, 14);
}

/* On lo: what our sender puts into UDP. */
SEC("tcx/ingress")
int in_softirq(struct __sk_buff *skb)
{
	if (skb->len != 14 + 20 + 8 + sizeof(__u64))
		return TC_ACT_OK;
	ran(KIND_run_softirq);
	return by_skb(skb, 14 + 20 + 8);
}

SEC("syscall")
int create(struct stress_create *call)
{
	struct kcoro_table_attr attr = call->attr;
	struct kcoro_table *table = NULL, *old;
	__u32 slot = call->slot;
	struct table_owner *owner;

	call->table_id = 0;
	owner = bpf_map_lookup_elem(&tables, &slot);
	if (!owner)
		return 0;
	if (!call->release_only) {
		table = bpf_kcoro_table_create(&attr, sizeof(attr));
		if (!table) {
			ran(KIND_table_create_refused);
			return 0;
		}
		ran(KIND_table_create);
		call->table_id = bpf_kcoro_table_id(table);
	}
	old = bpf_kptr_xchg(&owner->table, table);
	if (old) {
		bpf_kcoro_table_release(old);
		ran(KIND_table_release);
	}
	return 0;
}

SEC("syscall")
int create_pool(struct stress_pool *call)
{
	struct kcoro_bpf_pool_attr attr = call->attr;
	struct kcoro_bpf_pool *pool = NULL, *old;
	__u32 slot = call->slot;
	struct pool_owner *owner;

	call->pool_id = 0;
	owner = bpf_map_lookup_elem(&pools, &slot);
	if (!owner)
		return 0;
	if (!call->release_only) {
		pool = bpf_kcoro_pool_create(&attr, sizeof(attr));
		if (!pool) {
			ran(KIND_pool_create_refused);
			return 0;
		}
		ran(KIND_pool_create);
		call->pool_id = bpf_kcoro_pool_id(pool);
	}
	old = bpf_kptr_xchg(&owner->pool, pool);
	if (old) {
		bpf_kcoro_pool_release(old);
		ran(KIND_pool_release);
	}
	return 0;
}

/* As much as it wants; the pool may be gone. */
SEC("syscall")
int reserve(struct stress_reserve *call)
{
	int err = bpf_kcoro_pool_reserve(call->pool_id, call->size, call->count);

	if (err && err != -ENOENT && err != -EDQUOT && err != -ENOMEM)
		fault(FAULT_strange_error);
	ran(KIND_pool_reserve);
	return 0;
}

SEC("syscall")
int read_table(struct stress_read *call)
{
	struct kcoro_table_counters c = {};

	call->error = bpf_kcoro_table_read(call->table_id, &c, sizeof(c));
	call->live = c.created - c.ended - c.expired;
	call->created = c.created;
	return 0;
}

SEC("syscall")
int end_key(struct stress_read *call)
{
	__u64 key[STRESS_KEY_SIZE / 8] = { call->key, 0 };
	struct kcoro_enter_opts opts = {};
	struct kcoro_entry *entry;

	entry = bpf_kcoro_table_enter(call->table_id, key, sizeof(key), &opts, sizeof(opts));
	call->error = opts.error;
	if (entry)
		bpf_kcoro_table_end(entry);
	return 0;
}

SEC("syscall")
int drop_frames(void *ctx)
{
	struct frame_owner *owner;
	struct kcoro_frame *old;
	int slot;

	bpf_for(slot, 0, STRESS_SLOTS) {
		__u32 key = slot;

		owner = bpf_map_lookup_elem(&frames, &key);
		if (!owner)
			continue;
		old = bpf_kptr_xchg(&owner->frame, NULL);
		if (old)
			frame_end(old, mix(key + 1));
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
