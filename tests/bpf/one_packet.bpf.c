// SPDX-License-Identifier: GPL-2.0-only
/*
 * one_packet - the usual SNI filter, for comparison: it looks at each segment
 * alone and drops it when a listed name stands whole in it, behind the beginning
 * of a ClientHello. It reads with sni's own parser, so that the one difference
 * is that it remembers nothing.
 */
#define config config_of_the_kernel /* vmlinux.h has a type of that name */
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>

#include "client_hello.h"

#define EBUSY	16

const volatile struct sni_config config = {
	.max_hello = 131072,
};

__u64 table_id;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
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
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sni_name_key);
} scratch SEC(".maps");

/* The parse of one segment: gone with it. */
struct parse {
	struct sni_hello hello;
	__u32 at;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct parse);
} parses SEC(".maps");

#include "flow.h"

static __always_inline enum sni_action one_packet(void *ctx, bool xdp)
{
	struct flow_run run = { .from = { ctx, xdp } };
	struct kcoro_packet *p = &run.packet;
	struct parse *parse;
	__u32 zero = 0;

	if (kcoro_packet_read(&run.from, false, KCORO_PACKET_TCP, p) != KCORO_PACKET_TCP ||
	    !p->payload_len)
		return FLOW_PASS;
	if (config.port && p->key.dest_port != bpf_htons(config.port))
		return FLOW_PASS;
	run.count = bpf_map_lookup_elem(&counters, &zero);
	parse = bpf_map_lookup_elem(&parses, &zero);
	if (!run.count || !parse)
		return FLOW_PASS;
	run.count->segments++;
	run.count->bytes += p->payload_len;
	__builtin_memset(parse, 0, sizeof(*parse));
	sni_hello_start(&parse->hello, config.max_hello);
	if (kcoro_feed(&run.from, &parse->at, p->payload, p->payload + p->payload_len,
		       &parse->hello, flow_skip, flow_body,
		       SNI_FOUND_MALFORMED) != SNI_FOUND_NAME)
		return FLOW_PASS;
	run.count->hellos++;
	if (!flow_listed(&parse->hello)) {
		run.count->verdict[SNI_PASS]++;
		return FLOW_PASS;
	}
	run.count->verdict[SNI_BLOCK]++;
	run.count->dropped++;
	return FLOW_DROP;
}

SEC("tcx/ingress")
int one_packet_tc(struct __sk_buff *skb)
{
	return one_packet(skb, false) == FLOW_DROP ? TCX_DROP : TCX_NEXT;
}

SEC("xdp.frags")
int one_packet_xdp(struct xdp_md *xdp)
{
	return one_packet(xdp, true) == FLOW_DROP ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
