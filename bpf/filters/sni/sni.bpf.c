// SPDX-License-Identifier: GPL-2.0-only
/*
 * sni - blocks TLS connections by server name, also when the ClientHello comes in
 * several segments. docs/filters/sni.md tells what it does; sni.h is the contract
 * with the command that attaches it.
 *
 *   kcoro_packet.bpf.h   packet -> TCP segment
 *   kcoro_stream.bpf.h   which bytes of it are new
 *   flow.h               segment -> verdict, the flow's frame
 *   client_hello.h       bytes -> server name
 */
#define config config_of_the_kernel /* vmlinux.h has a type of that name */
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>

#include "sni.h"

#define ENOENT	2
#define ENOMEM	12
#define EBUSY	16

/* What the command sets before the load. */
const volatile struct sni_config config = {
	.hello_timeout_ns = 10000000000ULL,
	.blocked_timeout_ns = 180000000000ULL, /* above the 120 s TCP waits at most */
	.max_hello = 131072,
};

/* Of the flow table, set by sni_setup; 0 names no table. */
__u64 table_id;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct sni_name_key);
	__type(value, __u8);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sni_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} events SEC(".maps");

/* Where a name is turned round: too large for the stack. Used by one run at a time per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sni_name_key);
} scratch SEC(".maps");

#include "flow.h"

/* Table and pool live as long as this map, that is as long as the programs do. */
struct sni_owner {
	struct kcoro_table __kptr *table;
	struct kcoro_bpf_pool __kptr *pool;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sni_owner);
} owner SEC(".maps");

SEC("tcx/ingress")
int sni_tc(struct __sk_buff *skb)
{
	return flow_packet(skb, false, skb->ifindex) == FLOW_DROP ? TCX_DROP : TCX_NEXT;
}

SEC("xdp.frags")
int sni_xdp(struct xdp_md *xdp)
{
	return flow_packet(xdp, true, xdp->ingress_ifindex) == FLOW_DROP ? XDP_DROP : XDP_PASS;
}

/* Run once, between load and attach: makes the flow table. */
SEC("syscall")
int sni_setup(struct sni_setup_args *args)
{
	struct kcoro_table_attr attr = {
		.key_size = sizeof(struct kcoro_packet_key),
		.frame_size = sizeof(struct sni_flow),
		.max_entries = args->max_flows,
		.name = "sni",
	};
	struct kcoro_bpf_pool_attr pool = { .quota = args->pool_quota };
	struct sni_owner *slot;
	__u32 zero = 0;

	_Static_assert(SNI_POOL_NAME_LEN == KCORO_NAME_LEN, "sni.h includes nothing");
	slot = bpf_map_lookup_elem(&owner, &zero);
	if (!slot)
		return -ENOENT;
	__builtin_memcpy(pool.name, args->pool_name, sizeof(pool.name));
	args->pool_id = kcoro_pool_keep(&slot->pool, &pool);
	if (!args->pool_id)
		return pool.error;
	attr.pool_id = args->pool_id;
	table_id = kcoro_table_keep(&slot->table, &attr);
	args->table_id = table_id;
	return table_id ? 0 : -ENOMEM;
}

/* Run at any time: the flow table's counters. */
SEC("syscall")
int sni_read(struct sni_read_args *args)
{
	struct kcoro_table_counters sum = {};
	int error;

	error = bpf_kcoro_table_read(table_id, &sum, sizeof(sum));
	args->created = sum.created;
	args->ended = sum.ended;
	args->expired = sum.expired;
	args->entered = sum.entered;
	args->busy = sum.busy;
	args->full = sum.full;
	args->nomem = sum.nomem;
	return error;
}

char _license[] SEC("license") = "GPL";
