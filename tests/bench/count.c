// SPDX-License-Identifier: GPL-2.0-only
/* count.c - BPF programs read the counter by a kfunc: they have no instruction for it. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>

#include "bench.h"

__bpf_kfunc_start_defs();

__bpf_kfunc u64 bpf_kcoro_bench_count(void)
{
	return rdtsc();
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(count_kfuncs)
BTF_ID_FLAGS(func, bpf_kcoro_bench_count)
BTF_KFUNCS_END(count_kfuncs)

static const struct btf_kfunc_id_set count_set = { .owner = THIS_MODULE, .set = &count_kfuncs };

int __init bench_count_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &count_set) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &count_set) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &count_set);
}
