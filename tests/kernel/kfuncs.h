/* SPDX-License-Identifier: GPL-2.0-only */
/* kfuncs.h - what kfuncs.bpf.c and kfuncs.cc share. Bring __u32 .. __u64 along. */
#ifndef KCORO_TEST_KFUNCS_H
#define KCORO_TEST_KFUNCS_H

#define TEST_KEY_SIZE 16
#define TEST_FRAME_SIZE 200
#define TEST_TRACING_SIZE 1500	/* a class that nothing else here uses */

enum test_op {
	OP_ENTER_LEAVE,		/* value: how often this entry was entered */
	OP_ENTER_END,
	OP_ENTER_TWICE,		/* error: of the second enter */
	OP_ENTER_WRONG_KEY_SIZE,
	OP_ENTER_WRONG_FLAG,
	OP_DATA_TOO_LARGE,	/* value: 1 when asking for too much gave NULL */
};

struct test_call {
	__u32 op;		/* enum test_op */
	__u32 flags;		/* enum kcoro_enter_flags */
	__u64 table_id;
	__u64 timeout_ns;
	__u8 key[TEST_KEY_SIZE];
	__s32 error;		/* out */
	__u32 created;		/* out */
	__u64 value;		/* out */
};

struct test_create {
	struct kcoro_table_attr attr;
	__u64 table_id;		/* out; 0: not made */
};

struct test_frames {
	__u32 data_size;	/* for bpf_kcoro_frame_alloc */
	__u32 slot;		/* where in the map to keep it */
	__u32 drop;		/* 1: take it out of the map and free it */
	__s32 result;		/* out: 1 kept, 2 replaced, 3 freed, 0 no frame */
	__u32 dirty;		/* out: bytes that were not zero */
};

/* What the tracing program met. */
struct test_tracing {
	__u32 wrong;		/* allocations of a wrong size that succeeded */
	__u32 missed;		/* the magazine was empty */
	__u32 got;
	__u32 dirty;		/* bytes that were not zero */
};

#endif /* KCORO_TEST_KFUNCS_H */
