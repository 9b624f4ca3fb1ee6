// SPDX-License-Identifier: GPL-2.0-only
/* bpf_ops.bpf.c - scheduled coroutines with several plans, on behalf of bpf_ops.cc. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kcoro.bpf.h"
#include "bpf_ops.h"
#include "table_owner.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define EBADMSG 74

struct plan_seen seen;

struct plan_state {
	struct plan_args args;
	__u32 yields;
	__u32 values;
};

static __always_inline int begin(struct kcoro_bpf_coro *co, struct plan_state *s)
{
	struct plan_args another = { .plan = PLAN_END };

	switch (s->args.plan) {
	case PLAN_ERROR:
		return -EBADMSG;
	case PLAN_TIMER:
		bpf_kcoro_await_timer(co, s->args.ns);
		return KCORO_NEXT_WAIT;
	case PLAN_YIELD:
		return KCORO_NEXT_YIELD;
	case PLAN_KEY:
	case PLAN_GRASP:
		bpf_kcoro_await_key(co, s->args.table_id, &s->args.key, sizeof(s->args.key),
				    s->args.ns);
		return KCORO_NEXT_WAIT;
	case PLAN_BOTH:
		bpf_kcoro_await_key(co, s->args.table_id, &s->args.key, sizeof(s->args.key),
				    s->args.ns);
		return bpf_kcoro_key_hold(co, s->args.table_id, &s->args.key,
					  sizeof(s->args.key), 0) == -16 ?
			       KCORO_NEXT_WAIT : -EBADMSG;
	case PLAN_NOTHING:
		return KCORO_NEXT_WAIT;
	case PLAN_NONSENSE:
		return 12345;
	case PLAN_SPAWN:
		return bpf_kcoro_spawn(seen.ops_id, &another, sizeof(another));
	case PLAN_PARENT:
		another.ns = 1000000;
		if (bpf_kcoro_spawn_child(co, &another, sizeof(another)))
			return -EBADMSG;
		another.plan = PLAN_ERROR;
		if (bpf_kcoro_spawn_child(co, &another, sizeof(another)))
			return -EBADMSG;
		another.plan = PLAN_TIMER;
		if (bpf_kcoro_spawn_child(co, &another, sizeof(another)))
			return -EBADMSG;
		bpf_kcoro_await_child(co, s->args.ns);
		return KCORO_NEXT_WAIT;
	case PLAN_LEAVES:
		another = s->args;
		another.plan = PLAN_KEY;
		return bpf_kcoro_spawn_child(co, &another, sizeof(another));
	case PLAN_HOLD:
		if (bpf_kcoro_await_next(co, 0) != -2 ||
		    bpf_kcoro_key_hold(co, s->args.table_id, &s->args.key, sizeof(s->args.key),
				       s->args.flags))
			return -EBADMSG;
		/* What comes now is not lost. */
		return KCORO_NEXT_YIELD;
	default:
		return KCORO_NEXT_DONE;
	}
}

/* A child that ends at once, one with an error, and one after a time or with its key. */
static __always_inline int parent(struct kcoro_bpf_coro *co, struct plan_state *s, __s64 value,
				  __s32 error)
{
	if (error == -10 && s->values == 3) {
		__sync_fetch_and_add(&seen.families, 1);
		return KCORO_NEXT_DONE;
	}
	if (error)
		return error;
	if (value && value != -EBADMSG)
		return KCORO_NEXT_DONE;
	s->values++;
	bpf_kcoro_await_child(co, s->args.ns);
	return KCORO_NEXT_WAIT;
}

/* Called with the next value, or by the yield above. */
static __always_inline int hold(struct kcoro_bpf_coro *co, struct plan_state *s, __s64 value)
{
	__u64 key = 0;

	if (value && ++s->values == PLAN_VALUES) {
		bpf_kcoro_key_release(co);
		if (bpf_kcoro_await_next(co, 0) != -2)
			return -EBADMSG;
		__sync_fetch_and_add(&seen.holds, 1);
		return KCORO_NEXT_DONE;
	}
	/* Another one can't be awaited meanwhile. */
	if (bpf_kcoro_await_key(co, s->args.table_id, &key, 4, 0) != -16 ||
	    bpf_kcoro_key_hold(co, s->args.table_id, &key, 4, 0) != -16)
		return -EBADMSG;
	bpf_kcoro_await_next(co, s->args.ns);
	return KCORO_NEXT_WAIT;
}

SEC("struct_ops/start")
int BPF_PROG(plan_start, struct kcoro_bpf_coro *co)
{
	struct plan_state *s = (struct plan_state *)bpf_kcoro_coro_data(co, sizeof(*s));

	__sync_fetch_and_add(&seen.starts, 1);
	return s ? begin(co, s) : KCORO_NEXT_DONE;
}

SEC("struct_ops/resume")
int BPF_PROG(plan_resume, struct kcoro_bpf_coro *co, __s64 value, __s32 error)
{
	struct plan_state *s = (struct plan_state *)bpf_kcoro_coro_data(co, sizeof(*s));

	__sync_fetch_and_add(&seen.resumes, 1);
	__sync_fetch_and_add(&seen.values, value);
	if (error == -110)
		__sync_fetch_and_add(&seen.timeouts, 1);
	else if (error == -116)
		__sync_fetch_and_add(&seen.stale, 1);
	else if (error == -125)
		__sync_fetch_and_add(&seen.canceled, 1);
	else if (error && error != -10)
		__sync_fetch_and_add(&seen.other_errors, 1);
	/* More than its state is not to be had. */
	if (!s || bpf_kcoro_coro_data(co, sizeof(*s) + 1))
		return -EBADMSG;
	if (s->args.plan == PLAN_PARENT)
		return parent(co, s, value, error);
	if (s->args.plan == PLAN_HOLD && !error)
		return hold(co, s, value);
	if (s->args.plan == PLAN_YIELD && ++s->yields < PLAN_YIELDS)
		return KCORO_NEXT_YIELD;
	return KCORO_NEXT_DONE;
}

SEC("struct_ops/cancel")
void BPF_PROG(plan_cancel, struct kcoro_bpf_coro *co)
{
	struct plan_state *s = (struct plan_state *)bpf_kcoro_coro_data(co, sizeof(*s));

	__sync_fetch_and_add(&seen.cancels, 1);
	if (s && s->args.plan == PLAN_GRASP &&
	    !bpf_kcoro_key_hold(co, s->args.table_id, &s->args.key, sizeof(s->args.key), 0))
		__sync_fetch_and_add(&seen.grasps, 1);
}

/* In the place of plan_resume. */
SEC("struct_ops/resume")
int BPF_PROG(other_resume, struct kcoro_bpf_coro *co, __s64 value, __s32 error)
{
	__sync_fetch_and_add(&seen.replaced, 1);
	return KCORO_NEXT_DONE;
}

SEC(".struct_ops.link")
struct kcoro_ops plans = {
	.start = (void *)plan_start,
	.resume = (void *)plan_resume,
	.cancel = (void *)plan_cancel,
	.name = "plans",
	.frame_size = sizeof(struct plan_state),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
	.limit = 64,
};

SEC(".struct_ops.link")
struct kcoro_ops others = {
	.resume = (void *)other_resume,
	.name = "plans",
	.frame_size = sizeof(struct plan_state),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
	.limit = 64,
};

SEC("syscall")
int find_ops(void *ctx)
{
	seen.ops_id = bpf_kcoro_ops_id("plans");
	return 0;
}

SEC("syscall")
int spawn(struct plan_spawn *call)
{
	struct plan_args args = call->args;
	__u8 too_much[sizeof(struct plan_state) + 1] = {};
	int err = 0;

	call->spawned = 0;
	call->error = 0;
	for (__u32 i = 0; i < call->times && i < 1000; i++) {
		if (call->size)
			err = bpf_kcoro_spawn(seen.ops_id, too_much, sizeof(too_much));
		else
			err = bpf_kcoro_spawn(seen.ops_id, &args, sizeof(args));
		if (!err)
			call->spawned++;
		else if (!call->error)
			call->error = err;
	}
	return 0;
}

SEC("syscall")
int spawn_key(struct plan_spawn *call)
{
	struct plan_args args = call->args;
	struct kcoro_spawn_key what = {
		.ops_id = seen.ops_id,
		.table_id = args.table_id,
		.timeout_ns = args.ns,
		.flags = args.flags,
	};
	__u64 key = args.key;

	call->error = bpf_kcoro_spawn_await_key(&what, &args, sizeof(args), &key,
						call->size ? 8 : 4);
	/* At once, and nobody else could have been the one that awaits. */
	if (!call->error && call->times)
		call->error = bpf_kcoro_key_wake(args.table_id, &key, 4, call->times);
	return 0;
}

struct plan_args from_packet;
__s32 packet_error;

/* At softirq level, as packets come: one that awaits a key, and its wake. */
SEC("tc")
int spawn_from_packet(struct __sk_buff *skb)
{
	struct plan_args args = from_packet;
	struct kcoro_spawn_key what = { .ops_id = seen.ops_id, .table_id = args.table_id };
	__u32 key = args.key;
	int err;

	err = bpf_kcoro_spawn_await_key(&what, &args, sizeof(args), &key, sizeof(key));
	if (!err)
		err = bpf_kcoro_key_wake(args.table_id, &key, sizeof(key), 3);
	if (!err) {
		args.plan = PLAN_END;
		err = bpf_kcoro_spawn(seen.ops_id, &args, sizeof(args));
	}
	packet_error = err;
	return 0;
}

struct pool_owner {
	struct kcoro_bpf_pool __kptr *pool;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pool_owner);
} pool_owner SEC(".maps");

/* With that quota; what was there before is released. */
SEC("syscall")
int create_pool(__u64 *quota_then_id)
{
	struct kcoro_bpf_pool_attr attr = { .quota = *quota_then_id, .name = "plans" };
	struct pool_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&pool_owner, &zero);
	if (!slot)
		return -2;
	*quota_then_id = kcoro_pool_keep(&slot->pool, &attr);
	return *quota_then_id ? 0 : attr.error;
}

SEC("syscall")
int wake(struct plan_wake *call)
{
	__u32 key = call->key;

	if (call->how == PLAN_WAKE_ALL)
		call->error = bpf_kcoro_key_wake_all(call->table_id, &key, sizeof(key),
						     call->value);
	else if (call->how == PLAN_WAKE_CANCEL)
		call->error = bpf_kcoro_key_cancel(call->table_id, &key, sizeof(key));
	else if (call->how == PLAN_WAKE_STATUS)
		call->error = bpf_kcoro_key_status(call->table_id, &key, sizeof(key));
	else
		call->error = bpf_kcoro_key_wake(call->table_id, &key, sizeof(key), call->value);
	return 0;
}

struct plan_wake late;

/* Wakes from where any lock may be held, as far as anybody can tell. */
SEC("fentry/bpf_fentry_test1")
int BPF_PROG(wake_late, int a)
{
	__u32 key = late.key;

	late.error = bpf_kcoro_key_wake_nolock(late.table_id, &key, sizeof(key), late.value);
	return 0;
}

SEC("syscall")
int create_table(__u64 *id)
{
	struct kcoro_table_attr attr = {
		.key_size = sizeof(__u32),
		.frame_size = 8,
		.max_entries = 1,
		.name = "plans",
	};

	*id = owner_create(&attr);
	return 0;
}

SEC("syscall")
int release_table(void *ctx)
{
	owner_release();
	return 0;
}
