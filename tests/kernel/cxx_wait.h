/* SPDX-License-Identifier: GPL-2.0-only */
/* cxx_wait.h - between cxx_wait.c and cxx_waits.cc: one await of what the core has. */
#ifndef KCORO_TEST_CXX_WAIT_H
#define KCORO_TEST_CXX_WAIT_H

struct kcoro_channel;
struct kcoro_coro;
struct kcoro_event;
struct kcoro_scope;
struct wait_queue_head;

enum cxx_source {
	CXX_EVENT,
	CXX_RECEIVE,
	CXX_SEND,	/* the value 5 */
	CXX_JOIN,
	CXX_KEY,
	CXX_HELD,
	CXX_QUEUE,
	CXX_CALL,
	CXX_SOURCES
};

enum cxx_way {
	CXX_ALONE,
	CXX_LIMITED,	/* with a timeout: a member of a group, or the await's own */
	CXX_INSIDE,	/* in a task that is a member of a group */
	CXX_WAYS
};

struct cxx_wait {
	int queue;			/* softirq, worker, sleeper */
	enum cxx_source source;
	enum cxx_way way;
	unsigned long ns;		/* limit */
	int rounds;			/* so many values, or until one is an error */
	struct kcoro_event *event;
	struct kcoro_channel *channel;
	struct kcoro_coro *other;
	unsigned long long table;
	unsigned int key;
	struct wait_queue_head *head;
	int (*condition)(void);
	long (*sleeps)(void);
};

struct cxx_waited {
	unsigned int over;		/* for kcoro_cxx_wait(): the frame has gone */
	int began;
	int destroyed;
	int rounds;			/* that gave a value */
	long long result;		/* the last one */
};

#ifdef __cplusplus
extern "C"
#endif
int kcoro_test_cxx_wait(struct kcoro_scope *scope, const struct cxx_wait *what,
			struct cxx_waited *seen);

#endif /* KCORO_TEST_CXX_WAIT_H */
