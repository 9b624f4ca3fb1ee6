// SPDX-License-Identifier: GPL-2.0-only
/*
 * dns_lru.bpf.c - what the dns filter is compared with: queries in an LRU hash map, as tools
 * without coroutines keep them. The answer looks its query up; nobody looks for what was
 * never answered.
 */
#define config config_of_the_kernel
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>

#include <kcoro_packet.bpf.h>

#include "dns_lru.h"

struct lru_key {
	struct kcoro_packet_key flow;	/* client to server */
	__u16 id;
	__u16 zero;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 10000);
	__type(key, struct lru_key);
	__type(value, __u64);
} waiting SEC(".maps");

struct dns_lru_counters seen;

SEC("tcx/ingress")
int dns_lru(struct __sk_buff *skb)
{
	struct kcoro_packet_source from = { skb, false };
	struct kcoro_packet p = {};
	struct lru_key key = {};
	__u64 now = bpf_ktime_get_ns();
	struct {
		__be16 id;
		__be16 flags;
	} header;

	if (kcoro_packet_read(&from, false, KCORO_PACKET_UDP, &p) != KCORO_PACKET_UDP ||
	    kcoro_packet_load(&from, p.payload, &header, sizeof(header)))
		return TCX_NEXT;
	key.id = header.id;
	if (p.key.dest_port == bpf_htons(53)) {
		key.flow = p.key;
		bpf_map_update_elem(&waiting, &key, &now, BPF_ANY);
		__sync_fetch_and_add(&seen.queries, 1);
	} else if (p.key.source_port == bpf_htons(53)) {
		kcoro_packet_key_turn(&p.key, &key.flow);
		__sync_fetch_and_add(&seen.answers, 1);
		if (bpf_map_lookup_elem(&waiting, &key)) {
			bpf_map_delete_elem(&waiting, &key);
			__sync_fetch_and_add(&seen.matched, 1);
		}
	}
	return TCX_NEXT;
}

char _license[] SEC("license") = "GPL";
