/* SPDX-License-Identifier: GPL-2.0-only */
/* log2_bucket.h - which bucket of a histogram a value belongs to. */
#ifndef KCORO_LOG2_BUCKET_H
#define KCORO_LOG2_BUCKET_H

/* The number of the highest bit, 0 for 0; the last of @buckets when it is beyond. */
static __always_inline __u32 log2_bucket(__u64 value, __u32 buckets)
{
	__u32 log = 0;

	for (__u32 shift = 32; shift; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			log += shift;
		}
	}
	return log < buckets ? log : buckets - 1;
}

#endif /* KCORO_LOG2_BUCKET_H */
