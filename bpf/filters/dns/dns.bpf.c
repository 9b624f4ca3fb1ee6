// SPDX-License-Identifier: GPL-2.0-only
/*
 * dns - how long DNS servers take to answer, and which queries they never do.
 * docs/filters/dns.md tells what it does; dns.h is the contract with the command.
 *
 *   message.h    bytes -> id, flags, question
 *   traffic.h    packet -> messages; a query spawns, an answer wakes
 *   here         the coroutine of a query, from top to bottom; maps, tables, programs
 */
#define config config_of_the_kernel /* vmlinux.h has a type of that name */
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <filters/pool/filter_pool.h>
#include <kcoro.bpf.h>
#include <kcoro_keep.bpf.h>
#include <kcoro_packet.bpf.h>
#include <kcoro_stream.bpf.h>
#include <latency/log2_bucket.h>

#include "dns.h"
#include "message.h"

#define ENOENT		2
#define EAGAIN		11
#define ENOMEM		12
#define EBUSY		16
#define EEXIST		17
#define ETIMEDOUT	110

char _license[] SEC("license") = "GPL";

/* What the command sets before the load. */
const volatile struct dns_config config = {
	.timeout_ns = 10000000000ULL,
	.idle_ns = 120000000000ULL,
	.port = 53,
	.ops_name = "dns",
};

/* Set by dns_setup and dns_find; 0 names nothing. */
__u64 ops_id, queries_id, streams_id;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DNS_LATENCIES);
	__type(key, struct dns_latency_key);
	__type(value, struct dns_latency);
} dns_latency_us SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DNS_SERVERS);
	__type(key, struct dns_server);
	__type(value, struct dns_server_counters);
} dns_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dns_counters);
} dns_counters SEC(".maps");

/* What new entries begin with. */
static const struct dns_latency no_latency;
static const struct dns_server_counters no_counters;

static __always_inline struct dns_counters *count_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&dns_counters, &zero);
}

static __always_inline void no_room(void)
{
	struct dns_counters *count = count_here();

	if (count)
		count->servers_full++;
}

static __always_inline struct dns_server_counters *counters_of(const struct dns_server *server)
{
	struct dns_server_counters *found = bpf_map_lookup_elem(&dns_servers, server);

	if (found)
		return found;
	bpf_map_update_elem(&dns_servers, server, &no_counters, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&dns_servers, server);
	if (!found)
		no_room();
	return found;
}

static __always_inline void record(const struct dns_server *server, __u32 rcode, __u64 us)
{
	struct dns_latency_key key = { .server = *server, .rcode = rcode };
	struct dns_latency *latency = bpf_map_lookup_elem(&dns_latency_us, &key);

	if (!latency) {
		bpf_map_update_elem(&dns_latency_us, &key, &no_latency, BPF_NOEXIST);
		latency = bpf_map_lookup_elem(&dns_latency_us, &key);
	}
	if (!latency) {
		no_room();
		return;
	}
	__sync_fetch_and_add(&latency->count, 1);
	__sync_fetch_and_add(&latency->sum_us, us);
	__sync_fetch_and_add(&latency->bucket_log2_us[log2_bucket(us, DNS_LATENCY_BUCKETS)], 1);
}

#include "traffic.h"

/* A query that awaits its answer: spawned by its packet, called with what came first. */
SEC("struct_ops/resume")
int BPF_PROG(dns_resume, struct kcoro_bpf_coro *co, __s64 value, __s32 error)
{
	struct dns_query *query = (struct dns_query *)bpf_kcoro_coro_data(co, sizeof(*query));
	struct dns_server_counters *server;
	__u64 at;

	if (!query)
		return KCORO_NEXT_DONE;
	server = counters_of(&query->server);
	if (server)
		__sync_fetch_and_add(&server->waiting, -1);
	if (error) {
		if (server)
			__sync_fetch_and_add(error == -ETIMEDOUT ? &server->timeouts :
								   &server->broken, 1);
		return KCORO_NEXT_DONE;
	}
	if (server)
		__sync_fetch_and_add(&server->answered, 1);
	at = DNS_VALUE_TIME(value);
	record(&query->server, DNS_VALUE_RCODE(value),
	       at > query->sent_ns ? (at - query->sent_ns) / 1000 : 0);
	return KCORO_NEXT_DONE;
}

SEC(".struct_ops.link")
struct kcoro_ops dns_ops = {
	.resume = (void *)dns_resume,
	.name = "dns",
	.frame_size = sizeof(struct dns_query),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
};

SEC("tcx/ingress")
int dns_tc(struct __sk_buff *skb)
{
	dns_packet(skb);
	return TCX_NEXT;
}

/* The tables live as long as this map, that is as long as the programs do. */
struct dns_owner {
	struct kcoro_table __kptr *queries;
	struct kcoro_table __kptr *streams;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dns_owner);
} dns_owner SEC(".maps");

/* Run once, between load and attach: makes the tables. 0 or a negative errno. */
SEC("syscall")
int dns_setup(struct dns_setup_args *args)
{
	struct kcoro_table_attr queries = {
		.key_size = sizeof(struct dns_key),
		.frame_size = 8,	/* nobody enters an entry: it is for waits alone */
		.max_entries = args->max_queries,
		.pool_id = args->pool_id,
		.name = "dns-queries",
	};
	struct kcoro_table_attr streams = {
		.key_size = sizeof(struct kcoro_packet_key),
		.frame_size = sizeof(struct dns_stream),
		.max_entries = args->max_queries,
		.pool_id = args->pool_id,
		.name = "dns-streams",
	};
	struct dns_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&dns_owner, &zero);
	if (!slot)
		return -ENOENT;
	queries_id = kcoro_table_keep(&slot->queries, &queries);
	streams_id = kcoro_table_keep(&slot->streams, &streams);
	return queries_id && streams_id ? 0 : -ENOMEM;
}

/* Run once dns_ops is attached. 0, or -ENOENT. */
SEC("syscall")
int dns_find(void *ctx)
{
	ops_id = bpf_kcoro_ops_id((const char *)config.ops_name);
	return ops_id ? 0 : -ENOENT;
}
