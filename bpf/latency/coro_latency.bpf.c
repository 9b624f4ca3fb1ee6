// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_latency.bpf.c - histograms of how long coroutines run, wait, and are in a queue.
 *
 *   start, wake   woken, unless it was already             \
 *   resume        the wait, and the delay since the wake    > of each coroutine that is
 *   await         the run; a yield is its own wake          > followed, by its id
 *   done          the run; not followed any more           /
 *
 * A coroutine is followed from its first event on. Programs run at the level of the code
 * they observe, NMI included: hence preallocated hashes. Making an entry takes a lock that
 * NMI may find held; then, and when too many are followed, the event counts as lost. Some
 * kernels take a tracepoint's pointer for one that may be NULL: hence the tests.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <kcoro/abi.h>
#include "coro_latency.h"
#include "log2_bucket.h"

char LICENSE[] SEC("license") = "GPL";

#define KCORO_STATE_FINISHED (1U << 2) /* include/kcoro/coro.h */

struct kcoro_coro {
	atomic_t state;
	__u32 id;
	__u8 executor;
} __attribute__((preserve_access_index));

/* When; 0: not. */
struct coro_times {
	__u64 woken;
	__u64 resumed;
	__u64 awaited;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CORO_LATENCY_COROS);
	__type(key, __u32);
	__type(value, struct coro_times);
} coro_times SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CORO_SPANS * KCORO_EXECUTORS);
	__type(key, struct coro_latency_key);
	__type(value, struct coro_latency_histogram);
} coro_latency_ns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct coro_latency_lost);
} coro_latency_lost SEC(".maps");

/* What new entries begin with. */
static const struct coro_latency_histogram no_spans;
static const struct coro_times no_times;

static __always_inline void lose(void)
{
	struct coro_latency_lost *lost;
	__u32 zero = 0;

	lost = bpf_map_lookup_elem(&coro_latency_lost, &zero);
	if (lost)
		__sync_fetch_and_add(&lost->events, 1);
}

static __always_inline void record(enum coro_span span, const struct kcoro_coro *co, __u64 ns)
{
	struct coro_latency_key key = {
		.span = span,
		.executor = co->executor,
	};
	struct coro_latency_histogram *histogram;

	histogram = bpf_map_lookup_elem(&coro_latency_ns, &key);
	if (!histogram) {
		bpf_map_update_elem(&coro_latency_ns, &key, &no_spans, BPF_NOEXIST);
		histogram = bpf_map_lookup_elem(&coro_latency_ns, &key);
	}
	if (!histogram) {
		lose();
		return;
	}
	__sync_fetch_and_add(&histogram->count, 1);
	__sync_fetch_and_add(&histogram->sum_ns, ns);
	__sync_fetch_and_add(&histogram->bucket_log2_ns[log2_bucket(ns, CORO_LATENCY_BUCKETS)], 1);
}

static __always_inline struct coro_times *times_if_followed(const struct kcoro_coro *co)
{
	__u32 id = co->id;

	return bpf_map_lookup_elem(&coro_times, &id);
}

static __always_inline struct coro_times *times_of(const struct kcoro_coro *co)
{
	struct coro_times *times = times_if_followed(co);
	__u32 id = co->id;

	if (times)
		return times;
	bpf_map_update_elem(&coro_times, &id, &no_times, BPF_NOEXIST);
	times = bpf_map_lookup_elem(&coro_times, &id);
	if (!times)
		lose();
	return times;
}

/* The first wake since it was called counts; wakers may be several at a time. */
static __always_inline void woken(struct coro_times *times)
{
	__sync_val_compare_and_swap(&times->woken, 0, bpf_ktime_get_ns());
}

SEC("tp_btf/kcoro_coro_wake")
int BPF_PROG(coro_wake, const struct kcoro_coro *co)
{
	struct coro_times *times;

	/* It would be followed for ever. */
	if (!co || co->state.counter & KCORO_STATE_FINISHED)
		return 0;
	times = times_of(co);
	if (times)
		woken(times);
	return 0;
}

/* It wakes, too; whom nobody follows may have finished. */
SEC("tp_btf/kcoro_coro_cancel")
int BPF_PROG(coro_cancel, const struct kcoro_coro *co)
{
	struct coro_times *times;

	if (!co)
		return 0;
	times = times_if_followed(co);
	if (times)
		woken(times);
	return 0;
}

SEC("tp_btf/kcoro_coro_resume")
int BPF_PROG(coro_resume, const struct kcoro_coro *co)
{
	__u64 now = bpf_ktime_get_ns(), woken_at;
	struct coro_times *times;

	if (!co)
		return 0;
	times = times_of(co);
	if (!times)
		return 0;
	woken_at = __sync_lock_test_and_set(&times->woken, 0);
	if (woken_at) {
		record(CORO_SPAN_DELAY, co, now > woken_at ? now - woken_at : 0);
		if (times->awaited)
			record(CORO_SPAN_WAIT, co,
			       woken_at > times->awaited ? woken_at - times->awaited : 0);
	}
	times->awaited = 0;
	times->resumed = now;
	return 0;
}

SEC("tp_btf/kcoro_coro_await")
int BPF_PROG(coro_await, const struct kcoro_coro *co, bool again)
{
	__u64 now = bpf_ktime_get_ns();
	struct coro_times *times;

	if (!co)
		return 0;
	times = times_of(co);
	if (!times)
		return 0;
	if (times->resumed)
		record(CORO_SPAN_RUN, co, now - times->resumed);
	times->resumed = 0;
	if (again)
		woken(times);
	else
		times->awaited = now;
	return 0;
}

SEC("tp_btf/kcoro_coro_done")
int BPF_PROG(coro_done, const struct kcoro_coro *co)
{
	struct coro_times *times;
	__u32 id;

	if (!co)
		return 0;
	times = times_if_followed(co);
	if (!times)
		return 0;
	id = co->id;
	if (times->resumed)
		record(CORO_SPAN_RUN, co, bpf_ktime_get_ns() - times->resumed);
	bpf_map_delete_elem(&coro_times, &id);
	return 0;
}
