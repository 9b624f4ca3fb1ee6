// SPDX-License-Identifier: GPL-2.0-only
/*
 * key.c - coroutines that await a key of a keyed table: an answer finds who asked.
 *
 * A wait lies in its coroutine's frame and is on the list of its key's bucket: as long as
 * it is armed, or, where the key is held, until it is released. The bucket's lock is the
 * source's lock of wait.h, and protects all of the wait.
 *
 * wait->bucket is set while the wait is on a list. It only becomes NULL under the lock,
 * and a bucket stays for a grace period after that: so whoever finds it under RCU may
 * take the lock, and looks again. A table that goes takes all waits off its lists; armed
 * ones are fired, broken.
 *
 * For a held key: count = values kept - values taken <= KCORO_KEY_VALUES, and 0 while armed.
 *
 * Contexts: wake: any but NMI; await, hold, release: a body, or who creates it.
 */
#include <linux/module.h>

#include "table_inside.h"
#include "wait.h"

static void unlink(struct kcoro_key_wait *wait)
{
	__hlist_del(&wait->node);
	WRITE_ONCE(wait->bucket, NULL);
}

static void fire(struct kcoro_key_wait *wait, s64 value, u8 flags)
{
	wait->armed = false;
	if (!wait->held)
		unlink(wait);
	kcoro_wait_fire(wait->waiter, value, flags);
}

/* Who holds the key is not waiting: the value is for its next await. */
static int keep(struct kcoro_key_wait *wait, s64 value)
{
	struct kcoro_key_hold *hold = container_of(wait, struct kcoro_key_hold, wait);

	if (hold->count == KCORO_KEY_VALUES)
		return -ENOSPC;
	hold->values[(hold->first + hold->count++) % KCORO_KEY_VALUES] = value;
	return 0;
}

/* Under the lock: who has waited longest for this key. */
static struct kcoro_key_wait *find(struct kcoro_table *table, struct kcoro_bucket *bucket,
				   const void *key, u32 hash)
{
	struct kcoro_key_wait *wait, *found = NULL;

	hlist_for_each_entry(wait, &bucket->waits, node)
		if (wait->hash == hash && kcoro_table_same_key(table, wait->key, key))
			found = wait;
	return found;
}

static int give(struct kcoro_key_wait *wait, s64 value)
{
	if (!wait->armed)
		return keep(wait, value);
	fire(wait, value, 0);
	return 0;
}

static int wake(struct kcoro_table *table, const void *key, s64 value)
{
	u32 hash = kcoro_table_hash(table, key);
	struct kcoro_bucket *bucket = kcoro_table_bucket(table, hash);
	struct kcoro_key_wait *wait;
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	wait = find(table, bucket, key, hash);
	err = wait ? give(wait, value) : -ENOENT;
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return err;
}

int kcoro_key_wake(u64 table_id, const void *key, u32 key_size, s64 value)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	int err;

	if (!table)
		return -ESTALE;
	err = key_size == table->key_size ? wake(table, key, value) : -EINVAL;
	if (!err)
		kcoro_table_count(table, woken);
	else if (err == -ENOENT)
		kcoro_table_count(table, unclaimed);
	else if (err == -ENOSPC)
		kcoro_table_count(table, overrun);
	kcoro_table_put(table);
	return err;
}
EXPORT_SYMBOL_GPL(kcoro_key_wake);

static int cancel(struct kcoro_key_wait *wait, s64 unused)
{
	kcoro_coro_cancel(wait->co);
	return 0;
}

/* Calls that for all who await or hold the key. How many there were, or a negative errno. */
static int each(struct kcoro_table *table, const void *key, s64 value,
		int (*call)(struct kcoro_key_wait *wait, s64 value), int *failed)
{
	u32 hash = kcoro_table_hash(table, key);
	struct kcoro_bucket *bucket = kcoro_table_bucket(table, hash);
	struct kcoro_key_wait *wait;
	struct hlist_node *next;
	unsigned long flags;
	int n = 0;

	*failed = 0;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(wait, next, &bucket->waits, node) {
		if (wait->hash != hash || !kcoro_table_same_key(table, wait->key, key))
			continue;
		if (call(wait, value))
			++*failed;
		else
			n++;
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return n || *failed ? n : -ENOENT;
}

int kcoro_key_wake_all(u64 table_id, const void *key, u32 key_size, s64 value)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	int n, failed = 0;

	if (!table)
		return -ESTALE;
	n = key_size == table->key_size ? each(table, key, value, give, &failed) : -EINVAL;
	if (n > 0)
		this_cpu_add(table->count->woken, n);
	else if (n == -ENOENT)
		kcoro_table_count(table, unclaimed);
	if (failed)
		this_cpu_add(table->count->overrun, failed);
	kcoro_table_put(table);
	return n;
}
EXPORT_SYMBOL_GPL(kcoro_key_wake_all);

int kcoro_key_cancel(u64 table_id, const void *key, u32 key_size)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	int n, failed;

	if (!table)
		return -ESTALE;
	n = key_size == table->key_size ? each(table, key, 0, cancel, &failed) : -EINVAL;
	kcoro_table_put(table);
	return n;
}
EXPORT_SYMBOL_GPL(kcoro_key_cancel);

int kcoro_key_status(u64 table_id, const void *key, u32 key_size)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	struct kcoro_bucket *bucket;
	struct kcoro_key_wait *wait;
	unsigned long flags;
	int status = -EINVAL;
	u32 hash;

	if (!table)
		return -ESTALE;
	if (key_size == table->key_size) {
		hash = kcoro_table_hash(table, key);
		bucket = kcoro_table_bucket(table, hash);
		raw_spin_lock_irqsave(&bucket->lock, flags);
		wait = find(table, bucket, key, hash);
		status = wait ? (int)kcoro_coro_status(wait->co) : -ENOENT;
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
	}
	kcoro_table_put(table);
	return status;
}
EXPORT_SYMBOL_GPL(kcoro_key_status);

/**
 * kcoro_key_break() - the table goes
 * @bucket: one of its buckets; nobody can find the table any more
 *
 * Context: process context. The bucket must stay for a grace period.
 */
void kcoro_key_break(struct kcoro_bucket *bucket)
{
	struct hlist_node *next;
	struct kcoro_key_wait *wait;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(wait, next, &bucket->waits, node) {
		if (wait->held)
			unlink(wait);
		if (wait->armed)
			fire(wait, 0, KCORO_WAIT_BROKEN);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* For list(), beside enum kcoro_key_flags. */
#define ARM BIT(31)

/* Puts the wait on its key's list: held, armed, or both; then its waiter is aimed. */
static int list(struct kcoro_coro *co, struct kcoro_key_wait *wait, u64 table_id,
		const void *key, u32 key_size, u32 how)
{
	struct kcoro_table *table = kcoro_table_get(table_id);
	struct kcoro_bucket *bucket;
	unsigned long flags;
	int err = 0;

	if (!table)
		return -ESTALE;
	if (key_size != table->key_size) {
		kcoro_table_put(table);
		return -EINVAL;
	}
	wait->co = co;
	wait->hash = kcoro_table_hash(table, key);
	wait->held = how & KCORO_KEY_HOLD;
	/* It may stand there already. */
	memmove(wait->key, key, key_size);
	bucket = kcoro_table_bucket(table, wait->hash);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	if (how & KCORO_KEY_ONLY && find(table, bucket, wait->key, wait->hash)) {
		err = -EEXIST;
	} else {
		wait->armed = how & ARM;
		if (wait->armed)
			kcoro_wait_arm_aimed(wait->waiter, KCORO_WAIT_KEY);
		wait->bucket = bucket;
		hlist_add_head(&wait->node, &bucket->waits);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	if (!err)
		kcoro_table_count(table, awaited);
	kcoro_table_put(table);
	return err;
}

/* Calls that under the lock of the list that the wait is on; -ESTALE: it is on none. */
static long locked(struct kcoro_key_wait *wait, long (*call)(struct kcoro_key_wait *wait))
{
	struct kcoro_bucket *bucket;
	unsigned long flags;
	long got = -ESTALE;

	rcu_read_lock();
	bucket = READ_ONCE(wait->bucket);
	if (bucket) {
		raw_spin_lock_irqsave(&bucket->lock, flags);
		if (wait->bucket)
			got = call(wait);
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
	}
	rcu_read_unlock();
	return got;
}

/* 0: it waits no more. */
static long disarm(struct kcoro_key_wait *wait)
{
	if (!wait->armed)
		return KCORO_AGAIN;
	wait->armed = false;
	if (!wait->held)
		unlink(wait);
	return 0;
}

/* The first value that was kept, to where a wake would put it; or it waits. */
static long take(struct kcoro_key_wait *wait)
{
	struct kcoro_key_hold *hold = container_of(wait, struct kcoro_key_hold, wait);

	if (!hold->count) {
		wait->armed = true;
		kcoro_wait_arm_aimed(wait->waiter, KCORO_WAIT_KEY);
		return KCORO_WAIT;
	}
	wait->waiter->value = hold->values[hold->first];
	hold->first = (hold->first + 1) % KCORO_KEY_VALUES;
	hold->count--;
	return 0;
}

/* What has become of a wait that was begun. */
static long look(struct kcoro_coro *co, struct kcoro_key_wait *wait, s64 *value,
		 struct kcoro_timer *timer)
{
	long err;

	switch (smp_load_acquire(&co->wait.state)) {	/* pairs with kcoro_wait_fire() */
	case KCORO_WAIT_FIRED:
		*value = co->wait.value;
		err = co->wait.flags & KCORO_WAIT_BROKEN ? -ESTALE : 0;
		break;
	case KCORO_WAIT_ARMED:
		if (!kcoro_timer_is_over(timer) && !kcoro_coro_stopping(co))
			return KCORO_WAIT;
		/* Else it is about to be fired, or was just now. */
		if (locked(wait, disarm))
			return KCORO_AGAIN;
		err = kcoro_timer_is_over(timer) ? -ETIMEDOUT : kcoro_stop_tell(co);
		break;
	default:
		return KCORO_AGAIN;
	}
	kcoro_wait_end(co, timer);
	return err;
}

/* At the coroutine's own wait, of which it has one at a time. */
static void aim(struct kcoro_coro *co, struct kcoro_key_wait *wait)
{
	kcoro_wait_aim(&co->wait, co);
	wait->waiter = &co->wait;
}

/**
 * kcoro_key_or_wait() - wait for a key with a wait of the caller's, for fronts
 * @co: whose it is
 * @wait: in a frame
 * @waiter: aimed
 * @table_id: as for kcoro_key_await(), and the rest as there
 *
 * Return: 0: it waits; or what kcoro_key_await() says.
 */
int kcoro_key_or_wait(struct kcoro_coro *co, struct kcoro_key_wait *wait,
		      struct kcoro_wait *waiter, u64 table_id, const void *key, u32 key_size)
{
	wait->waiter = waiter;
	return list(co, wait, table_id, key, key_size, ARM);
}

/* The same for the next value of a key that is held. 0: it is in @waiter; KCORO_WAIT. */
long kcoro_key_next_or_wait(struct kcoro_key_hold *hold, struct kcoro_wait *waiter)
{
	if (!hold->wait.held)
		return -ENOENT;
	hold->wait.waiter = waiter;
	return locked(&hold->wait, take);
}

/* Give such a wait up. False: it fires, or has fired. */
bool kcoro_key_leave(struct kcoro_key_wait *wait)
{
	return !locked(wait, disarm);
}

long kcoro_key_await(struct kcoro_coro *co, struct kcoro_key_wait *wait, u64 table_id,
		     const void *key, u32 key_size, s64 *value,
		     struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	if (READ_ONCE(co->wait.state) != KCORO_WAIT_IDLE)
		return look(co, wait, value, timer);
	aim(co, wait);
	err = kcoro_stop_tell(co) ?: list(co, wait, table_id, key, key_size, ARM);
	if (err)
		return err;
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}
EXPORT_SYMBOL_GPL(kcoro_key_await);

static int hold_key(struct kcoro_coro *co, struct kcoro_key_hold *hold, u64 table_id,
		    const void *key, u32 key_size, u32 how)
{
	int err;

	hold->first = 0;
	hold->count = 0;
	err = list(co, &hold->wait, table_id, key, key_size, how | KCORO_KEY_HOLD);
	if (err)
		hold->wait.held = false;
	return err;
}

int kcoro_key_hold(struct kcoro_coro *co, struct kcoro_key_hold *hold, u64 table_id,
		   const void *key, u32 key_size, u32 flags)
{
	if (flags & ~KCORO_KEY_ONLY)
		return -EINVAL;
	if (hold->wait.held)
		return -EBUSY;
	return hold_key(co, hold, table_id, key, key_size, flags);
}
EXPORT_SYMBOL_GPL(kcoro_key_hold);

/**
 * kcoro_key_begin() - hold or await a key, for a coroutine that has not run yet
 * @co: held by kcoro_coro_hold()
 * @hold: in its frame, zero
 * @table_id: of the keyed table
 * @key: the key
 * @key_size: its length
 * @flags: enum kcoro_key_flags
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * No value comes between the two: it waits when it holds the key.
 * Return: KCORO_WAIT, to be gone on with by kcoro_key_next_await() or, of a key that is not
 * held, by kcoro_key_await(); or what kcoro_key_hold() returns.
 */
long kcoro_key_begin(struct kcoro_coro *co, struct kcoro_key_hold *hold, u64 table_id,
		     const void *key, u32 key_size, u32 flags,
		     struct kcoro_timer *timer, u64 timeout_ns)
{
	int err;

	aim(co, &hold->wait);
	if (flags & KCORO_KEY_HOLD)
		err = hold_key(co, hold, table_id, key, key_size, flags | ARM);
	else
		err = list(co, &hold->wait, table_id, key, key_size, flags | ARM);
	if (err)
		return err;
	kcoro_wait_begin(co, timer, timeout_ns);
	return KCORO_WAIT;
}

long kcoro_key_next_await(struct kcoro_coro *co, struct kcoro_key_hold *hold, s64 *value,
			  struct kcoro_timer *timer, u64 timeout_ns)
{
	long err;

	if (READ_ONCE(co->wait.state) != KCORO_WAIT_IDLE)
		return look(co, &hold->wait, value, timer);
	if (!hold->wait.held)
		return -ENOENT;
	aim(co, &hold->wait);
	err = kcoro_stop_tell(co) ?: locked(&hold->wait, take);
	if (err == KCORO_WAIT)
		kcoro_wait_begin(co, timer, timeout_ns);
	else if (!err)
		*value = co->wait.value;
	return err;
}
EXPORT_SYMBOL_GPL(kcoro_key_next_await);

static long forget(struct kcoro_key_wait *wait)
{
	unlink(wait);
	return 0;
}

void kcoro_key_release(struct kcoro_key_hold *hold)
{
	locked(&hold->wait, forget);
	hold->wait.held = false;
}
EXPORT_SYMBOL_GPL(kcoro_key_release);
