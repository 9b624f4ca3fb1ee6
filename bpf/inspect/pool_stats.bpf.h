/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool_stats.bpf.h - part of stats.bpf.c: the same by pool.
 *
 *   pool_stats     iterator: `cat` of its pin prints a line per pool
 *   pools          map: number of a pool -> what it is, has and holds
 *   pool_frames    map: pool, level and class -> frame counters, of what was used
 *
 * The maps are filled by pools_refresh(), and pools that are gone are taken out then.
 */
#ifndef KCORO_POOL_STATS_BPF_H
#define KCORO_POOL_STATS_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POOLS_SHOWN);
	__type(key, __u64);
	__type(value, struct kcoro_pool_info);
} pools SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POOLS_SHOWN * KCORO_LEVELS * KCORO_CLASSES);
	__type(key, struct pool_frames_key);
	__type(value, struct kcoro_frame_counters);
} pool_frames SEC(".maps");

/* What the iterator goes over: in element n the number of the n-th pool, set on the way. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POOLS_SHOWN);
	__type(key, __u32);
	__type(value, __u64);
} pool_index SEC(".maps");

#define NO_MORE_POOLS (~0ULL)

static const struct kcoro_pool_info no_info;

__noinline int pool_refresh(__u64 id)
{
	struct pool_frames_key key = { .pool_id = id };
	struct kcoro_frame_counters now;
	struct kcoro_pool_info *row;

	row = bpf_map_lookup_elem(&pools, &id);
	if (!row) {
		bpf_map_update_elem(&pools, &id, &no_info, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&pools, &id);
	}
	if (!row || bpf_kcoro_pool_read(id, row, sizeof(*row)))
		return 0;
	for (__u32 i = 0; i < FRAME_STATS_ROWS; i++) {
		key.level = i / KCORO_CLASSES;
		key.size_class = i % KCORO_CLASSES;
		if (bpf_kcoro_pool_counters_read(id, key.level, key.size_class, &now, sizeof(now)))
			return 0;
		if (now.allocs || now.frees || now.failures)
			bpf_map_update_elem(&pool_frames, &key, &now, BPF_ANY);
	}
	return 0;
}

static __always_inline bool is_gone(__u64 id)
{
	return bpf_kcoro_pool_next(id - 1) != id;
}

static long drop_pool(struct bpf_map *map, __u64 *id, struct kcoro_pool_info *row, void *unused)
{
	if (is_gone(*id))
		bpf_map_delete_elem(map, id);
	return 0;
}

static long drop_frames(struct bpf_map *map, struct pool_frames_key *key,
			struct kcoro_frame_counters *row, void *unused)
{
	if (is_gone(key->pool_id))
		bpf_map_delete_elem(map, key);
	return 0;
}

static __always_inline void pools_refresh(void)
{
	__u64 id = 0;
	__u32 i;

	bpf_for_each_map_elem(&pools, drop_pool, NULL, 0);
	bpf_for_each_map_elem(&pool_frames, drop_frames, NULL, 0);
	bpf_for(i, 0, POOLS_SHOWN) {
		id = bpf_kcoro_pool_next(id);
		if (!id)
			break;
		pool_refresh(id);
	}
}

static __always_inline __u64 kib(__u64 bytes)
{
	return (bytes + 1023) / 1024;
}

static __always_inline __u64 failures_of(__u64 id)
{
	struct kcoro_frame_counters now = {};
	__u64 sum = 0;

	for (__u32 i = 0; i < FRAME_STATS_ROWS; i++) {
		if (bpf_kcoro_pool_counters_read(id, i / KCORO_CLASSES, i % KCORO_CLASSES, &now,
						 sizeof(now)))
			break;
		sum += now.failures;
	}
	return sum;
}

SEC("iter/bpf_map_elem")
int pool_stats(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kcoro_pool_info *row;
	__u64 *place = ctx->value, *before, id = 0;
	__u32 *key = ctx->key, last;

	if (ctx->meta->seq_num == 0) {
		BPF_SEQ_PRINTF(seq, "%4s %-15s %9s %8s %8s %8s %8s %8s\n", "id", "pool",
			       "quota KiB", "held KiB", "most KiB", "live KiB", "rsvd KiB",
			       "failed");
		pools_refresh();
	}
	if (!key || !place)
		return 0;
	if (*key) {
		last = *key - 1;
		before = bpf_map_lookup_elem(&pool_index, &last);
		if (before)
			id = *before;
	}
	if (id != NO_MORE_POOLS)
		id = bpf_kcoro_pool_next(id);
	if (!id)
		id = NO_MORE_POOLS;
	*place = id;
	row = bpf_map_lookup_elem(&pools, &id);
	if (!row)
		return 0;
	/* A quota of 0 is none. */
	BPF_SEQ_PRINTF(seq, "%4llu %-15s %9llu %8llu %8llu %8llu %8llu %8llu\n", id, row->name,
		       kib(row->quota), kib(row->held), kib(row->held_most), kib(row->live),
		       kib(row->reserved), failures_of(id));
	return 0;
}

#endif /* KCORO_POOL_STATS_BPF_H */
