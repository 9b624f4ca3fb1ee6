/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coro_latency.h - the map `coro_latency_ns`: how long coroutines run and wait.
 *
 * Include kcoro/abi.h first.
 */
#ifndef KCORO_CORO_LATENCY_H
#define KCORO_CORO_LATENCY_H

/* What a histogram measures. */
enum coro_span {
	CORO_SPAN_RUN,	 /* a body, from its call to its return */
	CORO_SPAN_WAIT,	 /* from its return to the wake; 0 when that came first */
	CORO_SPAN_DELAY, /* from the start, the wake or the yield to the call */
	CORO_SPANS,
};

/* Bucket n holds [2^n, 2^(n+1) - 1] ns, bucket 0 also 0; the last one has no upper end. */
#define CORO_LATENCY_BUCKETS 34

/* Coroutines that are followed at a time. */
#define CORO_LATENCY_COROS 65536

struct coro_latency_key {
	enum coro_span span;
	enum kcoro_executor executor;
};

/* Only grows. count is at least the sum of the buckets while an update is under way. */
struct coro_latency_histogram {
	__u64 count;
	__u64 sum_ns;
	__u64 bucket_log2_ns[CORO_LATENCY_BUCKETS];
};

/* The only element of `coro_latency_lost`. */
struct coro_latency_lost {
	__u64 events; /* no entry could be made for their coroutine */
};

#endif /* KCORO_CORO_LATENCY_H */
