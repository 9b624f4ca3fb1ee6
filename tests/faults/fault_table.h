/* SPDX-License-Identifier: GPL-2.0-only */
/* fault_table.h - what fault_table.bpf.c and fault_table.cc share. Bring __u32, __u64 along. */
#ifndef KCORO_FAULT_TABLE_H
#define KCORO_FAULT_TABLE_H

#define FAULT_KEYS 6

struct fault_call {
	__u64 table_id;		/* out of create, in to the others */
	__u32 key;		/* in */
	__s32 error;		/* out: of the enter, or 0; frames: 1 when there was none */
};

struct fault_counts {
	__u64 table_id;		/* in; 0: none */
	__u64 nomem;		/* out: of that table */
	__u64 failures;		/* out: of the default pool */
	__s64 live;		/* out: frames of the default pool */
};

#endif /* KCORO_FAULT_TABLE_H */
