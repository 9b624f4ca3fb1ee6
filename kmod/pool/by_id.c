// SPDX-License-Identifier: GPL-2.0-only
/*
 * by_id.c - see by_id.h.
 *
 * Readers: any context, NMI included; RCU keeps the pool while it is read. The reserve:
 * process context, see pool.c.
 */
#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/string.h>

#include "by_id.h"
#include "pool.h"

/* What pools that are gone have counted; so the sum over all pools only grows. */
static struct kcoro_frame_counters gone[KCORO_SLOTS];
/* Odd while a pool goes over from the list to the above. */
static unsigned int generation;

/* All fields are u64. */
static void add(struct kcoro_frame_counters *to, const struct kcoro_frame_counters *from)
{
	const u64 *source = (const u64 *)from;
	u64 *sum = (u64 *)to;
	unsigned int i;

	BUILD_BUG_ON(sizeof(*to) % sizeof(*sum));
	for (i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += READ_ONCE(source[i]);
}

/**
 * kcoro_pool_retire() - take a pool off the list, and keep its counters
 * @pool: the pool, from which nobody allocates any more
 *
 * Context: may be preempted, with the list's lock held.
 */
void kcoro_pool_retire(struct kcoro_pool *pool)
{
	struct kcoro_frame_counters c;
	unsigned int slot;

	preempt_disable();
	WRITE_ONCE(generation, generation + 1);
	/* Pairs with the second one in kcoro_pool_read_all(): who sees the change sees "odd". */
	smp_wmb();
	list_del_rcu(&pool->list);
	for (slot = 0; slot < KCORO_SLOTS; slot++) {
		kcoro_pool_read(pool, slot / KCORO_CLASSES, slot % KCORO_CLASSES, &c);
		add(&gone[slot], &c);
	}
	/* Pairs with the first one there: who sees "even" sees the change. */
	smp_wmb();
	WRITE_ONCE(generation, generation + 1);
	preempt_enable();
}

static void sum_all(unsigned int level, unsigned int cls, struct kcoro_frame_counters *out)
{
	struct kcoro_frame_counters c;
	struct kcoro_pool *pool;
	u64 id = 0;

	memset(out, 0, sizeof(*out));
	add(out, &gone[kcoro_slot(level, cls)]);
	rcu_read_lock();
	while ((pool = kcoro_pool_next(id))) {
		kcoro_pool_read(pool, level, cls, &c);
		add(out, &c);
		id = pool->id;
	}
	rcu_read_unlock();
}

/**
 * kcoro_pool_read_all() - counters of one level and class, over all pools
 * @level: enum kcoro_level
 * @cls: enum kcoro_class
 * @out: where to
 *
 * Pools that are gone included. Who interrupts a pool's end on its CPU may miss that pool.
 *
 * Return: 0, or -EINVAL for a level or class that does not exist.
 */
int kcoro_pool_read_all(unsigned int level, unsigned int cls, struct kcoro_frame_counters *out)
{
	unsigned int before, tries;

	if (level >= KCORO_LEVELS || cls >= KCORO_CLASSES)
		return -EINVAL;
	for (tries = 0; tries < 100; tries++) {
		before = READ_ONCE(generation);
		/* See kcoro_pool_retire(). */
		smp_rmb();
		sum_all(level, cls, out);
		/* And this. */
		smp_rmb();
		if (!(before & 1) && before == READ_ONCE(generation))
			break;
	}
	return 0;
}

static struct kcoro_pool *find(u64 id)
{
	struct kcoro_pool *pool = id ? kcoro_pool_next(id - 1) : NULL;

	return pool && pool->id == id ? pool : NULL;
}

/**
 * kcoro_pool_id() - a pool's number
 * @pool: the pool
 *
 * Return: never 0.
 */
u64 kcoro_pool_id(const struct kcoro_pool *pool)
{
	return pool->id;
}

/**
 * kcoro_pool_next_id() - the pool that was created after another
 * @id: of the other, 0 for none
 *
 * Return: its number, or 0: no more.
 */
u64 kcoro_pool_next_id(u64 id)
{
	struct kcoro_pool *pool;
	u64 next;

	rcu_read_lock();
	pool = kcoro_pool_next(id);
	next = pool ? pool->id : 0;
	rcu_read_unlock();
	return next;
}

/**
 * kcoro_pool_info_by_id() - kcoro_pool_read_info()
 * @id: of the pool
 * @out: where to; untouched after an error
 *
 * Return: 0, or -ENOENT: no such pool (any more).
 */
int kcoro_pool_info_by_id(u64 id, struct kcoro_pool_info *out)
{
	struct kcoro_pool *pool;

	rcu_read_lock();
	pool = find(id);
	if (pool)
		kcoro_pool_read_info(pool, out);
	rcu_read_unlock();
	return pool ? 0 : -ENOENT;
}

/**
 * kcoro_pool_read_by_id() - kcoro_pool_read()
 * @id: of the pool
 * @level: enum kcoro_level
 * @cls: enum kcoro_class
 * @out: where to; untouched after an error
 *
 * Return: 0; -ENOENT: no such pool (any more); -EINVAL for a level or class that does
 * not exist.
 */
int kcoro_pool_read_by_id(u64 id, unsigned int level, unsigned int cls,
			  struct kcoro_frame_counters *out)
{
	struct kcoro_pool *pool;
	int err = -ENOENT;

	rcu_read_lock();
	pool = find(id);
	if (pool)
		err = kcoro_pool_read(pool, level, cls, out);
	rcu_read_unlock();
	return err;
}
