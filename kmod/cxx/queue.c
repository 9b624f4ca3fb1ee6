// SPDX-License-Identifier: GPL-2.0-only
/*
 * queue.c - a C++ coroutine at one of the kernel's wait queues; ../coro/queue_wait.c is the same
 * for bodies in C, and says who keeps a queue.
 *
 * The callback runs under the queue's lock: off the list, and the wait fires, as the last touch.
 * @head becomes NULL before that when the queue goes (POLLFREE): who leaves reads it under RCU.
 *
 * Contexts: a step of the coroutine; the callback: whatever wakes the queue, but NMI.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>

#include "../coro/wait.h"
#include "cxx.h"

struct cxx_queue_wait {
	struct wait_queue_entry entry;
	struct wait_queue_head *head;
	struct kcoro_wait *wait;
};

static_assert(sizeof(struct cxx_queue_wait) <= KCORO_CXX_QUEUE_ROOM);

static int queue_woken(struct wait_queue_entry *entry, unsigned int mode, int sync, void *key)
{
	struct cxx_queue_wait *at = container_of(entry, struct cxx_queue_wait, entry);
	u8 flags = 0;

	list_del_init(&entry->entry);
	if (key_to_poll(key) & POLLFREE) {
		/* Pairs with the acquire of who leaves, and does not take the lock then. */
		smp_store_release(&at->head, NULL);
		flags = KCORO_WAIT_BROKEN;
	}
	kcoro_wait_fire(at->wait, 0, flags);
	return 1;
}

void kcoro_cxx_queue_wait(struct wait_queue_head *head, void *room, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);
	struct cxx_queue_wait *at = room;

	init_waitqueue_func_entry(&at->entry, queue_woken);
	at->head = head;
	at->wait = wait;
	kcoro_wait_arm_aimed(wait, KCORO_WAIT_QUEUE);
	kcoro_cxx_waits(wait);
	add_wait_queue(head, &at->entry);
	/* Before the condition is read: who wakes may look for waiters without the lock. */
	smp_mb();
}
EXPORT_SYMBOL_GPL(kcoro_cxx_queue_wait);

int kcoro_cxx_queue_leave(void *room, struct kcoro_cxx_wait *cxx)
{
	struct cxx_queue_wait *at = room;
	struct wait_queue_head *head;
	unsigned long flags;
	bool left = false;

	rcu_read_lock();
	/* Pairs with the callback's release: gone, or there until we are out of here. */
	head = smp_load_acquire(&at->head);
	if (head) {
		spin_lock_irqsave(&head->lock, flags);
		left = !list_empty(&at->entry.entry);
		if (left)
			list_del_init(&at->entry.entry);
		spin_unlock_irqrestore(&head->lock, flags);
	}
	rcu_read_unlock();
	return kcoro_cxx_left(kcoro_cxx_wait_of(cxx), left);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_queue_leave);
