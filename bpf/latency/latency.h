/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.h - the map `frame_latency_ns`: how long frames take to allocate and free.
 *
 * Include kcoro/abi.h first.
 */
#ifndef KCORO_LATENCY_H
#define KCORO_LATENCY_H

/* Bucket n holds [2^n, 2^(n+1) - 1] ns, bucket 0 also 0; the last one has no upper end. */
#define LATENCY_BUCKETS 28

struct latency_key {
	enum kcoro_operation operation;
	enum kcoro_level level;
	enum kcoro_class size_class; /* KCORO_CLASSES: larger than all classes */
};

/* Only grows. count is at least the sum of the buckets while an update is under way. */
struct latency_histogram {
	__u64 count;
	__u64 sum_ns;
	__u64 bucket_log2_ns[LATENCY_BUCKETS];
};

/* The only element of `frame_latency_lost`. */
struct latency_lost {
	__u64 events; /* no entry could be made for them */
};

#endif /* KCORO_LATENCY_H */
