/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * filter_pool.h - the context of `filter_pool`, which makes the pool of a filter whose
 * coroutines are scheduled: their ops name it when they are loaded, so it is there before.
 *
 * Whoever includes it brings __u32 .. __u64 along.
 */
#ifndef KCORO_FILTER_POOL_H
#define KCORO_FILTER_POOL_H

#define FILTER_POOL_NAME_LEN 16 /* KCORO_NAME_LEN */

/*
 * The largest state of a filter's coroutine, in bytes: what a frame of 512 has room for on all
 * kernels but those that debug locks. The pool's default quota is reckoned with it
 * (filter_pool_quota()).
 */
#define FILTER_STATE_BYTES 48

struct filter_pool_args {
	__u64 quota;			/* in: bytes, not 0 */
	char name[FILTER_POOL_NAME_LEN]; /* in */
	__u64 pool_id;			/* out */
};

#endif /* KCORO_FILTER_POOL_H */
