/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * await.h - what a body can await. All functions are EXPORT_SYMBOL_GPL.
 *
 * A function called kcoro_<noun>_await() is for a body, inside KCORO_AWAIT(): it begins
 * the wait when it is called first, and tells at each resume whether it is over. It
 * returns KCORO_WAIT as long as not; then what is awaited, or
 *
 *	-ETIMEDOUT	the timeout was first, or the scope's deadline
 *	-ECANCELED	the coroutine was cancelled; it no longer waits
 *	-EINTR		it was killed; the macros then end the body
 *
 * A coroutine waits for one thing at a time, or for a group of several. Nothing is
 * allocated. Where there is a timeout, @timer stands in the frame, and @timeout_ns is
 * counted from the first call; with @timer NULL there is none.
 *
 * Own awaits: write a function that returns KCORO_WAIT, see to it that
 * kcoro_coro_wake() is called later, and return something else when
 * kcoro_coro_stopping() says so.
 */
#ifndef KCORO_AWAIT_H
#define KCORO_AWAIT_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <kcoro/coro.h>

/* Timers. */

/**
 * struct kcoro_timer - a timer of one coroutine; lies in its frame, zeroed at first
 */
struct kcoro_timer {
	struct hrtimer hrtimer;
	struct kcoro_coro *co;
	struct kcoro_wait *wait;	/* member of a group, or NULL */
	u8 armed;
	u8 fired;
};

/**
 * kcoro_timer_await_range() - sleep
 * @co: the calling coroutine
 * @timer: in its frame
 * @ns: how long, nanoseconds
 * @slack_ns: and how much longer it may be, so that timers can be put together
 *
 * The timer runs on the CPU that the coroutine is on; one that is pinned has it there.
 * Context: a body. Return: 0, or see the top.
 */
long kcoro_timer_await_range(struct kcoro_coro *co, struct kcoro_timer *timer, u64 ns,
			     u64 slack_ns);

/* The same without slack. */
static inline long kcoro_timer_await(struct kcoro_coro *co, struct kcoro_timer *timer, u64 ns)
{
	return kcoro_timer_await_range(co, timer, ns, 0);
}

/* Events. */

/**
 * struct kcoro_event - something that happens, once or again and again
 *
 * It is set or not. Set, it lets all waiters go on, those to come as well, with a
 * value: so it is the one-slot form of a channel, too. With @pulse it lets one waiter
 * go on and is then not set any more.
 *
 * Lies where its owner wants it; must stay while anybody waits for it or sets it.
 */
struct kcoro_event {
	struct kcoro_wait *added;	/* newest first, or KCORO_EVENT_SET */
	struct list_head waits;		/* before them, oldest first; under the lock */
	raw_spinlock_t lock;
	bool pulse;
	s64 value;
	/* Set where the lock can't be taken: see kcoro_event_set(). */
	struct kcoro_item later;
	unsigned long pending;
	s64 later_value;
};

/* In place of waits: it is set, and nobody waits. */
#define KCORO_EVENT_SET ((struct kcoro_wait *)1)

/**
 * kcoro_event_init() - make an event that is not set
 * @event: the event
 * @pulse: one waiter goes on for each time it is set; else all, until it is reset
 *
 * Context: any.
 */
void kcoro_event_init(struct kcoro_event *event, bool pulse);

/**
 * kcoro_event_set_value() - it has happened
 * @event: the event; one that is set already only gets the value
 * @value: what waiters are given, 0 or more
 *
 * Wakes; bodies run where and when their executors see to it. From NMI it is set a
 * moment later, by an irq_work; so an event that is set there must stay until
 * kcoro_event_flush() returned.
 * Context: any, NMI included.
 */
void kcoro_event_set_value(struct kcoro_event *event, s64 value);

/* The same with 0. */
static inline void kcoro_event_set(struct kcoro_event *event)
{
	kcoro_event_set_value(event, 0);
}

/**
 * kcoro_event_set_here() - it has happened, and who waited on this CPU runs now
 * @event: the event
 * @value: what waiters are given, 0 or more
 *
 * As kcoro_coro_start_here(). Who waits and has its home on another CPU, or has another
 * executor, is run there.
 * Context: task or softirq level, interrupts on, no lock held.
 */
void kcoro_event_set_here(struct kcoro_event *event, s64 value);

/**
 * kcoro_event_reset() - it has not happened any more
 * @event: the event
 *
 * Context: any but NMI. Return: whether it was set.
 */
bool kcoro_event_reset(struct kcoro_event *event);

/**
 * kcoro_event_flush() - wait for what was set from NMI
 * @event: the event
 *
 * Context: process context, may sleep.
 */
void kcoro_event_flush(struct kcoro_event *event);

/**
 * kcoro_event_await_timeout() - wait until it is set
 * @co: the calling coroutine
 * @event: the event
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Context: a body. Return: the value, or see the top.
 */
long kcoro_event_await_timeout(struct kcoro_coro *co, struct kcoro_event *event,
			       struct kcoro_timer *timer, u64 timeout_ns);

/* The same without a timeout. */
static inline long kcoro_event_await(struct kcoro_coro *co, struct kcoro_event *event)
{
	return kcoro_event_await_timeout(co, event, NULL, 0);
}

/* Channels. */

/**
 * struct kcoro_channel - a queue of values, with many senders and receivers
 *
 * First in, first out, for values and for those who wait. With a capacity of 0 a sender
 * waits for its receiver: a rendezvous.
 *
 * Lies where its owner wants it; must stay while anybody uses it.
 */
struct kcoro_channel {
	raw_spinlock_t lock;
	u32 capacity;
	u32 head;
	u32 count;
	bool closed;
	struct list_head senders;
	struct list_head receivers;
	s64 *slots;
};

/**
 * kcoro_channel_init() - make an empty channel
 * @ch: the channel
 * @slots: room for @capacity values, the owner's; NULL for capacity 0
 * @capacity: values that wait in it
 *
 * Context: any.
 */
void kcoro_channel_init(struct kcoro_channel *ch, s64 *slots, u32 capacity);

/**
 * kcoro_channel_send_await() - put a value in, and wait for room if need be
 * @co: the calling coroutine
 * @ch: the channel
 * @value: a number, or a pointer as one
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Context: a body. Return: 0; -EPIPE: the channel is closed; or see the top, and then
 * the value was not taken.
 */
long kcoro_channel_send_await(struct kcoro_coro *co, struct kcoro_channel *ch, s64 value,
			      struct kcoro_timer *timer, u64 timeout_ns);

/**
 * kcoro_channel_receive_await() - take the oldest value, and wait for one if need be
 * @co: the calling coroutine
 * @ch: the channel
 * @value: where to; in the frame or a local that is used before the next await
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Context: a body. Return: 0; -EPIPE: the channel is closed and empty; or see the top.
 */
long kcoro_channel_receive_await(struct kcoro_coro *co, struct kcoro_channel *ch, s64 *value,
				 struct kcoro_timer *timer, u64 timeout_ns);

/**
 * kcoro_channel_send() - put a value in, from anywhere
 * @ch: the channel
 * @value: the value
 *
 * Context: any; in NMI -EAGAIN when the channel's lock is taken.
 * Return: 0; -EAGAIN: no room, and nobody who receives; -EPIPE: closed.
 */
int kcoro_channel_send(struct kcoro_channel *ch, s64 value);

/**
 * kcoro_channel_receive() - take the oldest value, from anywhere
 * @ch: the channel
 * @value: where to
 *
 * Context: any; in NMI -EAGAIN when the channel's lock is taken.
 * Return: 0; -EAGAIN: there is none; -EPIPE: closed and empty.
 */
int kcoro_channel_receive(struct kcoro_channel *ch, s64 *value);

/**
 * kcoro_channel_close() - no more values
 * @ch: the channel
 *
 * Senders that wait, and those to come, get -EPIPE; receivers when it is empty.
 * Context: any but NMI.
 */
void kcoro_channel_close(struct kcoro_channel *ch);

/* Coroutines. */

/**
 * kcoro_coro_join() - wait until another coroutine has finished
 * @co: the calling coroutine
 * @other: whom it waits for; @co has a reference, and keeps it
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Any number can wait for one. When the only one that waits is cancelled, killed, or
 * meets its scope's deadline, that is passed on to @other, and the wait goes on until
 * @other has ended of it; otherwise the wait ends. A timeout leaves @other alone.
 * What the result is says kcoro_coro_result(), what became of it kcoro_coro_status().
 *
 * Context: a body. Return: 0: it has finished; or see the top.
 */
long kcoro_coro_join(struct kcoro_coro *co, struct kcoro_coro *other,
		     struct kcoro_timer *timer, u64 timeout_ns);

/* Groups: some, any or all of several. */

/**
 * struct kcoro_group - several waits of one coroutine; lies in its frame
 *
 * Begin it, add what is to be waited for, and await it. A wake costs the same however
 * many members there are.
 */
struct kcoro_group {
	struct kcoro_coro *co;
	unsigned long ready;		/* bit per member: what was awaited is there */
	atomic_t left;			/* members to be ready until the wait is over */
	u32 count;
};

/* Most members of a group. A group more is a coroutine more. */
#define KCORO_GROUP_MAX 64

/* A member; lies in the frame. What it gave is @wait.value. */
struct kcoro_member {
	struct kcoro_wait wait;
	void *source;
};

/**
 * kcoro_group_begin() - an empty group
 * @group: in the frame of the caller
 * @co: the calling coroutine
 * @some: the wait is over when so many members are ready; 1: any; as many as are
 *	added: all
 *
 * Context: a body.
 */
void kcoro_group_begin(struct kcoro_group *group, struct kcoro_coro *co, u32 some);

/**
 * kcoro_group_add_event() - wait for an event, too
 * @group: begun by the calling body
 * @member: in its frame, in no group
 * @event: the event
 *
 * Members are numbered in the order of their addition, from 0. Between the first
 * addition and the end of kcoro_group_await() the body must await nothing else.
 * Context: a body. Return: 0, or -ENOSPC: there are KCORO_GROUP_MAX.
 */
int kcoro_group_add_event(struct kcoro_group *group, struct kcoro_member *member,
			  struct kcoro_event *event);

/* The same for a value from a channel: @member->wait.value; -EPIPE when closed, then. */
int kcoro_group_add_receive(struct kcoro_group *group, struct kcoro_member *member,
			    struct kcoro_channel *ch);

/* The same for room in a channel, where @value then is; @member->wait.value: 0, -EPIPE. */
int kcoro_group_add_send(struct kcoro_group *group, struct kcoro_member *member,
			 struct kcoro_channel *ch, s64 value);

/* The same for the end of a coroutine, to which the caller has a reference. */
int kcoro_group_add_join(struct kcoro_group *group, struct kcoro_member *member,
			 struct kcoro_coro *other);

/* The same for a time that passes. */
int kcoro_group_add_timer(struct kcoro_group *group, struct kcoro_member *member,
			  struct kcoro_timer *timer, u64 ns);

/**
 * kcoro_group_await() - wait until enough members are ready
 * @co: the calling coroutine
 * @group: with its members
 * @members: all of them, as an array in the order of their addition
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * When it is over nobody is waited for any more, whatever the return is, and
 * @group->ready says which members were ready, with a bit for each. A stop is passed on
 * to coroutines that are joined, as kcoro_coro_join() does, and not waited for.
 *
 * Context: a body. Return: how many were ready, or see the top.
 */
long kcoro_group_await(struct kcoro_coro *co, struct kcoro_group *group,
		       struct kcoro_member *members, struct kcoro_timer *timer, u64 timeout_ns);

/* The kernel's wait queues. */

/* A wait at a wait queue; lies in the frame, zeroed at first. */
struct kcoro_queue_wait {
	struct wait_queue_entry entry;
	struct wait_queue_head *head;	/* NULL: not on it; POLLFREE came, or never was */
	struct kcoro_coro *co;
	bool fired;
};

/**
 * kcoro_queue_prepare() - get onto a wait queue, before the condition is tested
 * @co: the calling coroutine
 * @wait: in its frame
 * @head: the queue; must stay, or be woken with POLLFREE and go a grace period later
 *
 * Context: a body.
 */
void kcoro_queue_prepare(struct kcoro_coro *co, struct kcoro_queue_wait *wait,
			 struct wait_queue_head *head);

/**
 * kcoro_queue_finish() - get off it
 * @wait: in the frame
 *
 * Context: a body.
 */
void kcoro_queue_finish(struct kcoro_queue_wait *wait);

/**
 * kcoro_queue_await() - wait until the queue is woken, once
 * @co: the calling coroutine
 * @wait: prepared; off the queue when this returns anything but KCORO_WAIT
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Context: a body. Return: 0; -ENOENT: the queue is gone (POLLFREE); or see the top.
 */
long kcoro_queue_await(struct kcoro_coro *co, struct kcoro_queue_wait *wait,
		       struct kcoro_timer *timer, u64 timeout_ns);

/**
 * KCORO_WAIT_EVENT() - wait_event() for a body
 * @result: a variable: 0, or see the top
 * @co: the calling coroutine
 * @wait: struct kcoro_queue_wait in its frame
 * @head: the wait queue
 * @condition: tested before each wait
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds, for each wait
 */
#define KCORO_WAIT_EVENT(result, co, wait, head, condition, timer, timeout_ns)	\
	do {									\
		(result) = 0;							\
		for (;;) {							\
			kcoro_queue_prepare(co, wait, head);			\
			if (condition) {					\
				kcoro_queue_finish(wait);			\
				break;						\
			}							\
			KCORO_AWAIT(result, kcoro_queue_await(co, wait, timer,	\
							      timeout_ns));	\
			if (result)						\
				break;						\
		}								\
	} while (0)

/* Functions that a worker runs. */

/* A call; lies in the frame, zeroed at first. */
struct kcoro_call {
	struct work_struct work;
	long (*fn)(void *arg);
	void *arg;
	struct kcoro_coro *co;
	long result;
	u8 state;
	bool stop;			/* these two: for kcoro_completion_await() */
	struct completion *completion;
};

/**
 * kcoro_call_await() - have a function run where it may sleep, and wait for its result
 * @co: the calling coroutine
 * @call: in its frame
 * @fn: the function; called once, in a kernel thread
 * @arg: for it
 *
 * A function that runs can't be stopped: a cancel or kill takes effect when it has
 * returned.
 * Context: a body. Return: what @fn returned.
 */
long kcoro_call_await(struct kcoro_coro *co, struct kcoro_call *call, long (*fn)(void *arg),
		      void *arg);

/**
 * kcoro_completion_await() - wait for a completion of the kernel
 * @co: the calling coroutine
 * @call: in its frame
 * @completion: the completion
 *
 * A completion wakes tasks, and calls nobody: so a kernel thread waits for it meanwhile.
 * Where there is a choice use an event. A stop takes effect within a tenth of a second.
 * Context: a body. Return: 0, or see the top.
 */
long kcoro_completion_await(struct kcoro_coro *co, struct kcoro_call *call,
			    struct completion *completion);

#endif /* KCORO_AWAIT_H */
