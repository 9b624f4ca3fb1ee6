/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stress_bpf.h - what stress.bpf.c, stress_tracing.bpf.c and stress.cc share.
 * Bring __u32 .. __u64 along.
 */
#ifndef KCORO_STRESS_BPF_H
#define KCORO_STRESS_BPF_H

#define STRESS_TABLES 4
#define STRESS_KEYS 16
#define STRESS_KEY_SIZE 16
#define STRESS_SLOTS 64
#define STRESS_POOLS 3		/* of the programs; the first one stays, the others are renewed */

/* Whose frames: to count the allocations that get nothing. */
enum stress_source {
	SOURCE_bpf,		/* the default pool of BPF programs */
	SOURCE_stays,
	SOURCE_renewed,
	SOURCES,
};

/* Kinds of operations: each must have run. In the order of the names in stress.cc. */
#define STRESS_KINDS(X) \
	X(run_syscall) X(run_xdp) X(run_tc) X(run_softirq) \
	X(frame_alloc) X(frame_alloc_refused) X(frame_data) X(frame_data_too_large) \
	X(frame_free) X(frame_to_map) X(frame_from_map) X(frame_left_to_map) \
	X(table_create) X(table_create_refused) X(table_release) \
	X(table_enter) X(table_enter_created) X(table_enter_enoent) X(table_enter_ebusy) \
	X(table_enter_enospc) X(table_enter_estale) X(table_enter_einval) \
	X(table_leave) X(table_end) X(table_read) X(counters_read) \
	X(pool_create) X(pool_create_refused) X(pool_release) X(pool_reserve) \
	X(frame_alloc_from)

/* The same for tracing programs. */
#define STRESS_TRACING_KINDS(X) \
	X(contention_begin_spin) X(contention_end) X(hook) X(perf_event) \
	X(refill_alloc) X(refill_free) X(refill_work) X(refill_irq_work) \
	X(table_enter_fentry) X(table_leave_fentry) X(table_end_fexit) \
	X(tracing_counters_read) X(tracing_table_read) \
	X(nolock_alloc) X(nolock_free) X(nolock_to_map) X(nolock_alloc_from) \
	X(nolock_wake)

/* None of these may happen. */
#define STRESS_FAULTS(X) \
	X(new_frame_is_dirty) X(frame_content) X(entry_content) X(strange_error) \
	X(not_refused) X(counter_went_back)

#define X(name) KIND_##name,
enum stress_kind { STRESS_KINDS(X) KINDS };
enum stress_tracing_kind { STRESS_TRACING_KINDS(X) TRACING_KINDS };
#undef X
#define X(name) FAULT_##name,
enum stress_fault { STRESS_FAULTS(X) FAULTS };
#undef X

/* Contexts of syscall programs. */
struct stress_random {
	__u64 state;
};

struct stress_create {
	struct kcoro_table_attr attr;
	__u32 slot;
	__u32 release_only;
	__u64 table_id;		/* out; 0: not made */
};

struct stress_pool {
	struct kcoro_bpf_pool_attr attr;
	__u32 slot;
	__u32 release_only;
	__u64 pool_id;		/* out; 0: not made */
};

struct stress_reserve {
	__u64 pool_id;
	__u32 size;
	__u32 count;
};

/* What stress_pools.bpf.c says of a pool, or of all, with counters alone. */
struct stress_pool_read {
	__u64 pool_id;		/* 0: the sum of all */
	__u64 next_id;		/* of the pool created after it; 0: no more */
	char name[KCORO_NAME_LEN];
	__u64 live, held, held_most, reserved, quota;	/* bytes */
	__u64 failures, with_reason;
	__s64 frames_live[KCORO_CLASSES];
};

struct stress_read {
	__u64 table_id;
	__u32 key;		/* for end_key */
	__s32 error;		/* out */
	__u64 live;		/* out: created - ended - expired */
	__u64 created;		/* out */
};

#endif /* KCORO_STRESS_BPF_H */
