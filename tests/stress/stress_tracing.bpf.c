// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress_tracing.bpf.c - tracing programs on whatever may run inside a lock or
 * inside kcoro itself: the end of a wait for a lock (the lock is then held), the
 * slow paths of the pool, the table, a hook that kcoro_stress.ko calls at every
 * level, a clock tick in hardirq.
 *
 * They call all that tracing programs may call.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kcoro.bpf.h"
#include "stress_bpf.h"
#include "frame_pattern.bpf.h"
#include "frame_owner.bpf.h"

#define LCB_F_SPIN 1

__u64 kinds[TRACING_KINDS];
__u64 calls;
__u64 seed;

static __always_inline void ran(enum stress_tracing_kind kind)
{
	__sync_fetch_and_add(&kinds[kind], 1);
}

static __always_inline void frame_step(__u64 random)
{
	__u32 slot = (random >> 32) % STRESS_SLOTS;
	struct kcoro_frame *frame = NULL, *old;
	struct frame_owner *owner;
	enum stress_source source;
	__u64 tag = mix(slot + 1), pool = random_pool(random, &source);
	__u32 size = PATTERN_SIZE + (random >> 8 & 255);
	__u8 *data;

	owner = bpf_map_lookup_elem(&frames, &slot);
	if (!owner)
		return;
	if (random & 1 << 20) {
		frame = pool ? bpf_kcoro_frame_alloc_from_nolock(pool, size) :
			       bpf_kcoro_frame_alloc_nolock(size);
		if (!frame) {
			count_failed(source);
			return;
		}
		ran(pool ? KIND_nolock_alloc_from : KIND_nolock_alloc);
		data = bpf_kcoro_frame_data(frame, PATTERN_SIZE);
		if (data) {
			if (pattern_dirty(data, PATTERN_WORDS))
				fault(FAULT_new_frame_is_dirty);
			pattern_write(data, tag);
		}
		ran(KIND_nolock_to_map);
	}
	old = bpf_kptr_xchg(&owner->frame, frame);
	if (!old)
		return;
	frame_taken(old, tag);
	bpf_kcoro_frame_free_nolock(old);
	ran(KIND_nolock_free);
}

/* A frame carries it to an irq_work, which finds nobody who waits. */
static __always_inline void wake_step(__u64 random)
{
	__u64 key[STRESS_KEY_SIZE / 8] = {random % STRESS_KEYS};

	if (bpf_kcoro_key_wake_nolock(table_ids[random & (STRESS_TABLES - 1)], key, sizeof(key),
				      0))
		count_failed(SOURCE_bpf);
	else
		ran(KIND_nolock_wake);
}

static __always_inline void step(enum stress_tracing_kind where)
{
	__u64 random = mix(seed + __sync_fetch_and_add(&calls, 1) * 0x9e3779b97f4a7c15ULL);
	struct kcoro_frame_counters c;
	struct kcoro_table_counters t;
	__u32 level, cls;
	int err;

	ran(where);
	switch (random >> 60) {
	case 0:
		level = random & 7;
		cls = random >> 3 & 15;
		err = bpf_kcoro_counters_read(level, cls, &c, sizeof(c));
		if (err != (level < KCORO_LEVELS && cls < KCORO_CLASSES ? 0 : -EINVAL))
			fault(FAULT_strange_error);
		ran(KIND_tracing_counters_read);
		break;
	case 1:
		err = bpf_kcoro_table_read(table_ids[random & (STRESS_TABLES - 1)], &t, sizeof(t));
		if (err && err != -ESTALE)
			fault(FAULT_strange_error);
		ran(KIND_tracing_table_read);
		break;
	case 2:
		wake_step(random);
		break;
	default:
		frame_step(random);
		break;
	}
}

SEC("tp_btf/contention_begin")
int BPF_PROG(contention_begin, void *lock, unsigned int flags)
{
	if (flags & LCB_F_SPIN)
		step(KIND_contention_begin_spin);
	return 0;
}

SEC("tp_btf/contention_end")
int BPF_PROG(contention_end, void *lock, int ret)
{
	step(KIND_contention_end);
	return 0;
}

SEC("perf_event")
int clock_tick(struct bpf_perf_event_data *ctx)
{
	step(KIND_perf_event);
	return 0;
}

#define ON(section, name)		\
	SEC(section)			\
	int BPF_PROG(name)		\
	{				\
		step(KIND_##name);	\
		return 0;		\
	}

ON("fentry/stress_hook", hook)
ON("fentry/kcoro_refill_alloc", refill_alloc)
ON("fentry/kcoro_refill_free", refill_free)
ON("fentry/kcoro_refill_work", refill_work)
ON("fentry/kcoro_refill_irq_work", refill_irq_work)
ON("fentry/kcoro_table_enter", table_enter_fentry)
ON("fentry/kcoro_table_leave", table_leave_fentry)
ON("fexit/kcoro_table_end", table_end_fexit)

char LICENSE[] SEC("license") = "GPL";
