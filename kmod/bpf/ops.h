/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ops.h - inside of scheduled coroutines in BPF: the struct_ops that has their bodies.
 *
 * ops.c        the struct_ops: attach, replace, detach; found by name and number
 * bpf_coro.c   one coroutine: its body calls the program, and awaits what that asked for
 * late_wake.c  wakes by tracing programs
 */
#ifndef KCORO_OPS_H
#define KCORO_OPS_H

#include <linux/types.h>

#include <kcoro/kcoro.h>

/*
 * A coroutine as its program sees it. Of plain types alone, as struct kcoro_bpf_pool, and
 * for the same reason; what belongs to it is around it, in bpf_coro.c.
 */
struct kcoro_bpf_coro {
	u32 data_size;		/* bytes of state */
	u32 data_offset;	/* from here to the state */
};

/**
 * struct kcoro_ops - bodies in BPF, attached as struct_ops
 * @start: called first, in place of @resume; may be missing
 * @resume: called with what was awaited: @value, or @error when that did not come
 * @cancel: it is killed, and @resume is not called any more; may be missing
 * @name: for people and for bpf_kcoro_ops_id(); no two are attached at a time
 * @frame_size: bytes of state, 1 .. KCORO_FRAME_DATA_MAX, zero at first
 * @executor: enum kcoro_executor
 * @limit: most that live at a time, 1 .. KCORO_OPS_LIMIT_MAX; 0: that
 * @flags: none defined yet: 0
 * @pool_id: where frames come from; 0: the default pool of BPF programs
 *
 * @start and @resume return enum kcoro_next, or a negative errno: it ends with that.
 */
struct kcoro_ops {
	int (*start)(struct kcoro_bpf_coro *co);
	int (*resume)(struct kcoro_bpf_coro *co, s64 value, s32 error);
	void (*cancel)(struct kcoro_bpf_coro *co);
	char name[KCORO_NAME_LEN];
	u32 frame_size;
	u32 executor;
	u32 limit;
	u32 flags;
	u64 pool_id;
};

struct kcoro_bpf_pool;
struct kcoro_scope;

/* Attached ops. */
struct kcoro_ops_instance {
	const struct kcoro_ops __rcu *ops;	/* replaced by an update */
	u32 id;
	struct kcoro_desc desc;
	struct kcoro_scope *scope;
	struct kcoro_bpf_pool *pool;
	char name[KCORO_NAME_LEN];
};

/* ops.c; under RCU. */
struct kcoro_ops_instance *kcoro_ops_find(u64 id);
u64 kcoro_ops_id(const char *name);

/* bpf_coro.c */
void kcoro_bpf_coro_describe(struct kcoro_ops_instance *instance, const struct kcoro_ops *ops);

#endif /* KCORO_OPS_H */
