// SPDX-License-Identifier: GPL-2.0-only
/*
 * join.c - a coroutine awaits another one; a stop goes down this way to the leaf.
 *
 * Contexts: a body's await. The other's lock protects its joiners; the change to
 * FINISHED is made under it (coroutine.c).
 */
#include <linux/module.h>

#include "wait.h"

/* Under the lock: on the list, unless it has finished. */
static bool join(struct kcoro_coro *other, struct kcoro_wait *wait)
{
	if (atomic_read(&other->state) & KCORO_STATE_FINISHED)
		return false;
	hlist_add_head(&wait->hlink, &other->joiners);
	return true;
}

/* Nobody else waits for it: then a stop of who waits is one of it, too. */
bool kcoro_join_is_only(struct kcoro_coro *other, struct kcoro_wait *wait)
{
	unsigned long flags;
	bool only;

	raw_spin_lock_irqsave(&other->lock, flags);
	only = other->joiners.first == &wait->hlink && !wait->hlink.next;
	raw_spin_unlock_irqrestore(&other->lock, flags);
	return only;
}

/**
 * kcoro_join_pass_on() - hand a stop down
 * @co: who waits, and is asked to end
 * @other: for whom
 * @wait: with what
 *
 * Return: true: @other was asked, and will end of it.
 */
bool kcoro_join_pass_on(struct kcoro_coro *co, struct kcoro_coro *other, struct kcoro_wait *wait)
{
	u32 stop = atomic_read(&co->state) & KCORO_STATE_STOP;

	if (!stop || !kcoro_join_is_only(other, wait))
		return false;
	/* Once for each bit: a wake too many is harmless, but not free. */
	if (stop & ~atomic_read(&other->state))
		kcoro_stop_ask(other, stop);
	return true;
}

bool kcoro_join_or_wait(struct kcoro_coro *other, struct kcoro_wait *wait)
{
	unsigned long flags;
	bool waits;

	raw_spin_lock_irqsave(&other->lock, flags);
	waits = join(other, wait);
	if (waits)
		kcoro_wait_arm_aimed(wait, KCORO_WAIT_JOIN);
	raw_spin_unlock_irqrestore(&other->lock, flags);
	return waits;
}

long kcoro_coro_join(struct kcoro_coro *co, struct kcoro_coro *other,
		     struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	if (co->wait.state != KCORO_WAIT_IDLE) {
		/* Pairs with the release in kcoro_wait_fire(). */
		if (smp_load_acquire(&co->wait.state) == KCORO_WAIT_ARMED &&
		    !kcoro_timer_is_over(timer) && kcoro_join_pass_on(co, other, &co->wait))
			return KCORO_WAIT;
		return kcoro_wait_poll(co, other, timer);
	}
	err = kcoro_stop_tell(co);
	if (err)
		return err;
	kcoro_wait_aim(&co->wait, co);
	if (!kcoro_join_or_wait(other, &co->wait))
		return 0;
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_coro_join);

int kcoro_group_add_join(struct kcoro_group *group, struct kcoro_member *member,
			 struct kcoro_coro *other)
{
	int err = kcoro_group_add(group, member, other, KCORO_WAIT_JOIN);
	unsigned long flags;

	if (err)
		return err;
	raw_spin_lock_irqsave(&other->lock, flags);
	if (!join(other, &member->wait))
		kcoro_wait_fire(&member->wait, 0, 0);
	raw_spin_unlock_irqrestore(&other->lock, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_group_add_join);
