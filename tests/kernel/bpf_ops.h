/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf_ops.h - what bpf_ops.bpf.c and bpf_ops.cc agree on. */
#ifndef KCORO_TEST_BPF_OPS_H
#define KCORO_TEST_BPF_OPS_H

/* What a coroutine of the test does. */
enum plan {
	PLAN_END,	/* ends at once */
	PLAN_ERROR,	/* ends with an errno */
	PLAN_TIMER,	/* awaits a time, then ends */
	PLAN_YIELD,	/* yields PLAN_YIELDS times */
	PLAN_KEY,	/* awaits a key */
	PLAN_NOTHING,	/* waits without having asked for anything */
	PLAN_NONSENSE,	/* returns what means nothing */
	PLAN_SPAWN,	/* spawns another, which ends at once */
	PLAN_PARENT,	/* spawns children of three plans, and takes the results of all */
	PLAN_LEAVES,	/* spawns a child that waits for its key, and ends */
	PLAN_BOTH,	/* asks for a key, and wants to hold another one */
	PLAN_GRASP,	/* awaits its key; when it is killed it wants to hold it */
	PLAN_HOLD,	/* holds a key, takes PLAN_VALUES values, and releases it */
};

#define PLAN_YIELDS 1000
#define PLAN_VALUES 5		/* the first one is given, KCORO_KEY_VALUES are kept */

/* Arguments, copied into the frame. */
struct plan_args {
	enum plan plan;
	__u32 key;
	__u64 table_id;
	__u64 ns;
	__u32 flags;		/* enum kcoro_key_flags */
	__u32 unused;
};

/* For the syscall program that spawns. */
struct plan_spawn {
	struct plan_args args;
	__u32 times;
	__u32 spawned;
	__s32 error;		/* the first one */
	__u32 size;		/* of the arguments: 0: all; 1: more than the frame has */
};

enum plan_how {
	PLAN_WAKE_ONE,
	PLAN_WAKE_ALL,
	PLAN_WAKE_CANCEL,
	PLAN_WAKE_STATUS,	/* wakes nobody */
};

/* For the one that wakes. */
struct plan_wake {
	__u64 table_id;
	__s64 value;
	__u32 key;
	__s32 error;		/* or how many */
	enum plan_how how;
	__u32 unused;
};

/* What the programs have seen. */
struct plan_seen {
	__u64 starts;
	__u64 resumes;
	__u64 cancels;
	__u64 values;		/* sum of what came */
	__u64 timeouts;
	__u64 stale;
	__u64 other_errors;
	__u64 replaced;		/* calls of the program that took another one's place */
	__u64 families;		/* parents that had the results of all their children */
	__u64 canceled;
	__u64 grasps;		/* keys that were held when it was too late */
	__u64 holds;		/* keys that were released by their holder */
	__u64 ops_id;
};

#endif /* KCORO_TEST_BPF_OPS_H */
