// SPDX-License-Identifier: GPL-2.0-only
/*
 * late_wake.c - tracing programs wake a key. They may be inside any lock, the table's
 * among them: what they say is noted in a frame, and an irq_work says it a moment later.
 *
 * Context of the kfunc: any, with any lock held, NMI included.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/string.h>

#include <kcoro/table.h>

#include "../coro/bpf_pool.h"
#include "../sched/sched.h"

struct late_wake {
	struct kcoro_item item;
	u64 table_id;
	s64 value;
	u32 key_size;
	u8 key[KCORO_KEY_SIZE_MAX];
};

static void wake_now(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct late_wake *late = container_of(item, struct late_wake, item);

	kcoro_key_wake(late->table_id, late->key, late->key_size, late->value);
	kcoro_pool_free(kcoro_bpf_pool_default.pool, late, sizeof(*late));
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_kcoro_key_wake_nolock(u64 table_id, const void *key, u32 key__sz, s64 value)
{
	struct late_wake *late;

	if (key__sz > sizeof(late->key))
		return -EINVAL;
	late = kcoro_pool_alloc_nolock(kcoro_bpf_pool_default.pool, sizeof(*late));
	if (!late)
		return -ENOMEM;
	late->item.run = wake_now;
	late->table_id = table_id;
	late->value = value;
	late->key_size = key__sz;
	memcpy(late->key, key, key__sz);
	kcoro_later_add(&late->item);
	return 0;
}

__bpf_kfunc_end_defs();
