// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs.c - what BPF programs can call. Documented for their authors in
 * bpf/kcoro.bpf.h; here stands who owns what and when NULL comes.
 *
 * Packet programs (XDP, TC) and syscall programs run at task or softirq level.
 * None of these kfuncs but the one marked KF_SLEEPABLE may sleep, and whether a
 * program may is not visible from inside: flags are GFP_ATOMIC.
 *
 * Tracing programs may run inside any lock, so nothing for them takes a lock or
 * touches the slab: they get the readers, frames of what is cached or reserved, and wakes
 * that happen a moment later.
 *
 * Loading any such program takes CAP_BPF and more; no kfunc adds a way in.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/err.h>
#include <linux/module.h>

#include "../compat.h"
#include "../context.h"
#include "../coro/bpf_pool.h"
#include "../coro/frame.h"
#include "../coro/table.h"
#include "../pool/by_id.h"
#include "bpf.h"

__bpf_kfunc_start_defs();

/*
 * A zeroed frame, the program's until it frees it or moves it to a map. NULL
 * without memory, and when data_size is 0 or over KCORO_FRAME_DATA_MAX.
 */
__bpf_kfunc struct kcoro_frame *bpf_kcoro_frame_alloc(u32 data_size)
{
	if (!data_size || data_size > KCORO_FRAME_DATA_MAX)
		return NULL;
	return kcoro_frame_create(&kcoro_bpf_pool_default, sizeof(struct kcoro_frame),
				  data_size, GFP_ATOMIC | __GFP_NOWARN);
}

/*
 * The state of a frame, or NULL when it holds less than asked for. The verifier
 * ties the memory to the frame's reference: it is gone when the frame is.
 */
__bpf_kfunc u8 *bpf_kcoro_frame_data(struct kcoro_frame *frame, const size_t rdwr_buf_size)
{
	if (rdwr_buf_size > frame->data_size)
		return NULL;
	return (u8 *)frame + frame->data_offset;
}

/* Takes the frame. */
__bpf_kfunc void bpf_kcoro_frame_free(struct kcoro_frame *frame)
{
	kcoro_frame_destroy(frame);
}

/* As bpf_kcoro_frame_alloc(), of what is cached or not at all. */
__bpf_kfunc struct kcoro_frame *bpf_kcoro_frame_alloc_nolock(u32 data_size)
{
	if (!data_size || data_size > KCORO_FRAME_DATA_MAX)
		return NULL;
	return kcoro_frame_create_nolock(&kcoro_bpf_pool_default, sizeof(struct kcoro_frame),
					 data_size);
}

/*
 * As bpf_kcoro_frame_alloc(), of the pool with that number, which the frame then holds.
 * NULL also when there is no such pool.
 */
__bpf_kfunc struct kcoro_frame *bpf_kcoro_frame_alloc_from(u64 pool_id, u32 data_size)
{
	struct kcoro_frame *frame = NULL;
	struct kcoro_bpf_pool *pool;

	pool = kcoro_bpf_pool_get(pool_id);
	if (!pool)
		return NULL;
	if (data_size && data_size <= KCORO_FRAME_DATA_MAX)
		frame = kcoro_frame_create(pool, sizeof(*frame), data_size,
					   GFP_ATOMIC | __GFP_NOWARN);
	if (frame)
		frame->counted = true;
	else
		kcoro_bpf_pool_put(pool);
	return frame;
}

/* As both. */
__bpf_kfunc struct kcoro_frame *bpf_kcoro_frame_alloc_from_nolock(u64 pool_id, u32 data_size)
{
	struct kcoro_frame *frame = NULL;
	struct kcoro_bpf_pool *pool;

	pool = kcoro_bpf_pool_get(pool_id);
	if (!pool)
		return NULL;
	if (data_size && data_size <= KCORO_FRAME_DATA_MAX)
		frame = kcoro_frame_create_nolock(pool, sizeof(*frame), data_size);
	if (frame)
		frame->counted = true;
	else
		kcoro_bpf_pool_put(pool);
	return frame;
}

/* As bpf_kcoro_frame_free(). */
__bpf_kfunc void bpf_kcoro_frame_free_nolock(struct kcoro_frame *frame)
{
	kcoro_frame_destroy_nolock(frame);
}

/*
 * Called by the kernel for a frame that is left in a map when the map goes, or its
 * element is deleted: that may be done by a tracing program, inside any lock.
 */
__bpf_kfunc void bpf_kcoro_frame_dtor(void *frame)
{
	kcoro_frame_destroy_nolock(frame);
}
CFI_NOSEAL(bpf_kcoro_frame_dtor);

/*
 * A pool, the program's until it moves it to a map or releases it. NULL: see attr->error.
 */
__bpf_kfunc struct kcoro_bpf_pool *bpf_kcoro_pool_create(struct kcoro_bpf_pool_attr *attr,
							 u32 attr__sz)
{
	struct kcoro_bpf_pool *pool;

	if (attr__sz != sizeof(*attr)) {
		if (attr__sz >= offsetofend(struct kcoro_bpf_pool_attr, error))
			attr->error = -EINVAL;
		return NULL;
	}
	pool = kcoro_bpf_pool_create(attr);
	attr->error = PTR_ERR_OR_ZERO(pool);
	return IS_ERR(pool) ? NULL : pool;
}

__bpf_kfunc u64 bpf_kcoro_pool_id(struct kcoro_bpf_pool *pool)
{
	return pool->id;
}

/* Takes the pool: it goes with its last frame and table. */
__bpf_kfunc void bpf_kcoro_pool_release(struct kcoro_bpf_pool *pool)
{
	kcoro_bpf_pool_release(pool);
}

/* Called by the kernel for a pool that is left in a map when the map goes. */
__bpf_kfunc void bpf_kcoro_pool_dtor(void *pool)
{
	kcoro_bpf_pool_release(pool);
}
CFI_NOSEAL(bpf_kcoro_pool_dtor);

/* Of any pool, its owner's or not: 0 or a negative errno. */
__bpf_kfunc int bpf_kcoro_pool_reserve(u64 pool_id, u32 size, u32 count)
{
	return kcoro_pool_reserve_by_id(pool_id ?: kcoro_bpf_pool_default.id, size, count);
}

/*
 * A table, the program's until it moves it to a map or releases it. NULL without
 * memory and when an attribute is wrong.
 */
__bpf_kfunc struct kcoro_table *bpf_kcoro_table_create(const struct kcoro_table_attr *attr,
						       u32 attr__sz)
{
	struct kcoro_table *table;

	if (attr__sz != sizeof(*attr))
		return NULL;
	table = kcoro_table_create(attr);
	return IS_ERR(table) ? NULL : table;
}

__bpf_kfunc u64 bpf_kcoro_table_id(struct kcoro_table *table)
{
	return kcoro_table_id(table);
}

/* Takes the table: its entries end soon after. */
__bpf_kfunc void bpf_kcoro_table_release(struct kcoro_table *table)
{
	kcoro_table_release(table);
}

/* Called by the kernel for a table that is left in a map when the map goes. */
__bpf_kfunc void bpf_kcoro_table_dtor(void *table)
{
	kcoro_table_release(table);
}
CFI_NOSEAL(bpf_kcoro_table_dtor);

/* An entry for this program run alone; it ends with a leave or an end. NULL: see opts->error. */
__bpf_kfunc struct kcoro_entry *bpf_kcoro_table_enter(u64 table_id, const void *key, u32 key__sz,
						      struct kcoro_enter_opts *opts, u32 opts__sz)
{
	if (opts__sz != sizeof(*opts)) {
		if (opts__sz >= offsetofend(struct kcoro_enter_opts, error))
			opts->error = -EINVAL;
		return NULL;
	}
	return kcoro_table_enter(table_id, key, key__sz, opts);
}

/* Takes the entry back; it stays in its table. */
__bpf_kfunc void bpf_kcoro_table_leave(struct kcoro_entry *entry, u64 timeout_ns)
{
	kcoro_table_leave(entry, timeout_ns);
}

/* Takes the entry and frees it. */
__bpf_kfunc void bpf_kcoro_table_end(struct kcoro_entry *entry)
{
	kcoro_table_end(entry);
}

__bpf_kfunc int bpf_kcoro_table_read(u64 table_id, struct kcoro_table_counters *out, u32 out__sz)
{
	struct kcoro_table_counters sum;
	int err;

	err = kcoro_table_read(table_id, &sum);
	memset(out, 0, out__sz);
	memcpy(out, &sum, min_t(size_t, out__sz, sizeof(sum)));
	return err;
}

__bpf_kfunc int bpf_kcoro_counters_read(u32 level, u32 size_class,
					struct kcoro_frame_counters *out, u32 out__sz)
{
	struct kcoro_frame_counters sum = {};
	int err;

	err = kcoro_pool_read_all(level, size_class, &sum);
	memset(out, 0, out__sz);
	memcpy(out, &sum, min_t(size_t, out__sz, sizeof(sum)));
	return err;
}

/* The pool after that one, 0: no more. */
__bpf_kfunc u64 bpf_kcoro_pool_next(u64 pool_id)
{
	return kcoro_pool_next_id(pool_id);
}

__bpf_kfunc int bpf_kcoro_pool_read(u64 pool_id, struct kcoro_pool_info *out, u32 out__sz)
{
	struct kcoro_pool_info info = {};
	int err;

	err = kcoro_pool_info_by_id(pool_id, &info);
	memset(out, 0, out__sz);
	memcpy(out, &info, min_t(size_t, out__sz, sizeof(info)));
	return err;
}

__bpf_kfunc int bpf_kcoro_pool_counters_read(u64 pool_id, u32 level, u32 size_class,
					     struct kcoro_frame_counters *out, u32 out__sz)
{
	struct kcoro_frame_counters sum = {};
	int err;

	err = kcoro_pool_read_by_id(pool_id, level, size_class, &sum);
	memset(out, 0, out__sz);
	memcpy(out, &sum, min_t(size_t, out__sz, sizeof(sum)));
	return err;
}

__bpf_kfunc_end_defs();

/* A module has one set per program type, so what two sets share is a list here. */
#define READER_KFUNCS \
	BTF_ID_FLAGS(func, bpf_kcoro_table_read) \
	BTF_ID_FLAGS(func, bpf_kcoro_counters_read) \
	BTF_ID_FLAGS(func, bpf_kcoro_pool_next) \
	BTF_ID_FLAGS(func, bpf_kcoro_pool_read) \
	BTF_ID_FLAGS(func, bpf_kcoro_pool_counters_read)
#define PACKET_KFUNCS \
	BTF_ID_FLAGS(func, bpf_kcoro_frame_alloc, KF_ACQUIRE | KF_RET_NULL) \
	BTF_ID_FLAGS(func, bpf_kcoro_frame_alloc_from, KF_ACQUIRE | KF_RET_NULL) \
	BTF_ID_FLAGS(func, bpf_kcoro_frame_data, KF_TRUSTED_ARGS | KF_RET_NULL) \
	BTF_ID_FLAGS(func, bpf_kcoro_frame_free, KF_RELEASE) \
	BTF_ID_FLAGS(func, bpf_kcoro_table_enter, KF_ACQUIRE | KF_RET_NULL) \
	BTF_ID_FLAGS(func, bpf_kcoro_table_leave, KF_RELEASE) \
	BTF_ID_FLAGS(func, bpf_kcoro_table_end, KF_RELEASE)

/* bpf_coro.c */
#define SPAWN_KFUNCS \
	BTF_ID_FLAGS(func, bpf_kcoro_ops_id) \
	BTF_ID_FLAGS(func, bpf_kcoro_spawn) \
	BTF_ID_FLAGS(func, bpf_kcoro_spawn_await_key) \
	BTF_ID_FLAGS(func, bpf_kcoro_key_wake) \
	BTF_ID_FLAGS(func, bpf_kcoro_key_wake_all) \
	BTF_ID_FLAGS(func, bpf_kcoro_key_cancel) \
	BTF_ID_FLAGS(func, bpf_kcoro_key_status)

BTF_KFUNCS_START(packet_kfuncs)
PACKET_KFUNCS
SPAWN_KFUNCS
READER_KFUNCS
BTF_KFUNCS_END(packet_kfuncs)

BTF_KFUNCS_START(ops_kfuncs)
PACKET_KFUNCS
SPAWN_KFUNCS
READER_KFUNCS
BTF_ID_FLAGS(func, bpf_kcoro_coro_data, KF_TRUSTED_ARGS | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_kcoro_await_timer, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_await_key, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_await_next, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_await_child, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_spawn_child, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_key_hold, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_key_release, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(ops_kfuncs)

BTF_KFUNCS_START(syscall_kfuncs)
PACKET_KFUNCS
SPAWN_KFUNCS
READER_KFUNCS
BTF_ID_FLAGS(func, bpf_kcoro_pool_create, KF_ACQUIRE | KF_RET_NULL | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_kcoro_pool_id, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_pool_release, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_kcoro_pool_reserve, KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_kcoro_table_create, KF_ACQUIRE | KF_RET_NULL | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_kcoro_table_id, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_kcoro_table_release, KF_RELEASE)
/* coro_kfuncs.c */
BTF_ID_FLAGS(func, bpf_kcoro_coro_list, KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_kcoro_scope_list, KF_SLEEPABLE)
BTF_KFUNCS_END(syscall_kfuncs)

BTF_KFUNCS_START(tracing_kfuncs)
READER_KFUNCS
BTF_ID_FLAGS(func, bpf_kcoro_frame_alloc_nolock, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_kcoro_frame_alloc_from_nolock, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_kcoro_frame_data, KF_TRUSTED_ARGS | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_kcoro_frame_free_nolock, KF_RELEASE)
/* late_wake.c */
BTF_ID_FLAGS(func, bpf_kcoro_key_wake_nolock)
BTF_KFUNCS_END(tracing_kfuncs)

static const struct btf_kfunc_id_set packet_set = { .owner = THIS_MODULE, .set = &packet_kfuncs };
static const struct btf_kfunc_id_set ops_set = { .owner = THIS_MODULE, .set = &ops_kfuncs };
static const struct btf_kfunc_id_set syscall_set = { .owner = THIS_MODULE, .set = &syscall_kfuncs };
static const struct btf_kfunc_id_set tracing_set = { .owner = THIS_MODULE, .set = &tracing_kfuncs };

BTF_ID_LIST(dtor_ids)
BTF_ID(struct, kcoro_frame)
BTF_ID(func, bpf_kcoro_frame_dtor)
BTF_ID(struct, kcoro_table)
BTF_ID(func, bpf_kcoro_table_dtor)
BTF_ID(struct, kcoro_bpf_pool)
BTF_ID(func, bpf_kcoro_pool_dtor)

/*
 * Nothing to undo: the kernel keeps these lists with the module's BTF, and drops
 * both when the module goes. The entry has no destructor on purpose: so it can't
 * be kept in a map.
 */
int __init kcoro_kfuncs_init(void)
{
	static const struct {
		enum bpf_prog_type type;
		const struct btf_kfunc_id_set *set;
	} sets[] = {
		{ BPF_PROG_TYPE_XDP, &packet_set },
		{ BPF_PROG_TYPE_SCHED_CLS, &packet_set },
		{ BPF_PROG_TYPE_STRUCT_OPS, &ops_set },
		{ BPF_PROG_TYPE_SYSCALL, &syscall_set },
		{ BPF_PROG_TYPE_TRACING, &tracing_set },
	};
	const struct btf_id_dtor_kfunc dtors[] = {
		{ .btf_id = dtor_ids[0], .kfunc_btf_id = dtor_ids[1] },
		{ .btf_id = dtor_ids[2], .kfunc_btf_id = dtor_ids[3] },
		{ .btf_id = dtor_ids[4], .kfunc_btf_id = dtor_ids[5] },
	};
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		err = register_btf_kfunc_id_set(sets[i].type, sets[i].set);
		if (err)
			return err;
	}
	return register_btf_id_dtor_kfuncs(dtors, ARRAY_SIZE(dtors), THIS_MODULE);
}
