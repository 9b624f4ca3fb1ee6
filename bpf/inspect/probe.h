/* SPDX-License-Identifier: GPL-2.0-only */
/* probe.h - context of the program `probe`, with which `kcoro doctor` calls the kfuncs. */
#ifndef KCORO_PROBE_H
#define KCORO_PROBE_H

struct probe_args {
	__u64 table_id;	/* out */
	__u64 allocs;	/* out: frames allocated in task context so far, its own included */
	__u32 step;	/* out: the last step that was begun, enum probe_step */
	__u32 reserved;
};

enum probe_step {
	PROBE_ALLOC,
	PROBE_DATA,
	PROBE_TABLE,
	PROBE_COUNTERS,
	PROBE_DONE,
};

#endif /* KCORO_PROBE_H */
