// SPDX-License-Identifier: GPL-2.0-only
/*
 * queue_wait.c - a coroutine at one of the kernel's wait queues.
 *
 * The queue's lock protects the entry. Our callback runs under it: off the list, wake,
 * and @fired as the last touch, with release. A queue that goes while somebody is on it
 * wakes with POLLFREE and stays for a grace period: then @head becomes NULL as the last
 * touch, and whoever wants the lock reads @head under RCU (as fs/aio.c does).
 *
 * Contexts: a body; the callback: whatever wakes the queue, but NMI.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>

#include "wait.h"

static int queue_woken(struct wait_queue_entry *entry, unsigned int mode, int sync, void *key)
{
	struct kcoro_queue_wait *wait = container_of(entry, struct kcoro_queue_wait, entry);
	struct kcoro_coro *co = wait->co;

	list_del_init(&entry->entry);
	trace_kcoro_coro_wake(co);
	kcoro_coro_notify(co, 0);
	/* The last touch, whichever: the frame may go with it. */
	if (key_to_poll(key) & POLLFREE) {
		/* Pairs with the acquire in leave(), which does not take the lock then. */
		smp_store_release(&wait->head, NULL);
	} else {
		/* As above; who takes the lock in leave() sees it anyway. */
		smp_store_release(&wait->fired, true);
	}
	return 1;
}

void kcoro_queue_prepare(struct kcoro_coro *co, struct kcoro_queue_wait *wait,
			 struct wait_queue_head *head)
{
	if (wait->head)
		return;
	init_waitqueue_func_entry(&wait->entry, queue_woken);
	wait->co = co;
	wait->fired = false;
	wait->head = head;
	add_wait_queue(head, &wait->entry);
	/* Before the condition is read: who wakes may look for waiters without the lock. */
	smp_mb();
}
EXPORT_SYMBOL_GPL(kcoro_queue_prepare);

/* Off the queue, if @also says so or it was woken. Returns whether it is off. */
static bool leave(struct kcoro_queue_wait *wait, bool also)
{
	struct wait_queue_head *head;
	unsigned long flags;
	bool off = true;

	rcu_read_lock();
	/* Pairs with the callback's release: gone, or there until we are out of here. */
	head = smp_load_acquire(&wait->head);
	if (head) {
		spin_lock_irqsave(&head->lock, flags);
		if (!list_empty(&wait->entry.entry)) {
			off = also;
			if (also)
				list_del_init(&wait->entry.entry);
		}
		spin_unlock_irqrestore(&head->lock, flags);
	}
	rcu_read_unlock();
	return off;
}

void kcoro_queue_finish(struct kcoro_queue_wait *wait)
{
	leave(wait, true);
	wait->head = NULL;
}
EXPORT_SYMBOL_GPL(kcoro_queue_finish);

long kcoro_queue_await(struct kcoro_coro *co, struct kcoro_queue_wait *wait,
		       struct kcoro_timer *timer, u64 timeout_ns)
{
	long why = 0;

	if (co->wait.state == KCORO_WAIT_IDLE) {
		why = kcoro_stop_tell(co);
		if (why) {
			kcoro_queue_finish(wait);
			return why;
		}
		co->wait.kind = KCORO_WAIT_QUEUE;
		co->wait.since = jiffies;
		co->wait.state = KCORO_WAIT_ARMED;
		kcoro_wait_begin(co, timer, timeout_ns);
		/* It may have been woken since it got onto the queue: that wake is ours. */
		if (!leave(wait, false))
			return KCORO_WAIT;
	} else if (!leave(wait, false)) {
		why = kcoro_timer_is_over(timer) ? -ETIMEDOUT : kcoro_stop_tell(co);
		if (!why)
			return KCORO_WAIT;
		/* Woken in the last moment? Then that counts. */
		kcoro_queue_finish(wait);
		if (wait->fired)
			why = 0;
	}
	if (!why && !wait->fired)
		why = -ENOENT;
	wait->head = NULL;
	kcoro_wait_end(co, timer);
	return why;
}
EXPORT_SYMBOL_GPL(kcoro_queue_await);
