/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - the keyed table: key -> entry with a frame, with deadlines.
 *
 * How packets and answers find who waits for them. An entry is entered by one
 * CPU at a time; between an enter and the leave or end that follows it, its
 * frame belongs to the one who entered.
 */
#ifndef KCORO_TABLE_H
#define KCORO_TABLE_H

#include <linux/types.h>

#include <kcoro/abi.h>
#include <kcoro/table.h>

#include "frame.h"

struct kcoro_entry;

struct kcoro_entry *kcoro_table_enter(u64 id, const void *key, u32 key_size,
				      struct kcoro_enter_opts *opts);
void kcoro_table_leave(struct kcoro_entry *entry, u64 timeout_ns);
void kcoro_table_end(struct kcoro_entry *entry);
int kcoro_table_read(u64 id, struct kcoro_table_counters *out);

/* key.c */
long kcoro_key_begin(struct kcoro_coro *co, struct kcoro_key_hold *hold, u64 table_id,
		     const void *key, u32 key_size, u32 flags,
		     struct kcoro_timer *timer, u64 timeout_ns);
int kcoro_key_or_wait(struct kcoro_coro *co, struct kcoro_key_wait *wait,
		      struct kcoro_wait *waiter, u64 table_id, const void *key, u32 key_size);
long kcoro_key_next_or_wait(struct kcoro_key_hold *hold, struct kcoro_wait *waiter);
bool kcoro_key_leave(struct kcoro_key_wait *wait);

int kcoro_table_init(void);
void kcoro_table_exit(void);

#endif /* KCORO_TABLE_H */
