// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - over the coroutines of a CPU's list, a few at a time; see struct kcoro_walk.
 *
 * Contexts: any but NMI.
 */
#include "scope.h"

/**
 * kcoro_walk_begin() - before the first coroutine
 * @walk: the caller's; must stay until a step says false
 * @cpu: whose list
 */
void kcoro_walk_begin(struct kcoro_walk *walk, struct kcoro_scope_cpu *cpu)
{
	unsigned long flags;

	walk->cpu = cpu;
	walk->place.desc = NULL;
	raw_spin_lock_irqsave(&cpu->lock, flags);
	/* Who comes later is behind so many. */
	walk->left = cpu->listed;
	list_add(&walk->place.in_scope, &cpu->list);
	raw_spin_unlock_irqrestore(&cpu->lock, flags);
}

/**
 * kcoro_walk_step() - the next ones
 * @walk: begun
 * @see: called for each, under the list's lock, with interrupts off
 * @arg: for it
 *
 * Return: whether there may be more; if not, @walk is known to nobody any more.
 */
bool kcoro_walk_step(struct kcoro_walk *walk, void (*see)(struct kcoro_coro *co, void *arg),
		     void *arg)
{
	struct kcoro_scope_cpu *cpu = walk->cpu;
	struct list_head *at;
	unsigned long flags;
	unsigned int n;
	bool more;

	raw_spin_lock_irqsave(&cpu->lock, flags);
	at = walk->place.in_scope.next;
	list_del(&walk->place.in_scope);
	for (n = 0; n < KCORO_WALK_STEP && walk->left && at != &cpu->list; n++, at = at->next) {
		struct kcoro_coro *co = list_entry(at, struct kcoro_coro, in_scope);

		/* Another walk's place holder. */
		if (!co->desc)
			continue;
		walk->left--;
		see(co, arg);
	}
	more = walk->left && at != &cpu->list;
	if (more)
		list_add_tail(&walk->place.in_scope, at);
	raw_spin_unlock_irqrestore(&cpu->lock, flags);
	return more;
}
