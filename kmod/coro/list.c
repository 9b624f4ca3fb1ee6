// SPDX-License-Identifier: GPL-2.0-only
/*
 * list.c - who is there: live coroutines and scopes, for people.
 *
 * A reader is in kcoro_scope_readers, so that no scope goes, and walks the lists of each
 * CPU; a coroutine that is seen under its list's lock is live. Its joiners are its lock's,
 * and none of them ends before it has left: so the chain of who awaits whom is told link
 * by link, each as it was at one moment.
 *
 * Contexts: process context, may sleep.
 */
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <kcoro/await.h>

#include "coroutine.h"
#include "scope.h"

struct lister {
	struct kcoro_coro_query *query;
	struct kcoro_scope *scope;	/* that is walked now */
	u8 *next;			/* row, and how many more fit */
	u32 room;
};

/* The caller's row may be shorter or longer than what we know. */
static void put_row(void *row, size_t row_size, const void *info, size_t size)
{
	if (row_size > size)
		memset(row + size, 0, row_size - size);
	memcpy(row, info, min(row_size, size));
}

/* Who awaits it; the lock of the awaited one holds who does. */
static u32 parent_of(struct kcoro_coro *co)
{
	struct kcoro_coro *parent;
	struct kcoro_wait *wait;
	u32 id = co->desc->front ? co->desc->front->parent(co) : 0;

	raw_spin_lock(&co->lock);
	if (!hlist_empty(&co->joiners)) {
		wait = hlist_entry(co->joiners.first, struct kcoro_wait, hlink);
		parent = wait->flags & KCORO_WAIT_IN_GROUP ?
				 ((struct kcoro_group *)wait->target)->co : wait->target;
		id = parent->id;
	}
	raw_spin_unlock(&co->lock);
	return id;
}

static u32 flags_of(const struct kcoro_coro *co)
{
	u32 state = atomic_read(&co->state), flags = 0;

	if (state & KCORO_STATE_CANCEL)
		flags |= KCORO_CORO_INFO_CANCEL;
	if (state & KCORO_STATE_TIMEOUT)
		flags |= KCORO_CORO_INFO_TIMEOUT;
	if (state & KCORO_STATE_KILL)
		flags |= KCORO_CORO_INFO_KILL;
	if (READ_ONCE(co->flags) & KCORO_CORO_PINNED)
		flags |= KCORO_CORO_INFO_PINNED;
	if (READ_ONCE(co->flags) & KCORO_CORO_SLEEPS)
		flags |= KCORO_CORO_INFO_SLEEPS;
	return flags;
}

/* It may run meanwhile: what it waits for and since when are a snapshot. */
static void info_fill(struct kcoro_coro_info *info, struct kcoro_coro *co,
		      const struct kcoro_scope *scope)
{
	info->scope_id = scope->id;
	info->id = co->id;
	info->status = kcoro_coro_status(co);
	if (info->status == KCORO_STATUS_SUSPENDED)
		info->wait = READ_ONCE(co->wait.kind);
	if (info->wait != KCORO_WAIT_NOTHING)
		info->wait_ms = jiffies64_to_msecs((u32)jiffies - READ_ONCE(co->wait.since));
	info->executor = co->executor;
	info->flags = flags_of(co);
	info->cpu = READ_ONCE(co->cpu);
	info->frame_bytes = kcoro_desc_bytes(co->desc);
	info->parent = parent_of(co);
	strscpy(info->scope, scope->name, sizeof(info->scope));
	if (co->desc->front && kcoro_coro_freeze(co)) {
		co->desc->front->functions(co, info->functions, sizeof(info->functions));
		kcoro_coro_thaw(co);
	}
}

static void name_of(struct kcoro_coro *co, char *name, size_t size)
{
	if (co->desc->front)
		co->desc->front->name(co, name, size);
	else
		strscpy(name, co->desc->name, size);
}

static void see(struct kcoro_coro *co, void *arg)
{
	struct lister *lister = arg;
	struct kcoro_coro_query *query = lister->query;
	struct kcoro_coro_info info = {};

	name_of(co, info.name, sizeof(info.name));
	/* The last byte of a name is never told. */
	if (query->name[0] && strncmp(query->name, info.name, KCORO_CORO_NAME_LEN - 1))
		return;
	query->matched++;
	if (!lister->room)
		return;
	info_fill(&info, co, lister->scope);
	put_row(lister->next, query->row_size, &info, sizeof(info));
	lister->next += query->row_size;
	lister->room--;
	query->filled++;
}

static void list_scope(struct lister *lister)
{
	struct kcoro_walk walk;
	int cpu;

	for_each_possible_cpu(cpu) {
		kcoro_walk_begin(&walk, per_cpu_ptr(lister->scope->cpu, cpu));
		while (kcoro_walk_step(&walk, see, lister))
			cond_resched();
	}
}

/**
 * kcoro_list_coros() - those that are on a scope's list
 * @query: which, and what becomes of it
 * @rows: where to
 * @size: bytes there
 *
 * Return: 0, or -EINVAL: a name without end, rows of no size.
 */
int kcoro_list_coros(struct kcoro_coro_query *query, void *rows, size_t size)
{
	struct lister lister = { .query = query, .next = rows };
	int idx;

	if (!query->row_size || strnlen(query->name, sizeof(query->name)) == sizeof(query->name) ||
	    strnlen(query->scope, sizeof(query->scope)) == sizeof(query->scope))
		return -EINVAL;
	lister.room = min_t(size_t, size / query->row_size, U32_MAX);
	query->filled = 0;
	query->matched = 0;
	idx = srcu_read_lock(&kcoro_scope_readers);
	list_for_each_entry_srcu(lister.scope, &kcoro_scopes, list,
				 srcu_read_lock_held(&kcoro_scope_readers))
		if (!query->scope[0] || !strcmp(query->scope, lister.scope->name))
			list_scope(&lister);
	srcu_read_unlock(&kcoro_scope_readers, idx);
	return 0;
}

static u64 listed(const struct kcoro_scope *scope)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(scope->cpu, cpu)->listed);
	return sum;
}

/**
 * kcoro_list_scopes() - the scopes, in the order of their making
 * @rows: where to
 * @size: bytes there
 * @row_size: of one row
 *
 * Return: how many there are, or -EINVAL.
 */
int kcoro_list_scopes(void *rows, size_t size, u32 row_size)
{
	struct kcoro_scope *scope;
	int idx, n = 0;

	if (!row_size)
		return -EINVAL;
	idx = srcu_read_lock(&kcoro_scope_readers);
	list_for_each_entry_srcu(scope, &kcoro_scopes, list,
				 srcu_read_lock_held(&kcoro_scope_readers)) {
		struct kcoro_scope_info info = {
			.id = scope->id,
			/* It is destroyed after those in it. */
			.parent = scope->parent ? scope->parent->id : 0,
			.limit = scope->limit,
			.closed = READ_ONCE(scope->closed),
		};

		if (n++ >= size / row_size)
			continue;
		/* In this order: who is listed was counted before. */
		info.listed = listed(scope);
		info.live = max(kcoro_scope_live(scope), info.listed);
		strscpy(info.name, scope->name, sizeof(info.name));
		put_row(rows + (size_t)(n - 1) * row_size, row_size, &info, sizeof(info));
	}
	srcu_read_unlock(&kcoro_scope_readers, idx);
	return n;
}
