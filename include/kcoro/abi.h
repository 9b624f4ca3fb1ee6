/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h - types that cross a border: kernel | BPF | user space.
 *
 * Includes nothing. Whoever includes it brings __u8 .. __u64 and __s32 along
 * (linux/types.h in the kernel and in user space, vmlinux.h in BPF).
 *
 * Rules: structures only grow at the end, into reserved bytes; a caller passes
 * the size of the structure it knows, and reserved bytes must be zero.
 */
#ifndef KCORO_ABI_H
#define KCORO_ABI_H

/* Raised when a kfunc or a structure below changes in a way old users notice. */
#define KCORO_ABI_VERSION 1

/* Execution context, in the order in which one can interrupt the other. */
enum kcoro_level {
	KCORO_LEVEL_TASK,
	KCORO_LEVEL_SOFTIRQ,
	KCORO_LEVEL_HARDIRQ,
	KCORO_LEVEL_NMI,
	KCORO_LEVELS,
};

/* Size classes of frames; the name is the size of a frame in bytes. */
enum kcoro_class {
	KCORO_CLASS_64B,
	KCORO_CLASS_128B,
	KCORO_CLASS_256B,
	KCORO_CLASS_512B,
	KCORO_CLASS_1024B,
	KCORO_CLASS_2048B,
	KCORO_CLASS_4096B,
	KCORO_CLASS_8192B,
	KCORO_CLASSES,
};

#define KCORO_CLASS_MIN_SHIFT 6
#define KCORO_FRAME_SIZE_MAX 8192

/* What a latency histogram measures. */
enum kcoro_operation {
	KCORO_OP_ALLOC,
	KCORO_OP_FREE,
	KCORO_OPS,
};

/* Where an allocation came from, or where a free went to. */
enum kcoro_place {
	KCORO_PLACE_MAGAZINE,	/* a magazine: this CPU's, or out of the depot */
	KCORO_PLACE_SLAB,	/* the slab allocator */
	KCORO_PLACE_DEFERRED,	/* free only: a list that a worker hands to the slab */
	KCORO_PLACE_NONE,	/* alloc only: it failed */
};

/*
 * Counters of one level and one class, summed over all CPUs. They only grow.
 *
 * The sum of allocs over all levels minus the sum of frees over all levels is
 * the number of live frames of a class; by level the two differ, because a
 * frame may be freed at another level than it was allocated at.
 */
struct kcoro_frame_counters {
	__u64 allocs;		/* successful allocations */
	__u64 frees;		/* frees */
	__u64 alloc_misses;	/* allocations that found both magazines empty */
	__u64 free_misses;	/* frees that found both magazines full */
	__u64 failures;		/* allocations that returned NULL */
	__u64 refills;		/* batches taken from the slab */
	__u64 drains;		/* batches given back to the slab */
	__u64 deferred;		/* frees that had to wait for a worker */
	__u64 exchanges;	/* magazines exchanged with the depot */
};

/* A frame's state as BPF sees it is at most this long (bytes). */
#define KCORO_FRAME_DATA_MAX 4096
#define KCORO_KEY_SIZE_MAX 64
#define KCORO_NAME_LEN 16

/* For bpf_kcoro_table_create(). */
struct kcoro_table_attr {
	__u32 key_size;		/* bytes, 1 .. KCORO_KEY_SIZE_MAX */
	__u32 frame_size;	/* bytes of state, 1 .. KCORO_FRAME_DATA_MAX */
	__u32 max_entries;	/* live entries, 1 .. 1 << 24 */
	__u32 flags;		/* none defined yet: 0 */
	char name[KCORO_NAME_LEN]; /* for people; NUL terminated */
	__u8 reserved[32];	/* 0 */
};

/* For bpf_kcoro_table_enter(), flags. */
enum kcoro_enter_flags {
	KCORO_ENTER_CREATE = 1U << 0,	/* make the entry when there is none */
};

/* For bpf_kcoro_table_enter(). */
struct kcoro_enter_opts {
	__u32 flags;		/* in: enum kcoro_enter_flags */
	__s32 error;		/* out: 0 or why NULL came back, a negative errno:
				 *  -ENOENT   no such key, and creating was not asked for
				 *  -EBUSY    another CPU is in this entry now
				 *  -ENOSPC   the table holds max_entries
				 *  -ENOMEM   no frame to be had
				 *  -ESTALE   no table of that id (any more)
				 *  -EINVAL   a size or flag is wrong
				 */
	__u32 created;		/* out: 1 when this call made the entry; its state is zero */
	__u32 reserved;		/* 0 */
};

/*
 * Counters of one keyed table. They only grow; live = created - ended - expired.
 */
struct kcoro_table_counters {
	__u64 created;		/* entries made */
	__u64 ended;		/* entries ended by the program, or with the table */
	__u64 expired;		/* entries ended by their deadline */
	__u64 entered;		/* successful enters, creating ones included */
	__u64 busy;		/* -EBUSY */
	__u64 full;		/* -ENOSPC */
	__u64 nomem;		/* -ENOMEM */
};

#endif /* KCORO_ABI_H */
