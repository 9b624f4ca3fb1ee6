// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_bpf.bpf.c - what `make bench` measures from BPF: one program per row, its
 * name OPERATION__SUBJECT__SIZE, run by bench_bpf.cc.
 *
 * A run is a batch of 64 pairs, written out: with a loop (an open-coded iterator,
 * or bpf_loop) each pair would carry the loop's own calls. It reads the counter
 * before and after by a kfunc, so that nothing of BPF_PROG_TEST_RUN is counted.
 *
 * To add a row: PROGRAM(name, what to do 64 times). Programs without such a name are
 * run once, before all others.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bench_bpf.h"
#include "kcoro.bpf.h"
#include "kcoro_keep.bpf.h"

extern __u64 bpf_kcoro_bench_count(void) __ksym;
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;

/* What each run of the program since runs = 0 counted; 0: something was not to be had. */
__u64 totals[BENCH_RUNS_MAX];
__u32 runs;

#define TIMES_4(x) x x x x
#define TIMES_64(x) TIMES_4(TIMES_4(TIMES_4(x)))

static __always_inline void note(__u64 count)
{
	__u32 run = runs++;

	if (run < BENCH_RUNS_MAX)
		totals[run] = count;
}

#define PROGRAM(name, pair)				\
	SEC("tc")					\
	int name(struct __sk_buff *skb)			\
	{						\
		__u64 begin = bpf_kcoro_bench_count();	\
							\
		TIMES_64(pair)				\
		note(bpf_kcoro_bench_count() - begin);	\
		return 0;				\
	nothing: __attribute__((unused))		\
		note(0);				\
		return 0;				\
	}

PROGRAM(alloc_free__empty_loop__0, ;)

#define KCORO(bytes)							\
	{								\
		struct kcoro_frame *frame = bpf_kcoro_frame_alloc(bytes);\
									\
		if (!frame)						\
			goto nothing;					\
		bpf_kcoro_frame_free(frame);				\
	}

PROGRAM(alloc_free__kcoro__64, KCORO(64))
PROGRAM(alloc_free__kcoro__128, KCORO(128))
PROGRAM(alloc_free__kcoro__512, KCORO(512))
PROGRAM(alloc_free__kcoro__2048, KCORO(2048))

/* From a pool of the program's own, by its number. */
struct pool_owner {
	struct kcoro_bpf_pool __kptr *pool;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pool_owner);
} pool_owner SEC(".maps");

__u64 own_pool;

SEC("syscall")
int make_pool(void *ctx)
{
	struct kcoro_bpf_pool_attr attr = { .quota = 8 << 20, .name = "bench" };
	struct pool_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&pool_owner, &zero);
	if (!slot)
		return -2;
	own_pool = kcoro_pool_keep(&slot->pool, &attr);
	return own_pool ? 0 : attr.error;
}

#define KCORO_OWN_POOL(bytes)						\
	{								\
		struct kcoro_frame *frame =				\
			bpf_kcoro_frame_alloc_from(own_pool, bytes);	\
									\
		if (!frame)						\
			goto nothing;					\
		bpf_kcoro_frame_free(frame);				\
	}

PROGRAM(alloc_free__kcoro_own_pool__64, KCORO_OWN_POOL(64))
PROGRAM(alloc_free__kcoro_own_pool__128, KCORO_OWN_POOL(128))
PROGRAM(alloc_free__kcoro_own_pool__512, KCORO_OWN_POOL(512))
PROGRAM(alloc_free__kcoro_own_pool__2048, KCORO_OWN_POOL(2048))

/*
 * A frame comes zeroed, an object of bpf_obj_new() as its last user left it: so
 * the program zeroes it, with one instruction for 8 bytes. volatile keeps the
 * compiler from leaving that out.
 */
struct bytes_64 {
	__u64 data[64 / 8];
};

struct bytes_128 {
	__u64 data[128 / 8];
};

struct bytes_512 {
	__u64 data[512 / 8];
};

struct bytes_2048 {
	__u64 data[2048 / 8];
};

static __always_inline void zero(volatile __u64 *data, __u32 words)
{
	__u32 i;

#pragma clang loop unroll(full)
	for (i = 0; i < words; i++)
		data[i] = 0;
}

#define BPF_OBJ(bytes)							\
	{								\
		struct bytes_##bytes *object = bpf_obj_new_impl(	\
			bpf_core_type_id_local(struct bytes_##bytes), NULL); \
									\
		if (!object)						\
			goto nothing;					\
		zero(object->data, bytes / 8);					\
		bpf_obj_drop_impl(object, NULL);			\
	}

PROGRAM(alloc_free__bpf_obj__64, BPF_OBJ(64))
PROGRAM(alloc_free__bpf_obj__128, BPF_OBJ(128))
PROGRAM(alloc_free__bpf_obj__512, BPF_OBJ(512))
PROGRAM(alloc_free__bpf_obj__2048, BPF_OBJ(2048))

char LICENSE[] SEC("license") = "GPL";
