/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cxx.h - what the C++ library asks of kcoro.ko: the border between kmod/cxx, which is C and
 * knows the kernel, and the headers *.hpp, which know neither. Built-in types alone, so that
 * both can include it. All functions are EXPORT_SYMBOL_GPL; modules include kcoro/spawn.hpp
 * and its like instead.
 */
#ifndef KCORO_CXX_H
#define KCORO_CXX_H

struct kcoro_channel;
struct kcoro_coro;
struct kcoro_event;
struct kcoro_scope;
struct wait_queue_head;

/* For kcoro_cxx_body.step, beside KCORO_STATE_* of a stop that was not told before. */
#define KCORO_CXX_FIRED (1U << 7)	/* the wait that it began with the coroutine for a target */

/**
 * struct kcoro_cxx_body - a C++ coroutine as the core sees it
 * @step: resume @coro until it waits or ends. Returns what it waits for, enum
 *	kcoro_wait_kind or more: an own await; or -1: it has ended, and @coro may be gone
 * @expired: a timer that @coro started has expired; its room. Called before a step
 * @coro: the C++ object; also the continuation of the outermost frame
 * @outermost: the outermost frame
 * @innermost: while it waits: where the frame stands that will be resumed
 * @state: while it waits: where KCORO_STATE_* of the stops stand that it has
 * @result: in the coroutine's room: when it has ended, what it gave
 */
struct kcoro_cxx_body {
	int (*step)(void *coro, unsigned int how);
	void (*expired)(void *room);
	void *coro;
	void *outermost;
	void *const *innermost;
	const unsigned int *state;
	const int *result;
};

/* Bytes that C++ has beside the coroutine of the core, as long as that lives; zero at first. */
#define KCORO_CXX_ROOM 48

/* Bytes of a timer, 8-byte aligned, that C++ has in a frame. Kernels that debug locks or
 * objects need no more.
 */
#define KCORO_CXX_TIMER_ROOM 128

/*
 * A wait for what the core has: struct kcoro_wait. C++ says who is told: the coroutine of the
 * core, which is woken, and whose next step is told KCORO_CXX_FIRED; one such wait at a time.
 * Or, with KCORO_CXX_WAIT_CALLS in @flags, a function: it may be called at once, with a lock of
 * the source held and interrupts off, and the wait belongs to C++ from then on.
 */
struct kcoro_cxx_wait {
	void *link[2];
	union {
		struct kcoro_coro *co;
		void (*call)(struct kcoro_cxx_wait *wait);
	};
	long long value;	/* what the source gave */
	unsigned int since;
	unsigned char state;
	unsigned char kind;
	unsigned char index;
	unsigned char flags;
};

#define KCORO_CXX_WAIT_CALLS 4	/* in: C++ sets it, or 0 */
#define KCORO_CXX_WAIT_BROKEN 2	/* out: the source has gone, or was closed */

/* Bytes, 8-byte aligned and zero at first: a wait for a key, one at a wait queue, a call. */
#define KCORO_CXX_KEY_ROOM 112
#define KCORO_CXX_KEY_HOLD_ROOM 152
#define KCORO_CXX_QUEUE_ROOM 56
#define KCORO_CXX_CALL_ROOM 128

/* In a frame: the promise stands behind two function pointers, and begins with who awaits it. */
#define KCORO_CXX_CONTINUATION 16

#ifdef __cplusplus
extern "C" {
#define KCORO_CXX_NOEXCEPT noexcept
#else
#define KCORO_CXX_NOEXCEPT
#endif

/**
 * kcoro_cxx_frame_alloc() - a coroutine frame from the default pool
 * @size: bytes, as the compiler asks for them
 *
 * Context: any, NMI included; never sleeps, because a coroutine can be made anywhere.
 * Return: the frame, 64-byte aligned, the caller's; or NULL, also for a size of 0 or over
 * KCORO_FRAME_SIZE_MAX (8 KiB).
 */
void *kcoro_cxx_frame_alloc(unsigned long size) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_frame_free() - give it back
 * @frame: from kcoro_cxx_frame_alloc(), or NULL
 * @size: the size it was asked for
 *
 * Context: any.
 */
void kcoro_cxx_frame_free(void *frame, unsigned long size) KCORO_CXX_NOEXCEPT;

/* The same for a size whose class is known: see size_class() in platform/kernel.hpp. */
void *kcoro_cxx_frame_alloc_class(unsigned long cls, unsigned long size) KCORO_CXX_NOEXCEPT;
void kcoro_cxx_frame_free_class(void *frame, unsigned long cls) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_lock() - a spin lock, raw, with interrupts off
 * @word: the lock, 0 at first
 *
 * Context: any but NMI. Return: for kcoro_cxx_unlock().
 */
unsigned long kcoro_cxx_lock(unsigned int *word) KCORO_CXX_NOEXCEPT;
void kcoro_cxx_unlock(unsigned int *word, unsigned long flags) KCORO_CXX_NOEXCEPT;

/* Nanoseconds of the monotonic clock. Context: any. */
unsigned long kcoro_cxx_now(void) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_coro_create() - a coroutine of the core for one in C++
 * @scope: who owns it; of the module whose code it is, so not the root scope
 * @executor: enum kcoro_executor
 * @sleeps: it may sleep, and has a work item of its own
 * @room: out: KCORO_CXX_ROOM bytes, 8-byte aligned
 * @error: out: why there is none: see kcoro_coro_create(); -EINVAL: no scope, or the root scope
 *
 * Context: any, NMI included. Return: the coroutine, to be given to kcoro_cxx_coro_start();
 * or NULL.
 */
struct kcoro_coro *kcoro_cxx_coro_create(struct kcoro_scope *scope, int executor, int sleeps,
					 void **room, int *error) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_coro_start() - have it run; no longer the caller's
 * @co: created
 * @body: copied
 *
 * When its scope is being destroyed its only step may be one that is told of a stop.
 * Context: any, NMI included.
 */
void kcoro_cxx_coro_start(struct kcoro_coro *co,
			  const struct kcoro_cxx_body *body) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_coro_wake() - have it run a step more
 * @co: started; the caller sees to it that it exists
 *
 * Context: any, NMI included.
 */
void kcoro_cxx_coro_wake(struct kcoro_coro *co) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_coro_awaited() - say who awaits it, for people
 * @co: started, not ended
 * @by: of C++, too; or NULL: nobody
 *
 * Context: any but NMI.
 */
void kcoro_cxx_coro_awaited(struct kcoro_coro *co, struct kcoro_coro *by) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_wait() - sleep until somebody says so
 * @flag: 0 at first; the caller's
 *
 * Context: process context, may sleep.
 */
void kcoro_cxx_wait(unsigned int *flag) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_wait_is_over() - to who sleeps there
 * @flag: may be gone when this returns
 *
 * Context: any but NMI.
 */
void kcoro_cxx_wait_is_over(unsigned int *flag) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_timer_start() - begin a time
 * @co: whose it is
 * @room: KCORO_CXX_TIMER_ROOM bytes; stay until it was stopped, or has expired
 * @when: of kcoro_cxx_now()
 *
 * Context: a step of @co.
 */
void kcoro_cxx_timer_start(struct kcoro_coro *co, void *room,
			   unsigned long when) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_timer_stop() - end it
 * @room: started
 *
 * Context: a step of its coroutine. Return: 0: it has expired, and kcoro_cxx_body.expired is
 * still to be called for it.
 */
int kcoro_cxx_timer_stop(void *room) KCORO_CXX_NOEXCEPT;

/*
 * Awaits. They give 1: @wait waits, and is fired later; 0: it has happened, and @wait->value
 * is what it gave; or a negative errno. One that waits is taken off again by the function
 * behind it, which gives 0 when that is too late: it is fired, or has been fired.
 * Context: a step of the coroutine.
 */

/* An event is set; @wait->value is its value. */
int kcoro_cxx_event_wait(struct kcoro_event *event,
			 struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_event_leave(struct kcoro_event *event,
			  struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;

/* A channel has a value, or room for one; broken, or -EPIPE: it is closed. */
int kcoro_cxx_channel_receive(struct kcoro_channel *ch,
			      struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_channel_send(struct kcoro_channel *ch, struct kcoro_cxx_wait *wait,
			   long long value) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_channel_leave(struct kcoro_channel *ch,
			    struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;

/* A coroutine has finished; the caller has a reference to it. */
int kcoro_cxx_join(struct kcoro_coro *other, struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_join_leave(struct kcoro_coro *other,
			 struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_join_pass_on() - hand a stop on to who is joined
 * @other: whom @wait is for
 * @wait: waits
 * @stop: of KCORO_STATE_STOP
 *
 * Context: a step of the coroutine. Return: 0: others wait for it, too, and it was not asked.
 */
int kcoro_cxx_join_pass_on(struct kcoro_coro *other, struct kcoro_cxx_wait *wait,
			   unsigned int stop) KCORO_CXX_NOEXCEPT;

/*
 * A key of a keyed table is woken: kcoro/table.h. @room is of @co, KCORO_CXX_KEY_ROOM bytes; the
 * key is copied there. Broken: the table has gone.
 */
int kcoro_cxx_key_wait(struct kcoro_coro *co, void *room, struct kcoro_cxx_wait *wait,
		       unsigned long long table_id, const void *key,
		       unsigned int key_size) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_key_leave(void *room, struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;

/* A key that is held, in KCORO_CXX_KEY_HOLD_ROOM bytes; its waits are left as above. */
int kcoro_cxx_key_hold(struct kcoro_coro *co, void *room, unsigned long long table_id,
		       const void *key, unsigned int key_size,
		       unsigned int flags) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_key_next(void *room, struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;
void kcoro_cxx_key_release(void *room) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_queue_wait() - get onto a wait queue of the kernel, before a condition is tested
 * @head: the queue; must stay, or be woken with POLLFREE and go a grace period later
 * @room: KCORO_CXX_QUEUE_ROOM bytes, on no queue
 * @wait: fired when the queue is woken; broken: it has gone
 *
 * Context: a step of the coroutine.
 */
void kcoro_cxx_queue_wait(struct wait_queue_head *head, void *room,
			  struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;
int kcoro_cxx_queue_leave(void *room, struct kcoro_cxx_wait *wait) KCORO_CXX_NOEXCEPT;

/**
 * kcoro_cxx_call() - have a kernel thread call a function, and be told what it returned
 * @room: KCORO_CXX_CALL_ROOM bytes
 * @wait: its value is what @fn returned
 * @fn: may sleep
 * @arg: for it
 *
 * There is no way to leave: a function that runs can't be stopped.
 * Context: a step of the coroutine.
 */
void kcoro_cxx_call(void *room, struct kcoro_cxx_wait *wait, long (*fn)(void *arg),
		    void *arg) KCORO_CXX_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* KCORO_CXX_H */
