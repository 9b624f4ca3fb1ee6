// SPDX-License-Identifier: GPL-2.0-only
/*
 * event.c - something that happens.
 *
 * Who waits is pushed onto @added without a lock. Who sets, resets or gives up has the
 * lock, under which @added is moved to @waits, oldest first. KCORO_EVENT_SET stands in
 * @added only while nobody waits; it is put there under the lock, and an await may take
 * it away where each set lets one go on (@pulse).
 *
 * Contexts: set: any, NMI included; reset: any but NMI; await: a body. @pending and
 * @later_value are handed from NMI to the irq_work by the bit in @pending.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "wait.h"

/**
 * kcoro_event_take_added() - those that were added go behind those that wait
 * @event: locked
 */
void kcoro_event_take_added(struct kcoro_event *event)
{
	struct kcoro_wait *wait = READ_ONCE(event->added), *next;
	struct list_head newest_last;

	if (!wait || wait == KCORO_EVENT_SET)
		return;
	INIT_LIST_HEAD(&newest_last);
	for (wait = xchg(&event->added, NULL); wait; wait = next) {
		next = wait->next;
		list_add(&wait->link, &newest_last);
	}
	list_splice_tail(&newest_last, &event->waits);
}

static void fire_first(struct kcoro_event *event)
{
	struct kcoro_wait *wait = list_first_entry(&event->waits, struct kcoro_wait, link);

	kcoro_link_del(&wait->link);
	kcoro_wait_fire(wait, event->value, 0);
}

/* Under the lock: one goes on, or the next one that comes. */
static void set_pulse(struct kcoro_event *event)
{
	struct kcoro_wait *wait = NULL;

	for (;;) {
		if (!list_empty(&event->waits)) {
			fire_first(event);
			return;
		}
		wait = READ_ONCE(event->added);
		if (!wait && try_cmpxchg(&event->added, &wait, KCORO_EVENT_SET))
			return;
		if (wait == KCORO_EVENT_SET)
			return;
		/* A single one, as mostly: no list is needed. */
		if (!wait->next && try_cmpxchg(&event->added, &wait, NULL)) {
			kcoro_wait_fire(wait, event->value, 0);
			return;
		}
		kcoro_event_take_added(event);
	}
}

/* Under the lock: all go on, and all that come. */
static void set_all(struct kcoro_event *event)
{
	struct kcoro_wait *wait = xchg(&event->added, KCORO_EVENT_SET), *next;

	while (unlikely(!list_empty(&event->waits)))
		fire_first(event);
	if (wait == KCORO_EVENT_SET)
		return;
	for (; wait; wait = next) {
		next = wait->next;
		kcoro_wait_fire(wait, event->value, 0);
	}
}

static void set(struct kcoro_event *event, s64 value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&event->lock, flags);
	WRITE_ONCE(event->value, value);
	if (event->pulse)
		set_pulse(event);
	else
		set_all(event);
	raw_spin_unlock_irqrestore(&event->lock, flags);
}

static void set_later(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct kcoro_event *event = container_of(item, struct kcoro_event, later);

	set(event, READ_ONCE(event->later_value));
	/* The last touch: kcoro_event_flush() waits for it. */
	clear_bit_unlock(0, &event->pending);
}

void kcoro_event_init(struct kcoro_event *event, bool pulse)
{
	raw_spin_lock_init(&event->lock);
	INIT_LIST_HEAD(&event->waits);
	event->added = NULL;
	event->pulse = pulse;
	event->value = 0;
	event->later.run = set_later;
	event->pending = 0;
}
EXPORT_SYMBOL_GPL(kcoro_event_init);

void kcoro_event_set_value(struct kcoro_event *event, s64 value)
{
	if (likely(!in_nmi())) {
		set(event, value);
		return;
	}
	WRITE_ONCE(event->later_value, value);
	if (!test_and_set_bit(0, &event->pending))
		kcoro_later_add(&event->later);
}
EXPORT_SYMBOL_GPL(kcoro_event_set_value);

void kcoro_event_set_here(struct kcoro_event *event, s64 value)
{
	struct kcoro_queue *q = kcoro_sched_begin_here();

	set(event, value);
	kcoro_sched_end_here(q);
}
EXPORT_SYMBOL_GPL(kcoro_event_set_here);

bool kcoro_event_reset(struct kcoro_event *event)
{
	unsigned long flags;
	bool was;

	raw_spin_lock_irqsave(&event->lock, flags);
	was = cmpxchg(&event->added, KCORO_EVENT_SET, NULL) == KCORO_EVENT_SET;
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

long kcoro_event_await_timeout(struct kcoro_coro *co, struct kcoro_event *event,
			       struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	if (co->wait.state != KCORO_WAIT_IDLE) {
		err = kcoro_wait_poll(co, event, timer);
		return err ?: co->wait.value;
	}
	err = kcoro_stop_tell(co);
	if (err)
		return err;
	kcoro_wait_arm(&co->wait, co, KCORO_WAIT_EVENT);
	if (kcoro_event_push(event, &co->wait)) {
		kcoro_wait_end(co, NULL);
		return READ_ONCE(event->value);
	}
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_event_await_timeout);

int kcoro_group_add_event(struct kcoro_group *group, struct kcoro_member *member,
			  struct kcoro_event *event)
{
	int err = kcoro_group_add(group, member, event, KCORO_WAIT_EVENT);

	if (err)
		return err;
	if (kcoro_event_push(event, &member->wait))
		kcoro_wait_fire(&member->wait, READ_ONCE(event->value), 0);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_group_add_event);
