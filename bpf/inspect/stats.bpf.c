// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats.bpf.c - the module's own counters, readable without the kcoro command.
 *
 *   stats          iterator: `cat` of its pin prints a table, fresh from the module
 *   frames         map: what the iterator, the ticker and frames_refresh filled in
 *   ticker_arm     syscall program: from now on refresh `frames` every second, for
 *                  as long as the map `ticker` is pinned or open
 *   frames_refresh syscall program: refresh `frames` now
 *
 * pool_stats.bpf.h has the same by pool, refreshed at the same times; but for `pool_stats`
 * by the read of that, where there is no timer.
 *
 * Nothing here counts events: the numbers are the module's, so none is missed.
 * PREEMPT_RT has no bpf_timer: there ticker_arm is not loaded, and `frames` is as
 * old as the last read of `stats`.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <kcoro.bpf.h>
#include "stats.h"
#include "pool_stats.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define CLOCK_MONOTONIC 1
#define TICK_NS 1000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_STATS_ROWS);
	__type(key, __u32);
	__type(value, struct frame_stats);
} frames SEC(".maps");

struct ticker {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ticker);
} ticker SEC(".maps");

static const char level_names[KCORO_LEVELS][8] = { "task", "softirq", "hardirq", "nmi" };

static __always_inline int refresh(void)
{
	for (__u32 i = 0; i < FRAME_STATS_ROWS; i++) {
		__u32 key = i;
		struct frame_stats *row = bpf_map_lookup_elem(&frames, &key);
		int err;

		if (!row)
			return -2; /* cannot be: the verifier wants it */
		row->level = i / KCORO_CLASSES;
		row->size_class = i % KCORO_CLASSES;
		err = bpf_kcoro_counters_read(i / KCORO_CLASSES, i % KCORO_CLASSES,
					      &row->counters, sizeof(row->counters));
		if (err)
			return err;
	}
	return 0;
}

SEC("syscall")
int frames_refresh(void *ctx)
{
	return refresh();
}

static int tick(void *map, __u32 *key, struct ticker *value)
{
	refresh();
	pools_refresh();
	bpf_timer_start(&value->timer, TICK_NS, 0);
	return 0;
}

SEC("syscall")
int ticker_arm(void *ctx)
{
	__u32 zero = 0;
	struct ticker *value = bpf_map_lookup_elem(&ticker, &zero);
	int err;

	if (!value)
		return -2;
	err = bpf_timer_init(&value->timer, &ticker, CLOCK_MONOTONIC);
	if (err)
		return err;
	err = bpf_timer_set_callback(&value->timer, tick);
	if (err)
		return err;
	err = refresh();
	if (err)
		return err;
	pools_refresh();
	return bpf_timer_start(&value->timer, TICK_NS, 0);
}

static __always_inline void print_totals(struct seq_file *seq)
{
	__u64 allocs = 0, frees = 0;

	for (__u32 i = 0; i < FRAME_STATS_ROWS; i++) {
		struct kcoro_frame_counters now = {};

		if (bpf_kcoro_counters_read(i / KCORO_CLASSES, i % KCORO_CLASSES, &now,
					    sizeof(now)))
			return;
		allocs += now.allocs;
		frees += now.frees;
	}
	BPF_SEQ_PRINTF(seq, "total allocs %llu frees %llu live %lld\n", allocs, frees,
		       allocs - frees);
}

/* The test stands beside the use: what was tested before the compiler may have forgotten. */
static __always_inline const char *level_name(__u32 level)
{
	barrier_var(level);
	return level < KCORO_LEVELS ? level_names[level] : "";
}

SEC("iter/bpf_map_elem")
int stats(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct frame_stats *row = ctx->value;
	__u32 *key = ctx->key;
	struct kcoro_frame_counters now = {};
	__u32 level, size_class;

	if (ctx->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "%-7s %5s %11s %11s %9s %9s %8s %8s\n", "level",
			       "bytes", "allocs", "frees", "misses", "frmiss", "failed",
			       "deferred");
	if (!key || !row) {
		print_totals(seq);
		return 0;
	}
	level = *key / KCORO_CLASSES;
	size_class = *key % KCORO_CLASSES;
	if (level >= KCORO_LEVELS ||
	    bpf_kcoro_counters_read(level, size_class, &now, sizeof(now)))
		return 0;
	row->level = level;
	row->size_class = size_class;
	row->counters = now;
	if (!now.allocs && !now.frees && !now.failures)
		return 0;
	/* misses: allocations that found the magazine empty; frmiss: frees that found it full */
	BPF_SEQ_PRINTF(seq, "%-7s %5u %11llu %11llu %9llu %9llu %8llu %8llu\n",
		       level_name(level), KCORO_CLASS_SIZE(size_class),
		       now.allocs, now.frees, now.alloc_misses, now.free_misses,
		       now.failures, now.deferred);
	return 0;
}
