/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf_pools.h - what bpf_pools.bpf.c and bpf_pools.cc share. Bring kcoro/abi.h along. */
#ifndef KCORO_TEST_BPF_POOLS_H
#define KCORO_TEST_BPF_POOLS_H

#define TEST_SLOTS 256
#define TEST_POOLS 2
#define TEST_STATE 1000		/* with its header, a frame of 1 KiB */
#define TEST_TRACING_STATE 3000	/* a class that nothing else here uses */

struct test_pool {
	struct kcoro_bpf_pool_attr attr;
	__u64 id;		/* out; 0: not made */
	__u32 wrong_size;	/* 1: say that the attributes are smaller */
	__u32 slot;		/* of the map, which has TEST_POOLS */
};

struct test_pool_table {
	__u64 pool_id;
	__u64 id;		/* out; 0: not made */
};

struct test_frame {
	__u64 pool_id;
	__u32 slot;		/* of the map, where to keep it */
	__u32 drop;		/* 1: take it out of the map and free it */
	__u32 data_size;
	__s32 result;		/* out: 1: kept, 2: replaced another, 3: freed, 0: none */
};

struct test_enter {
	__u64 table_id;
	__u64 key;
	__s32 error;		/* out */
};

struct test_reserve {
	__u64 pool_id;
	__u32 size;
	__u32 count;
};

struct test_read {
	__u64 pool_id;		/* 0: the sum of all, and no info */
	struct kcoro_frame_counters counters; /* out: of all levels and classes */
	struct kcoro_pool_info info;	/* out */
};

#endif /* KCORO_TEST_BPF_POOLS_H */
