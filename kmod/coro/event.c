// SPDX-License-Identifier: GPL-2.0-only
/*
 * event.c - something that happens.
 *
 * Contexts: set: any, NMI included; reset: any but NMI; await: a body. The event's lock
 * protects all of it but @pending and @later_value, which are handed from NMI to the
 * irq_work by the bit in @pending.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "../trace/trace.h"
#include "wait.h"

static void set(struct kcoro_event *event, s64 value, enum kcoro_add how)
{
	struct kcoro_wait *wait, *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&event->lock, flags);
	event->value = value;
	event->set = !event->pulse || list_empty(&event->waits);
	list_for_each_entry_safe(wait, next, &event->waits, link) {
		list_del(&wait->link);
		kcoro_wait_fire(wait, value, 0, how);
		if (event->pulse)
			break;
	}
	raw_spin_unlock_irqrestore(&event->lock, flags);
}

static void set_later(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct kcoro_event *event = container_of(item, struct kcoro_event, later);

	set(event, READ_ONCE(event->later_value), KCORO_ADD_KICK);
	/* The last touch: kcoro_event_flush() waits for it. */
	clear_bit_unlock(0, &event->pending);
}

void kcoro_event_init(struct kcoro_event *event, bool pulse)
{
	raw_spin_lock_init(&event->lock);
	INIT_LIST_HEAD(&event->waits);
	event->set = false;
	event->pulse = pulse;
	event->value = 0;
	event->later.run = set_later;
	event->pending = 0;
}
EXPORT_SYMBOL_GPL(kcoro_event_init);

void kcoro_event_set_value(struct kcoro_event *event, s64 value)
{
	if (likely(!in_nmi())) {
		set(event, value, KCORO_ADD_KICK);
		return;
	}
	WRITE_ONCE(event->later_value, value);
	if (!test_and_set_bit(0, &event->pending))
		kcoro_later_add(&event->later);
}
EXPORT_SYMBOL_GPL(kcoro_event_set_value);

void kcoro_event_set_here(struct kcoro_event *event, s64 value)
{
	local_bh_disable();
	set(event, value, KCORO_ADD_HERE);
	kcoro_sched_run_here();
	local_bh_enable();
}
EXPORT_SYMBOL_GPL(kcoro_event_set_here);

bool kcoro_event_reset(struct kcoro_event *event)
{
	unsigned long flags;
	bool was;

	raw_spin_lock_irqsave(&event->lock, flags);
	was = event->set;
	event->set = false;
	raw_spin_unlock_irqrestore(&event->lock, flags);
	return was;
}
EXPORT_SYMBOL_GPL(kcoro_event_reset);

void kcoro_event_flush(struct kcoro_event *event)
{
	/* Pairs with clear_bit_unlock(). */
	while (smp_load_acquire(&event->pending))
		usleep_range(10, 100);
}
EXPORT_SYMBOL_GPL(kcoro_event_flush);

/* Under the lock: is it set? Takes it, if it is one that lets one go on. */
static bool take(struct kcoro_event *event)
{
	if (!event->set)
		return false;
	event->set = !event->pulse;
	return true;
}

long kcoro_event_await_timeout(struct kcoro_coro *co, struct kcoro_event *event,
			       struct kcoro_timer *timer, u64 timeout_ns)
{
	unsigned long flags;
	s64 value;
	bool taken;
	long err;

	if (co->wait.state != KCORO_WAIT_IDLE) {
		err = kcoro_wait_poll(co, &event->lock, timer);
		return err ?: co->wait.value;
	}
	err = kcoro_stop_tell(co);
	if (err)
		return err;
	raw_spin_lock_irqsave(&event->lock, flags);
	taken = take(event);
	value = event->value;
	if (!taken) {
		list_add_tail(&co->wait.link, &event->waits);
		kcoro_wait_arm(&co->wait, co, KCORO_WAIT_EVENT);
	}
	raw_spin_unlock_irqrestore(&event->lock, flags);
	if (taken)
		return value;
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_event_await_timeout);

int kcoro_group_add_event(struct kcoro_group *group, struct kcoro_member *member,
			  struct kcoro_event *event)
{
	unsigned long flags;
	int err = kcoro_group_add(group, member, event, KCORO_WAIT_EVENT);

	if (err)
		return err;
	raw_spin_lock_irqsave(&event->lock, flags);
	list_add_tail(&member->wait.link, &event->waits);
	if (take(event)) {
		list_del(&member->wait.link);
		kcoro_wait_fire(&member->wait, event->value, 0, KCORO_ADD_KICK);
	}
	raw_spin_unlock_irqrestore(&event->lock, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_group_add_event);
