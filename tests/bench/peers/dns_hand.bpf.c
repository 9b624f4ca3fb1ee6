// SPDX-License-Identifier: GPL-2.0-only
/*
 * dns_hand.bpf.c - what the dns filter is compared with: the same job with what every BPF
 * program has. Histograms and counters are the filter's (dns.h), so is the headers' parsing
 * (kcoro_packet.bpf.h). It reads UDP alone: messages in TCP would be a second state machine.
 *
 * A query that waits is an element of a hash map, with the bpf_timer of its timeout. Who
 * deletes the element, answer or timeout, counts it.
 */
#define config config_of_the_kernel
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>

#include <kcoro_packet.bpf.h>
#include <latency/log2_bucket.h>

#include <filters/dns/dns.h>

#define EEXIST		17
#define E2BIG		7
#define HAND_MONOTONIC	1	/* CLOCK_MONOTONIC */
#define HAND_HEADER	12
#define HAND_NAME	255
#define HAND_BYTES	(HAND_HEADER + HAND_NAME + 4)	/* a message that long has its question */

const volatile struct dns_config config = {
	.timeout_ns = 10000000000ULL,
	.port = 53,
};

struct hand_key {
	__u8 client[16];
	__u8 server[16];
	__be16 client_port;
	__u16 id;
	__u32 question;
};

struct hand_query {
	struct bpf_timer timer;
	__u64 sent_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct hand_key);
	__type(value, struct hand_query);
} queries SEC(".maps");

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

/* The message, too large for the stack. */
struct hand_message {
	__u8 bytes[512];	/* HAND_BYTES, to a power of two */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hand_message);
} scratch SEC(".maps");

static const struct dns_latency no_latency;
static const struct dns_server_counters no_counters;

KCORO_INLINE struct dns_counters *count_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&dns_counters, &zero);
}

KCORO_INLINE void no_room(void)
{
	struct dns_counters *count = count_here();

	if (count)
		count->servers_full++;
}

KCORO_INLINE struct dns_server_counters *counters_of(const void *server)
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

KCORO_INLINE void record(const struct hand_key *query, __u32 rcode, __u64 us)
{
	struct dns_latency_key key = { .rcode = rcode };
	struct dns_latency *latency;

	__builtin_memcpy(key.server.address, query->server, sizeof(query->server));
	latency = bpf_map_lookup_elem(&dns_latency_us, &key);
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

/* No answer came in time. */
static int hand_timeout(void *map, struct hand_key *key, struct hand_query *query)
{
	struct dns_server_counters *server;
	__u8 address[16];

	__builtin_memcpy(address, key->server, sizeof(address));
	if (bpf_map_delete_elem(map, key))
		return 0;
	server = counters_of(address);
	if (server) {
		__sync_fetch_and_add(&server->waiting, -1);
		__sync_fetch_and_add(&server->timeouts, 1);
	}
	return 0;
}

KCORO_INLINE void hand_asked(struct dns_counters *count, const struct hand_key *key)
{
	struct hand_query fresh = { .sent_ns = bpf_ktime_get_ns() };
	struct dns_server_counters *server;
	struct hand_query *query;
	long err;

	count->queries++;
	err = bpf_map_update_elem(&queries, key, &fresh, BPF_NOEXIST);
	if (err == -EEXIST) {
		count->retries++;
		server = counters_of(key->server);
		if (server)
			__sync_fetch_and_add(&server->retries, 1);
		return;
	}
	if (err) {
		if (err == -E2BIG)
			count->refused_limit++;
		else
			count->refused_memory++;
		return;
	}
	query = bpf_map_lookup_elem(&queries, key);
	if (!query)
		return;
	if (bpf_timer_init(&query->timer, &queries, HAND_MONOTONIC) ||
	    bpf_timer_set_callback(&query->timer, hand_timeout) ||
	    bpf_timer_start(&query->timer, config.timeout_ns, 0)) {
		bpf_map_delete_elem(&queries, key);
		count->refused_memory++;
		return;
	}
	count->spawned++;
	server = counters_of(key->server);
	if (server)
		__sync_fetch_and_add(&server->waiting, 1);
}

KCORO_INLINE void hand_answered(struct dns_counters *count, const struct hand_key *key, __u32 rcode)
{
	struct hand_query *query = bpf_map_lookup_elem(&queries, key);
	struct dns_server_counters *server;
	__u64 sent, now;

	count->answers++;
	if (!query) {
		count->unasked++;
		return;
	}
	sent = query->sent_ns;
	/* Also by the timeout, or another answer, on another CPU. */
	if (bpf_map_delete_elem(&queries, key)) {
		count->unasked++;
		return;
	}
	server = counters_of(key->server);
	if (server) {
		__sync_fetch_and_add(&server->waiting, -1);
		__sync_fetch_and_add(&server->answered, 1);
	}
	now = bpf_ktime_get_ns();
	record(key, rcode, now > sent ? (now - sent) / 1000 : 0);
}

/* The question's hash, the filter's own; false: it is malformed. */
KCORO_INLINE bool hand_question(const __u8 *bytes, __u32 length, __u32 *question)
{
	__u32 hash = 2166136261U, label = 0, end = 0, i;

	bpf_for(i, HAND_HEADER, HAND_BYTES) {
		__u8 byte;

		if (i >= length || i >= HAND_BYTES)
			return false;
		byte = bytes[i];
		if (end) {
			/* type and class */
		} else if (label) {
			label--;
			if (byte >= 'A' && byte <= 'Z')
				byte += 'a' - 'A';
		} else {
			if (byte > 63 || i + byte + 1 > HAND_HEADER + HAND_NAME)
				return false;
			label = byte;
			if (!byte)
				end = i + 5;
		}
		hash = (hash ^ byte) * 16777619U;
		if (end && i + 1 >= end) {
			*question = hash;
			return true;
		}
	}
	return false;
}

KCORO_INLINE void hand_datagram(const struct kcoro_packet_source *from,
				const struct kcoro_packet *p, struct dns_counters *count)
{
	__u32 n = p->payload_len, zero = 0;
	struct hand_key key = {};
	struct hand_message *m;
	bool answer;

	m = bpf_map_lookup_elem(&scratch, &zero);
	if (!m)
		return;
	if (n > HAND_BYTES)
		n = HAND_BYTES;
	barrier_var(n);
	n &= sizeof(m->bytes) - 1; /* the verifier is told so, and the compiler can't undo it */
	if (n < HAND_HEADER ||
	    kcoro_packet_load(from, p->payload, m->bytes, n) ||
	    (m->bytes[4] | m->bytes[5] && !hand_question(m->bytes, n, &key.question))) {
		count->malformed++;
		return;
	}
	answer = m->bytes[2] & 0x80;
	key.id = m->bytes[0] << 8 | m->bytes[1];
	if (answer && p->key.source_port == bpf_htons(config.port)) {
		__builtin_memcpy(key.client, p->key.dest, sizeof(key.client));
		__builtin_memcpy(key.server, p->key.source, sizeof(key.server));
		key.client_port = p->key.dest_port;
		hand_answered(count, &key, m->bytes[3] & 0xf);
	} else if (!answer && p->key.dest_port == bpf_htons(config.port)) {
		__builtin_memcpy(key.client, p->key.source, sizeof(key.client));
		__builtin_memcpy(key.server, p->key.dest, sizeof(key.server));
		key.client_port = p->key.source_port;
		hand_asked(count, &key);
	}
}

SEC("tcx/ingress")
int dns_hand_tc(struct __sk_buff *skb)
{
	struct kcoro_packet_source from = { skb, false };
	struct kcoro_packet p = {};
	enum kcoro_packet_kind kind;
	struct dns_counters *count;

	kind = kcoro_packet_read(&from, config.raw_ip, KCORO_PACKET_UDP, &p);
	if (kind == KCORO_PACKET_OTHER)
		return TCX_NEXT;
	count = count_here();
	if (!count)
		return TCX_NEXT;
	if (kind == KCORO_PACKET_FRAGMENT)
		count->fragments++;
	else if (p.key.source_port == bpf_htons(config.port) ||
		 p.key.dest_port == bpf_htons(config.port))
		hand_datagram(&from, &p, count);
	return TCX_NEXT;
}

char _license[] SEC("license") = "GPL";
