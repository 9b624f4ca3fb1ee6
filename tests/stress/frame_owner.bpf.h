/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame_owner.bpf.h - what stress.bpf.c and stress_tracing.bpf.c each have: a map of
 * frames, the tables' and pools' ids, and a count of what went wrong. Include kcoro.bpf.h,
 * stress_bpf.h and frame_pattern.bpf.h before it.
 */
#ifndef KCORO_FRAME_OWNER_BPF_H
#define KCORO_FRAME_OWNER_BPF_H

#define EINVAL 22
#define ESTALE 116

__u64 faults[FAULTS];
__u64 table_ids[STRESS_TABLES];
__u64 pool_ids[STRESS_POOLS];
/* Allocations that got nothing, by enum stress_source. */
__u64 failed[SOURCES];

struct frame_owner {
	struct kcoro_frame __kptr *frame;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STRESS_SLOTS);
	__type(key, __u32);
	__type(value, struct frame_owner);
} frames SEC(".maps");

static __always_inline void fault(enum stress_fault fault)
{
	__sync_fetch_and_add(&faults[fault], 1);
}

/* The pool of a random number, 0: that of all programs; and whose it is. */
static __always_inline __u64 random_pool(__u64 random, enum stress_source *source)
{
	__u32 which = random >> 40 & 3;

	*source = which < 2 ? which : SOURCE_renewed;
	return which && which <= STRESS_POOLS ? pool_ids[which - 1] : 0;
}

static __always_inline void count_failed(enum stress_source source)
{
	if (source < SOURCES)
		__sync_fetch_and_add(&failed[source], 1);
}

/* Compare a frame that was taken out of a map, and spoil it before it is freed. */
static __always_inline void frame_taken(struct kcoro_frame *frame, __u64 tag)
{
	__u8 *data = bpf_kcoro_frame_data(frame, PATTERN_SIZE);

	if (!data)
		return;
	if (pattern_differs(data, tag))
		fault(FAULT_frame_content);
	pattern_write(data, PATTERN_FREED);
}

#endif /* KCORO_FRAME_OWNER_BPF_H */
