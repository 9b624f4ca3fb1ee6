// SPDX-License-Identifier: GPL-2.0-only
/*
 * count.bpf.c - counts what a packet's program takes, from its first instruction to its return:
 * `before` and `after` are attached to it as fentry and fexit. With `nothing` they count
 * themselves.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

extern __u64 bpf_kcoro_bench_count(void) __ksym;

__u64 begin, counted;
__u32 runs;

SEC("fentry")
int before(void *ctx)
{
	begin = bpf_kcoro_bench_count();
	return 0;
}

SEC("fexit")
int after(void *ctx)
{
	counted = bpf_kcoro_bench_count() - begin;
	runs++;
	return 0;
}

SEC("tcx/ingress")
int nothing(struct __sk_buff *skb)
{
	return TCX_NEXT;
}

char _license[] SEC("license") = "GPL";
