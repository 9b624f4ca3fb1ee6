// SPDX-License-Identifier: GPL-2.0-only
/*
 * key.c - coroutines that await a key of a keyed table: an answer finds who asked.
 *
 * A wait lies in its coroutine's frame and is on the list of its key's bucket, whose
 * lock is the source's lock of wait.h. A table that goes fires all that is left, broken,
 * when nobody can find it any more; so who finds no table and is still ARMED is about to
 * be fired.
 *
 * Contexts: wake: any but NMI; await: a body.
 */
#include <linux/jhash.h>
#include <linux/module.h>

#include "table_inside.h"
#include "wait.h"

static void fire(struct kcoro_key_wait *key, s64 value, u8 flags)
{
	__hlist_del(&key->node);
	kcoro_wait_fire(&key->co->wait, value, flags);
}

/* Under the lock: who has waited longest for this key. */
static struct kcoro_key_wait *find(struct kcoro_table *table, struct kcoro_bucket *bucket,
				   const void *key, u32 hash)
{
	struct kcoro_key_wait *wait, *found = NULL;

	hlist_for_each_entry(wait, &bucket->waits, node)
		if (wait->hash == hash && !memcmp(wait->key, key, table->key_size))
			found = wait;
	return found;
}

int kcoro_key_wake(u64 table_id, const void *key, u32 key_size, s64 value)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	struct kcoro_key_wait *wait;
	struct kcoro_bucket *bucket;
	unsigned long flags;
	u32 hash;

	if (!table)
		return -ESTALE;
	if (key_size != table->key_size) {
		kcoro_table_put(table);
		return -EINVAL;
	}
	hash = jhash(key, key_size, table->seed);
	bucket = kcoro_table_bucket(table, hash);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	wait = find(table, bucket, key, hash);
	if (wait)
		fire(wait, value, 0);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	if (wait)
		kcoro_table_count(table, woken);
	else
		kcoro_table_count(table, unclaimed);
	kcoro_table_put(table);
	return wait ? 0 : -ENOENT;
}
EXPORT_SYMBOL_GPL(kcoro_key_wake);

/**
 * kcoro_key_break() - the table goes
 * @bucket: one of its buckets; nobody can find the table any more
 *
 * Context: process context.
 */
void kcoro_key_break(struct kcoro_bucket *bucket)
{
	struct hlist_node *next;
	struct kcoro_key_wait *wait;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(wait, next, &bucket->waits, node)
		fire(wait, 0, KCORO_WAIT_BROKEN);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

static long begin(struct kcoro_coro *co, struct kcoro_key_wait *wait, u64 table_id,
		  const void *key, u32 key_size)
{
	struct kcoro_table *table;
	struct kcoro_bucket *bucket;
	unsigned long flags;
	long err = kcoro_stop_tell(co);

	if (err)
		return err;
	table = kcoro_table_get(table_id);
	if (!table)
		return -ESTALE;
	if (key_size != table->key_size) {
		kcoro_table_put(table);
		return -EINVAL;
	}
	wait->co = co;
	wait->hash = jhash(key, key_size, table->seed);
	/* It may stand there already. */
	memmove(wait->key, key, key_size);
	bucket = kcoro_table_bucket(table, wait->hash);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	kcoro_wait_arm(&co->wait, co, KCORO_WAIT_KEY);
	hlist_add_head(&wait->node, &bucket->waits);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	kcoro_table_count(table, awaited);
	kcoro_table_put(table);
	return KCORO_WAIT;
}

/* Off the list, unless it fires. */
static bool leave(struct kcoro_coro *co, struct kcoro_key_wait *wait, u64 table_id)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	struct kcoro_bucket *bucket;
	unsigned long flags;
	bool armed;

	/* On its way out: it will fire the wait. */
	if (!table)
		return false;
	bucket = kcoro_table_bucket(table, wait->hash);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	armed = co->wait.state == KCORO_WAIT_ARMED;
	if (armed)
		__hlist_del(&wait->node);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	kcoro_table_put(table);
	return armed;
}

long kcoro_key_await(struct kcoro_coro *co, struct kcoro_key_wait *wait, u64 table_id,
		     const void *key, u32 key_size, s64 *value,
		     struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	switch (smp_load_acquire(&co->wait.state)) {	/* pairs with kcoro_wait_fire() */
	case KCORO_WAIT_IDLE:
		err = begin(co, wait, table_id, key, key_size);
		if (err == KCORO_WAIT)
			kcoro_wait_begin(co, timer, timeout_ns);
		return err;
	case KCORO_WAIT_FIRED:
		*value = co->wait.value;
		err = co->wait.flags & KCORO_WAIT_BROKEN ? -ESTALE : 0;
		break;
	case KCORO_WAIT_ARMED:
		if (!kcoro_timer_is_over(timer) && !kcoro_coro_stopping(co))
			return KCORO_WAIT;
		if (!leave(co, wait, table_id))
			return KCORO_AGAIN;
		err = kcoro_timer_is_over(timer) ? -ETIMEDOUT : kcoro_stop_tell(co);
		break;
	default:
		return KCORO_AGAIN;
	}
	kcoro_wait_end(co, timer);
	return err;
}
EXPORT_SYMBOL_GPL(kcoro_key_await);
