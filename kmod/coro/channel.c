// SPDX-License-Identifier: GPL-2.0-only
/*
 * channel.c - values from many senders to many receivers, in order.
 *
 * Contexts: send, receive: any, from NMI only when the lock is free; close: any but NMI;
 * the awaits: a body. The channel's lock protects all of it. Under it, always:
 *
 *	receivers wait  =>  no value and no sender waits
 *	senders wait    =>  count = capacity
 */
#include <linux/module.h>

#include "wait.h"

static struct kcoro_wait *take_first(struct list_head *waits)
{
	struct kcoro_wait *wait = list_first_entry_or_null(waits, struct kcoro_wait, link);

	if (wait)
		kcoro_link_del(&wait->link);
	return wait;
}

static void put_slot(struct kcoro_channel *ch, s64 value)
{
	u32 at = ch->head + ch->count;

	if (at >= ch->capacity)
		at -= ch->capacity;
	ch->slots[at] = value;
	ch->count++;
}

/* Under the lock. */
static int send(struct kcoro_channel *ch, s64 value)
{
	struct kcoro_wait *wait;

	if (ch->closed)
		return -EPIPE;
	wait = take_first(&ch->receivers);
	if (wait) {
		kcoro_wait_fire(wait, value, 0);
		return 0;
	}
	if (ch->count == ch->capacity)
		return -EAGAIN;
	put_slot(ch, value);
	return 0;
}

/* Under the lock. */
static int receive(struct kcoro_channel *ch, s64 *value)
{
	struct kcoro_wait *wait;

	if (ch->count) {
		*value = ch->slots[ch->head];
		ch->head = ch->head + 1 == ch->capacity ? 0 : ch->head + 1;
		ch->count--;
		wait = take_first(&ch->senders);
		if (wait)
			put_slot(ch, wait->value);
	} else {
		wait = take_first(&ch->senders);
		if (!wait)
			return ch->closed ? -EPIPE : -EAGAIN;
		*value = wait->value;
	}
	if (wait)
		kcoro_wait_fire(wait, 0, 0);
	return 0;
}

void kcoro_channel_init(struct kcoro_channel *ch, s64 *slots, u32 capacity)
{
	raw_spin_lock_init(&ch->lock);
	INIT_LIST_HEAD(&ch->senders);
	INIT_LIST_HEAD(&ch->receivers);
	ch->slots = slots;
	ch->capacity = capacity;
	ch->head = 0;
	ch->count = 0;
	ch->closed = false;
}
EXPORT_SYMBOL_GPL(kcoro_channel_init);

/* In NMI the lock may be this CPU's already. */
static int send_in_nmi(struct kcoro_channel *ch, s64 value)
{
	unsigned long flags;
	int err;

	if (!raw_spin_trylock_irqsave(&ch->lock, flags))
		return -EAGAIN;
	err = send(ch, value);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return err;
}

static int receive_in_nmi(struct kcoro_channel *ch, s64 *value)
{
	unsigned long flags;
	int err;

	if (!raw_spin_trylock_irqsave(&ch->lock, flags))
		return -EAGAIN;
	err = receive(ch, value);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return err;
}

int kcoro_channel_send(struct kcoro_channel *ch, s64 value)
{
	unsigned long flags;
	int err;

	if (unlikely(in_nmi()))
		return send_in_nmi(ch, value);
	raw_spin_lock_irqsave(&ch->lock, flags);
	err = send(ch, value);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return err;
}
EXPORT_SYMBOL_GPL(kcoro_channel_send);

int kcoro_channel_receive(struct kcoro_channel *ch, s64 *value)
{
	unsigned long flags;
	int err;

	if (unlikely(in_nmi()))
		return receive_in_nmi(ch, value);
	raw_spin_lock_irqsave(&ch->lock, flags);
	err = receive(ch, value);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return err;
}
EXPORT_SYMBOL_GPL(kcoro_channel_receive);

void kcoro_channel_close(struct kcoro_channel *ch)
{
	struct kcoro_wait *wait;
	unsigned long flags;

	raw_spin_lock_irqsave(&ch->lock, flags);
	ch->closed = true;
	while ((wait = take_first(&ch->senders)))
		kcoro_wait_fire(wait, 0, KCORO_WAIT_BROKEN);
	while ((wait = take_first(&ch->receivers)))
		kcoro_wait_fire(wait, 0, KCORO_WAIT_BROKEN);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
}
EXPORT_SYMBOL_GPL(kcoro_channel_close);

/* The wait is over: did it get what it waited for? */
static long poll(struct kcoro_coro *co, struct kcoro_channel *ch, struct kcoro_timer *timer)
{
	long err = kcoro_wait_poll(co, ch, timer);

	if (!err && co->wait.flags & KCORO_WAIT_BROKEN)
		return -EPIPE;
	return err;
}

static __always_inline int put_or_wait(struct kcoro_channel *ch, struct kcoro_wait *wait,
				       s64 value)
{
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&ch->lock, flags);
	err = send(ch, value);
	if (err == -EAGAIN) {
		wait->value = value;
		kcoro_link_add(&wait->link, &ch->senders);
		kcoro_wait_arm_aimed(wait, KCORO_WAIT_SEND);
	}
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return err;
}

static __always_inline int take_or_wait(struct kcoro_channel *ch, struct kcoro_wait *wait,
					s64 *value)
{
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&ch->lock, flags);
	err = receive(ch, value);
	if (err == -EAGAIN) {
		kcoro_link_add(&wait->link, &ch->receivers);
		kcoro_wait_arm_aimed(wait, KCORO_WAIT_RECEIVE);
	}
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return err;
}

/* For fronts; a value that was there is in @wait->value. */
int kcoro_channel_take_or_wait(struct kcoro_channel *ch, struct kcoro_wait *wait)
{
	return take_or_wait(ch, wait, &wait->value);
}

int kcoro_channel_put_or_wait(struct kcoro_channel *ch, struct kcoro_wait *wait, s64 value)
{
	return put_or_wait(ch, wait, value);
}

long kcoro_channel_send_await(struct kcoro_coro *co, struct kcoro_channel *ch, s64 value,
			      struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	if (co->wait.state != KCORO_WAIT_IDLE)
		return poll(co, ch, timer);
	err = kcoro_stop_tell(co);
	if (err)
		return err;
	kcoro_wait_aim(&co->wait, co);
	err = put_or_wait(ch, &co->wait, value);
	if (err != -EAGAIN)
		return err;
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_channel_send_await);

long kcoro_channel_receive_await(struct kcoro_coro *co, struct kcoro_channel *ch, s64 *value,
				 struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	if (co->wait.state != KCORO_WAIT_IDLE) {
		err = poll(co, ch, timer);
		if (!err)
			*value = co->wait.value;
		return err;
	}
	err = kcoro_stop_tell(co);
	if (err)
		return err;
	kcoro_wait_aim(&co->wait, co);
	err = take_or_wait(ch, &co->wait, value);
	if (err != -EAGAIN)
		return err;
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_channel_receive_await);

int kcoro_group_add_send(struct kcoro_group *group, struct kcoro_member *member,
			 struct kcoro_channel *ch, s64 value)
{
	int err = kcoro_group_add(group, member, ch, KCORO_WAIT_SEND);
	unsigned long flags;

	if (err)
		return err;
	raw_spin_lock_irqsave(&ch->lock, flags);
	err = send(ch, value);
	member->wait.value = value;
	if (err == -EAGAIN)
		kcoro_link_add(&member->wait.link, &ch->senders);
	else
		kcoro_wait_fire(&member->wait, err, err ? KCORO_WAIT_BROKEN : 0);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_group_add_send);

int kcoro_group_add_receive(struct kcoro_group *group, struct kcoro_member *member,
			    struct kcoro_channel *ch)
{
	int err = kcoro_group_add(group, member, ch, KCORO_WAIT_RECEIVE);
	unsigned long flags;
	s64 value = 0;

	if (err)
		return err;
	raw_spin_lock_irqsave(&ch->lock, flags);
	err = receive(ch, &value);
	if (err == -EAGAIN)
		kcoro_link_add(&member->wait.link, &ch->receivers);
	else
		kcoro_wait_fire(&member->wait, value, err ? KCORO_WAIT_BROKEN : 0);
	raw_spin_unlock_irqrestore(&ch->lock, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_group_add_receive);
