/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coro.h - what the tests of coroutines share: a scope for a case, and waiting in
 * process context for what a coroutine does.
 */
#ifndef KCORO_TEST_CORO_H
#define KCORO_TEST_CORO_H

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>

#include <kcoro/kcoro.h>

#include "at_level.h"
#include "test.h"

static inline struct kcoro_scope *test_scope(u32 limit, u64 timeout_ns)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.limit = limit,
		.owner = THIS_MODULE,
		.name = "test",
		.timeout_ns = timeout_ns,
	};

	return kcoro_scope_create(&attr);
}

/* True as soon as @condition is, which is then not asked again; false after ten seconds. */
#define SOON(condition)						\
	({							\
		bool __met;					\
		int __i = 0;					\
								\
		while (!(__met = (condition)) && __i++ < 10000)	\
			usleep_range(1000, 1100);		\
		__met;						\
	})

/* A suspended coroutine, seen by one that has a reference. */
#define SUSPENDED(co) SOON(kcoro_coro_status(co) == KCORO_STATUS_SUSPENDED)
#define FINISHED(co) SOON(kcoro_coro_status(co) >= KCORO_STATUS_DONE)

#endif /* KCORO_TEST_CORO_H */
