// SPDX-License-Identifier: GPL-2.0-only
/*
 * group.c - some, any or all of several.
 *
 * A member that is ready sets its bit and counts @left down; who makes it 0 wakes the
 * coroutine. So no wake looks at the other members; they are looked at once, when the
 * wait is over, to leave their sources. Each source's lock says whether a member has
 * fired, as for a single wait (wait.h).
 *
 * Contexts: a body.
 */
#include <linux/module.h>

#include "wait.h"

void kcoro_group_begin(struct kcoro_group *group, struct kcoro_coro *co, u32 some)
{
	group->co = co;
	group->ready = 0;
	group->count = 0;
	atomic_set(&group->left, min_t(u32, some, INT_MAX));
}
EXPORT_SYMBOL_GPL(kcoro_group_begin);

/**
 * kcoro_group_add() - the next member
 * @group: begun by the calling body
 * @member: not waiting
 * @source: what it waits for
 * @kind: of what kind that is
 *
 * The caller puts it on the source's list, under the source's lock, or fires it there.
 * Return: 0 or -ENOSPC.
 */
int kcoro_group_add(struct kcoro_group *group, struct kcoro_member *member, void *source,
		    enum kcoro_wait_kind kind)
{
	if (group->count == KCORO_GROUP_MAX)
		return -ENOSPC;
	kcoro_wait_arm(&member->wait, NULL, kind);
	member->wait.target = group;
	member->wait.flags = KCORO_WAIT_IN_GROUP;
	member->wait.index = group->count++;
	member->source = source;
	return 0;
}

/* Off its source. False: it is about to be done with the member. */
static bool leave(struct kcoro_member *member)
{
	if (member->wait.kind == KCORO_WAIT_TIMER) {
		kcoro_timer_disarm(member->source);
		return true;
	}
	/* Pairs with the release in kcoro_wait_fire(). */
	if (smp_load_acquire(&member->wait.state) == KCORO_WAIT_FIRED)
		return true;
	if (kcoro_wait_leave(&member->wait, member->source)) {
		member->wait.state = KCORO_WAIT_IDLE;
		return true;
	}
	/* It fires: pairs with the same release. */
	return smp_load_acquire(&member->wait.state) == KCORO_WAIT_FIRED;
}

/* A member is ready if it fired; those that did not are no longer known to anybody. */
static bool is_ready(const struct kcoro_member *member)
{
	return member->wait.state == KCORO_WAIT_FIRED;
}

static long over(struct kcoro_coro *co, struct kcoro_group *group, struct kcoro_member *members,
		 struct kcoro_timer *timer, long why)
{
	u32 i;

	for (i = 0; i < group->count; i++)
		if (members[i].wait.state != KCORO_WAIT_IDLE && !leave(&members[i]))
			return KCORO_AGAIN;
	for (i = 0; i < group->count; i++) {
		if (is_ready(&members[i]))
			group->ready |= BIT(i);
		members[i].wait.state = KCORO_WAIT_IDLE;
	}
	kcoro_wait_end(co, timer);
	return why ?: hweight_long(group->ready);
}

static void pass_on(struct kcoro_coro *co, struct kcoro_group *group,
		    struct kcoro_member *members)
{
	u32 i;

	for (i = 0; i < group->count; i++)
		if (members[i].wait.kind == KCORO_WAIT_JOIN)
			kcoro_join_pass_on(co, members[i].source, &members[i].wait);
}

long kcoro_group_await(struct kcoro_coro *co, struct kcoro_group *group,
		       struct kcoro_member *members, struct kcoro_timer *timer, u64 timeout_ns)
{
	long why;

	if (atomic_read(&group->left) <= 0)
		return over(co, group, members, timer, 0);
	if (kcoro_coro_stopping(co))
		pass_on(co, group, members);
	why = kcoro_timer_is_over(timer) && co->wait.state ? -ETIMEDOUT : kcoro_stop_tell(co);
	if (why)
		return over(co, group, members, timer, why);
	if (co->wait.state == KCORO_WAIT_IDLE) {
		co->wait.kind = KCORO_WAIT_GROUP;
		co->wait.since = jiffies;
		co->wait.state = KCORO_WAIT_ARMED;
		kcoro_wait_begin(co, timer, timeout_ns);
	}
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_group_await);

int kcoro_group_add_timer(struct kcoro_group *group, struct kcoro_member *member,
			  struct kcoro_timer *timer, u64 ns)
{
	int err = kcoro_group_add(group, member, timer, KCORO_WAIT_TIMER);

	if (err)
		return err;
	timer->wait = &member->wait;
	kcoro_timer_arm(group->co, timer, ns, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_group_add_timer);
