/* SPDX-License-Identifier: GPL-2.0-only */
/* cxx_spawn.h - between cxx.c and cxx_spawn.cc. */
#ifndef KCORO_TEST_CXX_SPAWN_H
#define KCORO_TEST_CXX_SPAWN_H

struct kcoro_scope;

struct cxx_spawn {
	int queue;		/* softirq, worker, sleeper */
	int depth;		/* tasks that await each other */
	int naps;
	unsigned long ns;
};

struct cxx_seen {
	unsigned int over;	/* for kcoro_cxx_wait() */
	int resumed;
	int destroyed;
	int result;
	int status;
};

#ifdef __cplusplus
extern "C"
#endif
int kcoro_test_cxx_spawn(struct kcoro_scope *scope, const struct cxx_spawn *what,
			 struct cxx_seen *seen);

/* One that waits for ever, and spawns another one when its frame goes: the error of that. */
#ifdef __cplusplus
extern "C"
#endif
int kcoro_test_cxx_spawn_late(struct kcoro_scope *scope, int *error);

#endif /* KCORO_TEST_CXX_SPAWN_H */
