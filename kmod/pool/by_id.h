/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * by_id.h - pools by their numbers, for those who own none: what reads statistics, and
 * the command. A pool may go at any time; its number then names nothing, and never
 * another one.
 */
#ifndef KCORO_BY_ID_H
#define KCORO_BY_ID_H

#include <linux/types.h>

#include <kcoro/kcoro.h>

u64 kcoro_pool_id(const struct kcoro_pool *pool);
u64 kcoro_pool_next_id(u64 id);
int kcoro_pool_info_by_id(u64 id, struct kcoro_pool_info *out);
int kcoro_pool_read_by_id(u64 id, unsigned int level, unsigned int cls,
			  struct kcoro_frame_counters *out);
int kcoro_pool_read_all(unsigned int level, unsigned int cls, struct kcoro_frame_counters *out);
int kcoro_pool_reserve_by_id(u64 id, size_t size, unsigned int count);

#endif /* KCORO_BY_ID_H */
