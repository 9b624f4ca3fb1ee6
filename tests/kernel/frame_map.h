/* SPDX-License-Identifier: GPL-2.0-only */
/* frame_map.h - the contract of frame_map.bpf.c and frame_map.cc. */
#ifndef KCORO_TEST_FRAME_MAP_H
#define KCORO_TEST_FRAME_MAP_H

#define FRAME_MAP_ENTRIES 64
#define NO_ELEMENT (-2)	/* -ENOENT: kcoro_map_value() had none */

enum frame_map_which {
	MAP_HASH,	/* preallocated */
	MAP_GROWING,	/* not */
	MAP_LRU,
};

enum frame_map_op {
	OP_PUT,		/* take, count, put back */
	OP_END,		/* take, end with its element */
	OP_DROP,	/* take, drop: the element stays */
	OP_TWICE,	/* take, take again, put back */
	OP_STALE,	/* hold the element, have it end, make another key's, and take */
	OP_LATE,	/* take, have the element deleted, put */
};

struct frame_map_call {
	__u32 which;
	__u32 op;
	__u32 key;
	__u32 other_key;	/* OP_STALE */
	__s32 error;		/* out: of the take, the second one if there were two */
	__s32 put_error;	/* out */
	__u32 created;		/* out */
	__u32 inherited;	/* out */
	__u64 count;		/* out: how often this key's state was taken */
	__u64 state_key;	/* out: whose state it is */
};

struct frame_map_live {
	__s64 live;		/* out: frames, of all pools */
};

#endif /* KCORO_TEST_FRAME_MAP_H */
