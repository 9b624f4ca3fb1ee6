/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pools.h - contexts of the syscall programs of pools.bpf.c, with which the command looks
 * at pools.
 *
 * Include kcoro/abi.h and stats.h first.
 */
#ifndef KCORO_POOLS_H
#define KCORO_POOLS_H

/* What pool_read leaves in the variable `row`. */
struct pool_row {
	struct kcoro_pool_info info;
	/* Element level * KCORO_CLASSES + size_class. */
	struct kcoro_frame_counters frames[FRAME_STATS_ROWS];
};

/* Returned by pool_read. */
enum pool_read_result {
	POOL_READ_END,		/* there is no more */
	POOL_READ_ROW,		/* `row` has it */
	POOL_READ_GONE,		/* it went while it was read */
};

struct pool_read_args {
	__u64 id;		/* in: of the pool before, 0: none; out: of this one */
};

/* pool_reserve returns 0 or a negative errno: see bpf_kcoro_pool_reserve(). */
struct pool_reserve_args {
	__u64 id;
	__u32 size;		/* bytes */
	__u32 count;
};

#endif /* KCORO_POOLS_H */
