/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scenario.h - scenarios of kcoro_faults.ko. Each ends with 0, with -ENOMEM when it
 * was refused memory and bore it well, or with -EINVAL when something is wrong.
 */
#ifndef KCORO_FAULTS_SCENARIO_H
#define KCORO_FAULTS_SCENARIO_H

#ifndef __cplusplus
#include <linux/kernel.h>

#include <kcoro/kcoro.h>

#define EXPECT(condition)                                                                   \
	do {                                                                                \
		if (!(condition)) {                                                         \
			pr_err("kcoro_faults: %s:%d: not so: %s\n", __func__, __LINE__,    \
			       #condition);                                                 \
			return -EINVAL;                                                     \
		}                                                                           \
	} while (0)

/* Over all levels and classes. */
struct faults_sum {
	s64 live;	/* frames allocated and not freed */
	u64 failures;	/* allocations that gave NULL */
};

struct faults_sum faults_sum(struct kcoro_pool *pool);

int faults_pool(void);
int faults_levels(void);
int faults_coro(void);
int faults_cxx(void);

/* chain.cc: 1 + .. + depth or a negative errno; *made and *destroyed: objects in frames. */
int faults_chain_sum(int depth, int *made, int *destroyed);
#endif

struct kcoro_event;
struct kcoro_scope;

/* Objects in frames, and what the spawned coroutine gave to the one that joined it. */
struct faults_cxx_seen {
	int made;
	int destroyed;
	int result;
};

#ifdef __cplusplus
extern "C"
#endif
/* cxx_body.cc: begins; 0, or the errno of a spawn that was refused. */
int faults_cxx_start(struct kcoro_scope *scope, struct kcoro_event *go,
		     struct faults_cxx_seen *seen);

#endif /* KCORO_FAULTS_SCENARIO_H */
