/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cxx.h - what the C++ library asks of kcoro.ko: the border between kmod/cxx, which is C and
 * knows the kernel, and the headers *.hpp, which know neither. Built-in types alone, so that
 * both can include it. All functions are EXPORT_SYMBOL_GPL; modules include kcoro/spawn.hpp
 * and its like instead.
 */
#ifndef KCORO_CXX_H
#define KCORO_CXX_H

struct kcoro_coro;
struct kcoro_scope;

/* One call of kcoro_cxx_body.step. */
struct kcoro_cxx_step {
	unsigned int stop;	/* in: KCORO_STATE_* of a stop, not told before; out: those set */
	int kind;		/* out: what it waits for, enum kcoro_wait_kind; -1: it has ended */
	long result;		/* out, when it has ended */
	void *innermost;	/* out, when it waits: the frame that will be resumed */
};

/**
 * struct kcoro_cxx_body - a C++ coroutine as the core sees it
 * @step: resume @coro until it waits or ends; after the end @coro may be gone
 * @expired: a timer that @coro started has expired; its room. Called before a step
 * @coro: the C++ object; also the continuation of the outermost frame
 * @outermost: the outermost frame
 */
struct kcoro_cxx_body {
	void (*step)(void *coro, struct kcoro_cxx_step *step);
	void (*expired)(void *room);
	void *coro;
	void *outermost;
};

/* Bytes that C++ has beside the coroutine of the core, as long as that lives; zero at first. */
#define KCORO_CXX_ROOM 48

/* Bytes of a timer, 8-byte aligned, that C++ has in a frame. Kernels that debug locks or
 * objects need no more.
 */
#define KCORO_CXX_TIMER_ROOM 128

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

#ifdef __cplusplus
}
#endif

#endif /* KCORO_CXX_H */
