/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h - the map `frames`: the module's counters as a map that bpftool decodes.
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

#endif /* KCORO_STATS_H */
