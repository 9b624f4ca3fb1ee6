// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency.bpf.c - histograms of the time an allocation and a free of a frame take.
 *
 * The module measures a latency only while these programs listen. They run at
 * the level of the code they observe, NMI included: hence a preallocated hash,
 * looked up without a lock. An entry is made by the first event of its kind, so
 * that a dump shows only what happens; making one takes a lock that NMI may find
 * held, and then the event counts as lost.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <kcoro/abi.h>
#include "latency.h"
#include "log2_bucket.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KCORO_OPS * KCORO_LEVELS * (KCORO_CLASSES + 1));
	__type(key, struct latency_key);
	__type(value, struct latency_histogram);
} frame_latency_ns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct latency_lost);
} frame_latency_lost SEC(".maps");

/* What a new entry begins with; too large for the stack beside the rest. */
static const struct latency_histogram empty;

static __always_inline void record(enum kcoro_operation operation, __u32 level,
				   __u32 size_class, __u64 ns)
{
	struct latency_key key = {
		.operation = operation,
		.level = level,
		.size_class = size_class,
	};
	struct latency_histogram *histogram;
	__u32 bucket = log2_bucket(ns, LATENCY_BUCKETS);

	histogram = bpf_map_lookup_elem(&frame_latency_ns, &key);
	if (!histogram) {
		bpf_map_update_elem(&frame_latency_ns, &key, &empty, BPF_NOEXIST);
		histogram = bpf_map_lookup_elem(&frame_latency_ns, &key);
	}
	if (!histogram) {
		struct latency_lost *lost;
		__u32 zero = 0;

		lost = bpf_map_lookup_elem(&frame_latency_lost, &zero);
		if (lost)
			__sync_fetch_and_add(&lost->events, 1);
		return;
	}
	__sync_fetch_and_add(&histogram->count, 1);
	__sync_fetch_and_add(&histogram->sum_ns, ns);
	__sync_fetch_and_add(&histogram->bucket_log2_ns[bucket], 1);
}

SEC("tp_btf/kcoro_frame_alloc")
int BPF_PROG(latency_alloc, size_t size, unsigned int size_class, unsigned int level,
	     gfp_t gfp, unsigned int place, __u64 latency_ns)
{
	/* A failed allocation would pass for a quick one. */
	if (place != KCORO_PLACE_NONE)
		record(KCORO_OP_ALLOC, level, size_class, latency_ns);
	return 0;
}

SEC("tp_btf/kcoro_frame_free")
int BPF_PROG(latency_free, size_t size, unsigned int size_class, unsigned int level,
	     unsigned int place, __u64 latency_ns)
{
	record(KCORO_OP_FREE, level, size_class, latency_ns);
	return 0;
}
