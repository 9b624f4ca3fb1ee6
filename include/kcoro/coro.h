/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * coro.h - coroutines in C: their object, their life, and the macros that make a
 * resumable body of a function. What a body can await stands in await.h, who owns it
 * in scope.h. All functions are EXPORT_SYMBOL_GPL.
 *
 *	struct ticker {
 *		struct kcoro_coro co;		(first)
 *		struct kcoro_timer timer;
 *		int left;			(what lives across an await stands here)
 *	};
 *
 *	static long ticker_body(struct kcoro_coro *co)
 *	{
 *		struct ticker *t = container_of(co, struct ticker, co);
 *		long err;
 *
 *		KCORO_BEGIN(co);
 *		while (t->left--) {
 *			KCORO_AWAIT(err, kcoro_timer_await(co, &t->timer, NSEC_PER_SEC));
 *			if (err)
 *				KCORO_RETURN(err);
 *			pr_info("tick\n");
 *		}
 *		KCORO_END(0);
 *	}
 *
 * state.h describes the state word, and who may change what in it.
 *
 * Who touches the rest: while RUNNING the runner alone, but for @state, @refs, and, under
 * @lock, @joiners. An item that is queued belongs to its queue.
 */
#ifndef KCORO_CORO_H
#define KCORO_CORO_H

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kcoro/abi.h>
#include <kcoro/state.h>

struct kcoro_coro;
struct kcoro_group;
struct kcoro_pool;
struct kcoro_queue;
struct kcoro_scope;
struct module;

/* What a body returns when it has not come to its end. No result may have these values. */
#define KCORO_WAIT (-EIOCBQUEUED)	/* it waits: an await says so */
#define KCORO_AGAIN (-ERESTARTNOINTR)	/* it yields: run it again after the others */

/**
 * enum kcoro_desc_flags - what a body is like
 * @KCORO_DESC_SLEEPS: it may sleep. It runs on a work item of its own, in a kernel
 *	thread; @executor must be KCORO_EXECUTOR_WORKER
 * @KCORO_DESC_ENDS_ITSELF: the body is called also when it was asked to end before its
 *	start, and sees to its end; for fronts that have more to destroy than a frame
 */
enum kcoro_desc_flags {
	KCORO_DESC_SLEEPS = 1U << 0,
	KCORO_DESC_ENDS_ITSELF = 1U << 1,
};

#define KCORO_DESC_FLAGS (KCORO_DESC_SLEEPS | KCORO_DESC_ENDS_ITSELF)

/**
 * struct kcoro_front - what only the language of a body can tell of it, for people
 * @name: what to call this one instead of its desc's name
 * @parent: number of the coroutine that awaits it, 0: none that the core does not know of
 * @functions: the functions that it is in, as the compiler calls them, the innermost
 *	first, with a space between; cut where @size ends, or empty
 *
 * Context: any but NMI, interrupts off. @functions: with the coroutine suspended and held:
 * nobody resumes it meanwhile.
 */
struct kcoro_front {
	void (*name)(struct kcoro_coro *co, char *text, size_t size);
	u32 (*parent)(struct kcoro_coro *co);
	void (*functions)(struct kcoro_coro *co, char *text, size_t size);
};

/**
 * struct kcoro_desc - a kind of coroutine
 * @owner: THIS_MODULE: whose code this is
 * @name: for people
 * @frame_size: bytes of the whole frame, struct kcoro_coro at its head included
 * @flags: enum kcoro_desc_flags
 * @executor: where bodies are resumed
 * @resume: the body: goes on where it stopped. Returns its result, KCORO_WAIT or
 *	KCORO_AGAIN. After a kill it must come to its end without another wait; the
 *	macros see to that. Context: the executor's, one at a time
 * @destroy: destructor, called exactly once after the body's end, or instead of it
 *	when the coroutine ends before its start; may be NULL. It must not free the
 *	frame. Context: the executor's
 * @front: NULL for bodies in C
 */
struct kcoro_desc {
	struct module *owner;
	const char *name;
	u32 frame_size;
	u32 flags;
	enum kcoro_executor executor;
	long (*resume)(struct kcoro_coro *co);
	void (*destroy)(struct kcoro_coro *co);
	const struct kcoro_front *front;
};

/* Something that a queue runs. @run is told the queue, or NULL. */
struct kcoro_item {
	struct llist_node node;
	void (*run)(struct kcoro_item *item, struct kcoro_queue *q);
};

enum kcoro_wait_state {
	KCORO_WAIT_IDLE,
	KCORO_WAIT_ARMED,	/* the source has it */
	KCORO_WAIT_FIRING,	/* the source gave its value, and wakes */
	KCORO_WAIT_FIRED,	/* the source is done with it */
};

/* One coroutine, or member of a group, that waits for one source. Lies in the frame. */
struct kcoro_wait {
	union {
		struct list_head link;		/* on the source's list, under its lock */
		struct kcoro_wait *next;	/* not there yet: an event's */
		struct hlist_node hlink;	/* on a coroutine's joiners */
	};
	union {
		void *target;		/* the coroutine, or the group */
		void (*call)(struct kcoro_wait *wait);
	};
	s64 value;			/* what the source gave */
	u32 since;			/* jiffies when the wait began */
	u8 state;			/* enum kcoro_wait_state */
	u8 kind;			/* enum kcoro_wait_kind */
	u8 index;			/* in the group */
	u8 flags;			/* enum kcoro_wait_flags */
};

enum kcoro_wait_flags {
	KCORO_WAIT_IN_GROUP = 1U << 0,
	KCORO_WAIT_BROKEN = 1U << 1,	/* fired because the channel was closed */
	KCORO_WAIT_CALLS = 1U << 2,	/* @call is called in place of a wake; for fronts */
};

/* The head of a frame. What is in it is kcoro's; use the functions. */
struct kcoro_coro {
	struct kcoro_item item;
	const struct kcoro_desc *desc;
	atomic_t state;
	atomic_t refs;			/* one of the coroutine's own, until it has finished */
	raw_spinlock_t lock;		/* joiners */
	u32 id;				/* for people */
	u16 cpu;			/* home: where it is queued */
	u16 list_cpu;			/* whose list of the scope it is on */
	u16 point;			/* where the body goes on */
	u8 executor;
	u8 flags;			/* enum kcoro_coro_flags */
	struct kcoro_scope *scope;
	union {
		union {			/* until it is listed: kmod/coro/scope.h */
			u64 asked;
			struct {
				u32 cancels, kills;
			};
		};
		struct list_head in_scope;
		struct {		/* once it has finished: scope and desc may be gone */
			struct kcoro_pool *pool;
			u32 frame_bytes;
		};
	};
	struct hlist_head joiners;
	s64 result;
	struct kcoro_wait wait;
};

enum kcoro_coro_flags {
	KCORO_CORO_LISTED = 1U << 0,	/* on a list of its scope */
	KCORO_CORO_STARTED = 1U << 1,	/* not the creator's any more */
	KCORO_CORO_RAN = 1U << 2,	/* the body was called */
	KCORO_CORO_PINNED = 1U << 3,	/* @cpu was chosen */
	KCORO_CORO_SLEEPS = 1U << 4,
	KCORO_CORO_OWNER = 1U << 5,	/* has a reference to desc->owner */
};

/**
 * kcoro_coro_create() - make a coroutine, which does not run yet
 * @scope: who owns it; NULL: the root scope
 * @desc: what it is; must stay as long as the coroutine
 *
 * The frame comes from the scope's pool; what is behind its head is zero. A module's
 * body outside of a scope of that module's holds the module.
 *
 * Context: any, NMI included.
 * Return: the coroutine, to be started with kcoro_coro_start() or dropped with
 * kcoro_coro_put(); or ERR_PTR: -ENOMEM, -EAGAIN (the scope's limit is reached),
 * -ESHUTDOWN (the scope is being destroyed), -ETIMEDOUT (its deadline has passed),
 * -ENODEV (the body's module is being unloaded), -EINVAL (the description is wrong: no
 * body, a frame smaller than its head or too large, a sleeping body on an executor that
 * must not).
 */
struct kcoro_coro *kcoro_coro_create(struct kcoro_scope *scope, const struct kcoro_desc *desc);

/**
 * kcoro_coro_start() - have it run
 * @co: from kcoro_coro_create(), no longer the caller's afterwards
 *
 * Who wants to join it takes a reference before, with kcoro_coro_get().
 * Context: any, NMI included.
 */
void kcoro_coro_start(struct kcoro_coro *co);

/**
 * kcoro_coro_start_here() - have it run now, on this CPU, before this returns
 * @co: from kcoro_coro_create(), no longer the caller's afterwards
 *
 * Runs it until it waits, and whatever else this CPU's softirq executor has; where that
 * is running already, as inside a coroutine, it is queued. A body of another executor,
 * or one pinned elsewhere, is queued there.
 *
 * Context: task or softirq level, interrupts on, no lock held.
 */
void kcoro_coro_start_here(struct kcoro_coro *co);

/**
 * kcoro_coro_spawn() - create, fill and start in one step
 * @scope: as for kcoro_coro_create()
 * @desc: as there
 * @state: copied behind the head of the frame; may be NULL
 * @size: bytes of @state, at most those of the frame behind its head
 *
 * Context: any, NMI included. Return: 0, or what kcoro_coro_create() says.
 */
int kcoro_coro_spawn(struct kcoro_scope *scope, const struct kcoro_desc *desc,
		     const void *state, size_t size);

/**
 * kcoro_coro_pin() - choose its CPU
 * @co: created and not started, or the caller itself
 * @cpu: a possible CPU; while it is offline, another one runs the body
 *
 * Context: any. Return: 0, or -EINVAL for a CPU that does not exist.
 */
int kcoro_coro_pin(struct kcoro_coro *co, unsigned int cpu);

/**
 * kcoro_coro_get() - take a reference, which keeps the frame
 * @co: a coroutine that the caller has created, or has a reference to
 *
 * Context: any. Return: @co.
 */
struct kcoro_coro *kcoro_coro_get(struct kcoro_coro *co);

/**
 * kcoro_coro_put() - drop a reference
 * @co: the coroutine; the last one frees its frame. NULL is ignored
 *
 * Dropping the only reference of one that was never started ends it: its destructor
 * runs here, and it has no status.
 * Context: any but NMI.
 */
void kcoro_coro_put(struct kcoro_coro *co);

/**
 * kcoro_coro_wake() - have a suspended coroutine look at what it awaits
 * @co: the coroutine; the caller sees to it that it exists
 *
 * For own awaits (see await.h); all others wake by themselves. One that runs is run once
 * more; a wake too many does no harm.
 * Context: any, NMI included.
 */
void kcoro_coro_wake(struct kcoro_coro *co);

/**
 * kcoro_coro_cancel() - ask a coroutine to end
 * @co: the coroutine; the caller has a reference
 *
 * What it awaits gives -ECANCELED, once, and an await of another coroutine passes the
 * question on to that one first. A body that then awaits again is killed, unless it said
 * kcoro_coro_accept(). One that has not started ends without running.
 * Context: any, NMI included.
 */
void kcoro_coro_cancel(struct kcoro_coro *co);

/**
 * kcoro_coro_kill() - end a coroutine at its next await, or at the one it is in
 * @co: the coroutine; the caller has a reference
 *
 * Context: any, NMI included. It does not wait: kcoro_coro_join() and
 * kcoro_scope_destroy() do.
 */
void kcoro_coro_kill(struct kcoro_coro *co);

/**
 * kcoro_coro_stopping() - is it asked to end?
 * @co: the calling coroutine
 *
 * Context: its body. Return: 0, -ECANCELED, -ETIMEDOUT (its scope's deadline), -EINTR
 * (killed). Does not count as having been told.
 */
int kcoro_coro_stopping(const struct kcoro_coro *co);

/**
 * kcoro_coro_accept() - the body knows that it is to end, and awaits more to do so
 * @co: the calling coroutine
 *
 * Takes back a cancel or a timeout, not a kill. Context: its body.
 */
void kcoro_coro_accept(struct kcoro_coro *co);

/**
 * kcoro_coro_set_result() - a result that does not fit what the body returns
 * @co: the calling coroutine
 * @result: for who joins it; the body then returns 0
 *
 * Context: its body.
 */
static inline void kcoro_coro_set_result(struct kcoro_coro *co, s64 result)
{
	co->result = result;
}

/**
 * kcoro_coro_status() - what has become of it
 * @co: the coroutine; the caller has a reference
 *
 * Context: any. Return: a snapshot; the four final ones stay.
 */
enum kcoro_status kcoro_coro_status(const struct kcoro_coro *co);

/**
 * kcoro_coro_result() - what the body returned
 * @co: the coroutine, finished; the caller has a reference
 *
 * Context: any. Return: the result, or the errno of its status.
 */
s64 kcoro_coro_result(const struct kcoro_coro *co);

/**
 * kcoro_status_errno() - a status as an error
 * @status: of a coroutine
 *
 * Context: any. Return: 0 for done, -ECANCELED, -ETIMEDOUT, -EINTR for killed, and
 * -EINPROGRESS for one that has not finished.
 */
static inline int kcoro_status_errno(enum kcoro_status status)
{
	switch (status) {
	case KCORO_STATUS_DONE:
		return 0;
	case KCORO_STATUS_CANCELLED:
		return -ECANCELED;
	case KCORO_STATUS_TIMED_OUT:
		return -ETIMEDOUT;
	case KCORO_STATUS_KILLED:
		return -EINTR;
	default:
		return -EINPROGRESS;
	}
}

/* Is it to end without another await? For the macros, and for fronts that do without. */
static inline bool kcoro_coro_is_killed(const struct kcoro_coro *co)
{
	return atomic_read(&co->state) & KCORO_STATE_KILL;
}

/*
 * The macros. A body is one switch over the point where it goes on, so that
 *
 * - locals do not survive an await: what must stands in the frame. A local that is
 *   initialised before an await in the same block is a compile-time error;
 * - an await inside a switch of the body's own can't be found again: the body then ends
 *   with -ELOOP at that await, and the log names it. Put the switch into a function;
 * - two awaits stand on two lines: else there is a duplicate case.
 *
 * A part of a body that awaits can be a function of its own, with its own point in the
 * frame: KCORO_SUB_BEGIN(co, &f->point) instead of KCORO_BEGIN(co), and the caller awaits
 * it as anything else: KCORO_AWAIT(err, part(co, f)).
 */
#define KCORO_SUB_BEGIN(coro, point_in_frame)					\
	struct kcoro_coro *const kcoro_self = (coro);				\
	u16 *const kcoro_point = (point_in_frame);				\
	_Pragma("GCC diagnostic push")						\
	_Pragma("GCC diagnostic error \"-Wjump-misses-init\"")			\
	switch (*kcoro_point) {							\
	default:								\
		return kcoro_coro_lost(kcoro_self, *kcoro_point);		\
	case 0:

#define KCORO_BEGIN(coro) KCORO_SUB_BEGIN(coro, &(coro)->point)

/**
 * KCORO_AWAIT() - suspend until something awaited is there
 * @result: a variable for what the await gives
 * @await: a call that returns KCORO_WAIT as long as it must; made anew at each resume,
 *	so its arguments stand in the frame or are worked out anew
 */
#define KCORO_AWAIT(result, await)						\
	do {									\
		*kcoro_point = __LINE__;					\
		fallthrough;							\
	case __LINE__:								\
		(result) = (await);						\
		if ((result) == KCORO_WAIT || (result) == KCORO_AGAIN)		\
			return (result);					\
		if (unlikely(kcoro_coro_is_killed(kcoro_self)))			\
			KCORO_RETURN(-EINTR);					\
	} while (0)

/* Let others run, and go on. */
#define KCORO_YIELD()								\
	do {									\
		*kcoro_point = __LINE__;					\
		return KCORO_AGAIN;						\
	case __LINE__:								\
		if (unlikely(kcoro_coro_is_killed(kcoro_self)))			\
			KCORO_RETURN(-EINTR);					\
	} while (0)

/* End the body, or the part of it. */
#define KCORO_RETURN(value)							\
	do {									\
		*kcoro_point = 0;						\
		return value;							\
	} while (0)

#define KCORO_END(value)							\
	}									\
	_Pragma("GCC diagnostic pop")						\
	KCORO_RETURN(value)

/* A point that the switch does not know. */
long kcoro_coro_lost(struct kcoro_coro *co, unsigned int line);

#endif /* KCORO_CORO_H */
