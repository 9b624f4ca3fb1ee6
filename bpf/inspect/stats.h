/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h - the maps `frames`, `pools` and `pool_frames`: the module's counters as maps
 * that bpftool decodes.
 *
 * Include kcoro/abi.h first.
 */
#ifndef KCORO_STATS_H
#define KCORO_STATS_H

#define FRAME_STATS_ROWS ((unsigned int)KCORO_LEVELS * KCORO_CLASSES)

/* Element level * KCORO_CLASSES + size_class of the array `frames`. */
struct frame_stats {
	enum kcoro_level level;
	enum kcoro_class size_class;
	struct kcoro_frame_counters counters;
};

/* Pools that are shown; those created after so many others are not. */
#define POOLS_SHOWN 64

/* Key of the hash map `pool_frames`, whose values are struct kcoro_frame_counters. */
struct pool_frames_key {
	__u64 pool_id;
	enum kcoro_level level;
	enum kcoro_class size_class;
};

#endif /* KCORO_STATS_H */
