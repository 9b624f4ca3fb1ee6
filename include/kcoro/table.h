/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * table.h - the keyed table for modules: a coroutine awaits a key, and who sees the
 * answer wakes it by that key. BPF programs use the same tables. All functions are
 * EXPORT_SYMBOL_GPL.
 */
#ifndef KCORO_TABLE_API_H
#define KCORO_TABLE_API_H

#include <linux/types.h>

#include <kcoro/abi.h>
#include <kcoro/coro.h>

struct kcoro_table;
struct kcoro_timer;

/**
 * kcoro_table_create() - make a keyed table
 * @attr: what it shall be
 *
 * Context: process context, may sleep.
 * Return: the table, the caller's; or ERR_PTR: -EINVAL for a wrong attribute, -ENOENT: no
 * such pool, -ENOMEM.
 */
struct kcoro_table *kcoro_table_create(const struct kcoro_table_attr *attr);

/**
 * kcoro_table_release() - end a table
 * @table: from kcoro_table_create(), gone afterwards
 *
 * A little later its id stops working, its entries end, and who awaits a key of it goes
 * on with -ESTALE.
 * Context: any, NMI included.
 */
void kcoro_table_release(struct kcoro_table *table);

/**
 * kcoro_table_id() - the number by which it is named
 * @table: the caller's
 *
 * Context: any. Return: never 0, never used again for another table.
 */
u64 kcoro_table_id(const struct kcoro_table *table);

struct kcoro_bucket;

/* A wait for a key; lies in the frame, zeroed at first. */
struct kcoro_key_wait {
	struct hlist_node node;
	struct kcoro_bucket *bucket;
	struct kcoro_coro *co;
	struct kcoro_wait *waiter;	/* of @co, while armed */
	u32 hash;
	bool armed;
	bool held;
	u8 key[KCORO_KEY_SIZE_MAX];
};

/* A key that is held; the same. */
struct kcoro_key_hold {
	struct kcoro_key_wait wait;
	u8 first;
	u8 count;
	s64 values[KCORO_KEY_VALUES];
};

/**
 * kcoro_key_await() - wait until somebody wakes a key
 * @co: the calling coroutine
 * @wait: in its frame
 * @table_id: of the keyed table, which need not have an entry of that key
 * @key: the key, copied to @wait by the first call; it may stand there already
 * @key_size: its length, which must be the table's
 * @value: where what it is woken with goes
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Several may await one key; each wake is for the one that has waited longest.
 * Context: a body. Return: 0; -ESTALE: no such table (any more); -EINVAL: the key has
 * another length; or see the top.
 */
long kcoro_key_await(struct kcoro_coro *co, struct kcoro_key_wait *wait, u64 table_id,
		     const void *key, u32 key_size, s64 *value,
		     struct kcoro_timer *timer, u64 timeout_ns);

/**
 * kcoro_key_hold() - be who a key's values are for, also while not waiting
 * @co: the coroutine: the calling one, or one that was not started yet
 * @hold: in its frame
 * @table_id: of the keyed table
 * @key: the key, copied; it may stand in @hold->wait.key already
 * @key_size: its length, which must be the table's
 * @flags: 0 or KCORO_KEY_ONLY
 *
 * Between two awaits of a key an answer would find nobody. For who holds the key up to
 * KCORO_KEY_VALUES values are kept, in order, until kcoro_key_next_await(). Give it back
 * with kcoro_key_release() before the frame goes: in the body and, as it may be killed,
 * in @destroy of its struct kcoro_desc.
 * Context: any but NMI. Return: 0; -EEXIST: KCORO_KEY_ONLY, and somebody awaits or holds
 * the key; -EBUSY: @hold has a key; -ESTALE: no such table (any more); -EINVAL.
 */
int kcoro_key_hold(struct kcoro_coro *co, struct kcoro_key_hold *hold, u64 table_id,
		   const void *key, u32 key_size, u32 flags);

/**
 * kcoro_key_next_await() - wait for the next value of the key that is held
 * @co: the calling coroutine
 * @hold: in its frame, with a key
 * @value: where the value goes
 * @timer: in its frame, or NULL
 * @timeout_ns: nanoseconds
 *
 * Context: a body. Return: 0; -ESTALE: the table has gone; -ENOENT: it holds no key; or
 * see the top of await.h.
 */
long kcoro_key_next_await(struct kcoro_coro *co, struct kcoro_key_hold *hold, s64 *value,
			  struct kcoro_timer *timer, u64 timeout_ns);

/**
 * kcoro_key_release() - no longer hold the key
 * @hold: in the caller's frame; holding none is fine
 *
 * Values that were not taken are gone.
 * Context: any but NMI.
 */
void kcoro_key_release(struct kcoro_key_hold *hold);

/**
 * kcoro_key_wake() - what a key stands for has come
 * @table_id: of the keyed table
 * @key: the key
 * @key_size: its length, which must be the table's
 * @value: for the coroutine that awaits or holds it
 *
 * Context: any but NMI. Return: 0; -ENOENT: nobody awaits it, and the value is gone;
 * -ENOSPC: who holds it has not taken KCORO_KEY_VALUES others, and the value is gone;
 * -ESTALE: no such table (any more); -EINVAL: the key has another length.
 */
int kcoro_key_wake(u64 table_id, const void *key, u32 key_size, s64 value);

/**
 * kcoro_key_wake_all() - the same for all who await or hold the key, as an event does
 * @table_id: of the keyed table
 * @key: the key
 * @key_size: its length, which must be the table's
 * @value: for each of them
 *
 * Interrupts are off until all of them are woken.
 * Context: any but NMI. Return: how many have the value; -ENOENT: nobody awaits it;
 * -ESTALE; -EINVAL.
 */
int kcoro_key_wake_all(u64 table_id, const void *key, u32 key_size, s64 value);

/**
 * kcoro_key_cancel() - ask all who await or hold a key to end: see kcoro_coro_cancel()
 * @table_id: of the keyed table
 * @key: the key
 * @key_size: its length, which must be the table's
 *
 * Context: any but NMI. Return: how many were asked; -ENOENT: nobody awaits it; -ESTALE;
 * -EINVAL.
 */
int kcoro_key_cancel(u64 table_id, const void *key, u32 key_size);

/**
 * kcoro_key_status() - what the coroutine does that the next kcoro_key_wake() would be for
 * @table_id: of the keyed table
 * @key: the key
 * @key_size: its length, which must be the table's
 *
 * Context: any but NMI. Return: an enum kcoro_status, a snapshot; -ENOENT: nobody awaits or
 * holds the key; -ESTALE; -EINVAL.
 */
int kcoro_key_status(u64 table_id, const void *key, u32 key_size);

#endif /* KCORO_TABLE_API_H */
