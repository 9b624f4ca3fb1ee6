// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_kfuncs.c - coroutines and scopes as BPF programs see them; registered in kfuncs.c,
 * documented in bpf/kcoro.bpf.h. They may sleep, and are for syscall programs.
 */
#include <linux/bpf.h>
#include <linux/btf.h>

#include "../coro/scope.h"

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_kcoro_coro_list(struct kcoro_coro_query *query, u32 query__sz, void *rows,
				    u32 rows__sz)
{
	if (query__sz != sizeof(*query))
		return -EINVAL;
	return kcoro_list_coros(query, rows, rows__sz);
}

__bpf_kfunc int bpf_kcoro_scope_list(void *rows, u32 rows__sz, u32 row_size)
{
	return kcoro_list_scopes(rows, rows__sz, row_size);
}

__bpf_kfunc_end_defs();
