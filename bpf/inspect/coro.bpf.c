// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro.bpf.c - live coroutines and scopes, for the kcoro command.
 *
 *   coro_list    syscall program: fills `rows` with struct kcoro_coro_info, as `query` says
 *   scope_list   syscall program: fills `scopes` with struct kcoro_scope_info; returns how
 *                many there are
 *
 * Who loads this says how large the two maps' only values are, in bytes.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <kcoro.bpf.h>

char LICENSE[] SEC("license") = "GPL";

#define ENOENT 2

const volatile __u32 rows_bytes = sizeof(struct kcoro_coro_info);
const volatile __u32 scopes_bytes = sizeof(struct kcoro_scope_info);

struct kcoro_coro_query query;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kcoro_coro_info));
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kcoro_scope_info));
} scopes SEC(".maps");

SEC("syscall")
int coro_list(void *ctx)
{
	__u32 zero = 0;
	void *to = bpf_map_lookup_elem(&rows, &zero);

	if (!to)
		return -ENOENT; /* cannot be: the verifier wants it */
	query.row_size = sizeof(struct kcoro_coro_info);
	return bpf_kcoro_coro_list(&query, sizeof(query), to, rows_bytes);
}

SEC("syscall")
int scope_list(void *ctx)
{
	__u32 zero = 0;
	void *to = bpf_map_lookup_elem(&scopes, &zero);

	if (!to)
		return -ENOENT;
	return bpf_kcoro_scope_list(to, scopes_bytes, sizeof(struct kcoro_scope_info));
}
