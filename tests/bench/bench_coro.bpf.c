// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_coro.bpf.c - what coroutines with BPF bodies cost: programs as in bench_bpf.bpf.c,
 * but each BPF_PROG_TEST_RUN has one run, so that its coroutines end before the next.
 *
 *   spawn         from a packet's program; they run when it is over
 *   key_wake      spawned to await a key, and woken by it; they run when it is over
 *   yield_resume  from a return of the body to its next call, counted by the body itself:
 *                 queue, executor, trampoline and body
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bench_bpf.h"
#include "kcoro.bpf.h"
#include "kcoro_keep.bpf.h"

extern __u64 bpf_kcoro_bench_count(void) __ksym;

__u64 totals[BENCH_RUNS_MAX];
__u32 runs;
__u64 ops_id, table_id;

#define TIMES_4(x) x x x x
#define TIMES_64(x) TIMES_4(TIMES_4(TIMES_4(x)))

static __always_inline void note(__u64 count)
{
	__u32 run = runs++;

	if (run < BENCH_RUNS_MAX)
		totals[run] = count;
}

struct bench_state {
	__u32 yields;		/* 0: it ends at once */
	__u32 done;
	__u64 begin;
	__u64 unused[6];
};
_Static_assert(sizeof(struct bench_state) == 64, "the rows say so");

SEC("struct_ops/resume")
int BPF_PROG(bench_resume, struct kcoro_bpf_coro *co, __s64 value, __s32 error)
{
	struct bench_state *s = (struct bench_state *)bpf_kcoro_coro_data(co, sizeof(*s));

	if (!s || !s->yields)
		return KCORO_NEXT_DONE;
	if (!s->done++) {
		s->begin = bpf_kcoro_bench_count();
		return KCORO_NEXT_YIELD;
	}
	if (s->done <= s->yields)
		return KCORO_NEXT_YIELD;
	note(bpf_kcoro_bench_count() - s->begin);
	return KCORO_NEXT_DONE;
}

SEC(".struct_ops.link")
struct kcoro_ops bench_ops = {
	.resume = (void *)bench_resume,
	.name = "bench",
	.frame_size = sizeof(struct bench_state),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
};

struct table_owner {
	struct kcoro_table __kptr *table;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table_owner);
} table_owner SEC(".maps");

/* Once, when the ops are attached. */
SEC("syscall")
int bench_prepare(void *ctx)
{
	struct kcoro_table_attr attr = {
		.key_size = 8, .frame_size = 8, .max_entries = 1024, .name = "bench",
	};
	struct table_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&table_owner, &zero);
	if (slot)
		table_id = kcoro_table_keep(&slot->table, &attr);
	if (!table_id)
		return -12;
	ops_id = bpf_kcoro_ops_id("bench");
	return ops_id ? 0 : -2;
}

#define PROGRAM(name, pair)						\
	SEC("tc")							\
	int name(struct __sk_buff *skb)					\
	{								\
		struct kcoro_spawn_key what __attribute__((unused)) = {	\
			.ops_id = ops_id, .table_id = table_id,		\
		};							\
		__u64 key __attribute__((unused)) = 1;			\
		struct bench_state args = {};				\
		__u64 begin = bpf_kcoro_bench_count();			\
									\
		TIMES_64(pair)						\
		note(bpf_kcoro_bench_count() - begin);			\
		return 0;						\
	nothing: __attribute__((unused))				\
		note(0);						\
		return 0;						\
	}

PROGRAM(spawn__bpf_coro__64,
	if (bpf_kcoro_spawn(what.ops_id, &args, sizeof(args)))
		goto nothing;)

PROGRAM(key_wake__bpf_coro__64,
	if (bpf_kcoro_spawn_await_key(&what, &args, sizeof(args), &key, sizeof(key)) ||
	    bpf_kcoro_key_wake(what.table_id, &key, sizeof(key), 1))
		goto nothing;)

SEC("tc")
int yield_resume__bpf_coro__64(struct __sk_buff *skb)
{
	struct bench_state args = { .yields = BENCH_PAIRS };

	if (bpf_kcoro_spawn(ops_id, &args, sizeof(args)))
		note(0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
