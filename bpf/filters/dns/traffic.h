/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * traffic.h - what the dns filter does with a packet: a query spawns a coroutine that awaits
 * the answer, and an answer wakes it.
 *
 * UDP: a datagram is a message. TCP: each direction of a connection is a stream of
 * messages, read by a packet coroutine from the SYN on; where a segment is missing the
 * stream is given up, for nothing is held back here.
 */
#ifndef KCORO_DNS_TRAFFIC_H
#define KCORO_DNS_TRAFFIC_H

#define DNS_MESSAGES 64		/* most that are looked at in one segment */

/* What an answer says to who awaits it: when it came, and its code. */
#define DNS_VALUE(ns, rcode)	((__s64)((ns) << 4 | (rcode)))
#define DNS_VALUE_TIME(value)	((__u64)(value) >> 4)
#define DNS_VALUE_RCODE(value)	((__u32)(value) & (DNS_RCODES - 1))

/* By what a query and its answer find each other; every byte is set. */
struct dns_key {
	__u8 client[16];
	__u8 server[16];
	__be16 client_port;
	__u16 id;
	__u32 question;
	__u32 tcp;
};
_Static_assert(sizeof(struct dns_key) == 44, "the key has no padding");

/* The state of the coroutine. */
struct dns_query {
	__u64 sent_ns;
	struct dns_server server;
};
_Static_assert(sizeof(struct dns_query) <= FILTER_STATE_BYTES, "the pool's quota is reckoned with less");

/* The frame of one direction of a TCP connection. */
struct dns_stream {
	struct kcoro_stream stream;
	__u32 at;		/* kcoro_feed()'s place in the packet at hand */
	__u32 zero;
	struct dns_message message;
};

/* Where a datagram is read: a place in a map, for one run. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dns_stream);
} dns_scratch SEC(".maps");

struct dns_run {
	struct kcoro_packet_source from;
	struct kcoro_packet packet;
	struct dns_counters *count;
	bool to_server;
	bool to_client;
	bool tcp;
};

KCORO_INLINE __u32 dns_skip(void *m, __u32 most)
{
	return kcoro_body_skip(&((struct dns_message *)m)->body, most);
}

KCORO_INLINE int dns_body(void *m, struct kcoro_input *in)
{
	return dns_message_body(m, in);
}

KCORO_INLINE void dns_asked(const struct dns_run *run, const struct dns_key *key)
{
	struct kcoro_spawn_key what = {
		.ops_id = ops_id,
		.table_id = queries_id,
		.timeout_ns = config.timeout_ns,
		.flags = KCORO_KEY_ONLY,
	};
	struct dns_query query = { .sent_ns = bpf_ktime_get_ns() };
	struct dns_server_counters *server;
	int err;

	run->count->queries++;
	__builtin_memcpy(query.server.address, key->server, sizeof(key->server));
	err = bpf_kcoro_spawn_await_key(&what, &query, sizeof(query), key, sizeof(*key));
	switch (err) {
	case 0:
		run->count->spawned++;
		server = counters_of(&query.server);
		if (server)
			__sync_fetch_and_add(&server->waiting, 1);
		break;
	case -EEXIST:
		run->count->retries++;
		server = counters_of(&query.server);
		if (server)
			__sync_fetch_and_add(&server->retries, 1);
		break;
	case -EAGAIN:
		run->count->refused_limit++;
		break;
	case -ENOMEM:
		run->count->refused_memory++;
		break;
	default:
		run->count->refused_other++;
		break;
	}
}

KCORO_INLINE void dns_answered(const struct dns_run *run, const struct dns_key *key, __u32 rcode)
{
	run->count->answers++;
	if (bpf_kcoro_key_wake(queries_id, key, sizeof(*key),
			       DNS_VALUE(bpf_ktime_get_ns(), rcode)))
		run->count->unasked++;
}

/* A message whose beginning is known. */
KCORO_INLINE void dns_message_found(const struct dns_run *run, const struct dns_message *m)
{
	const struct kcoro_packet_key *flow = &run->packet.key;
	bool answer = m->flags & DNS_FLAG_ANSWER;
	struct dns_key key = { .id = m->id, .question = m->question, .tcp = run->tcp };

	if (answer && run->to_client) {
		__builtin_memcpy(key.client, flow->dest, sizeof(key.client));
		__builtin_memcpy(key.server, flow->source, sizeof(key.server));
		key.client_port = flow->dest_port;
		dns_answered(run, &key, m->flags & DNS_FLAGS_RCODE);
	} else if (!answer && run->to_server) {
		__builtin_memcpy(key.client, flow->source, sizeof(key.client));
		__builtin_memcpy(key.server, flow->dest, sizeof(key.server));
		key.client_port = flow->source_port;
		dns_asked(run, &key);
	}
}

/* Reads the packet's bytes from `begin` to `end`; false when they are no messages. */
static __noinline bool dns_feed(const struct dns_run *run, struct dns_stream *s, __u32 begin,
				__u32 end)
{
	__u32 i;

	s->at = begin;
	bpf_for(i, 0, DNS_MESSAGES) {
		switch (kcoro_feed(&run->from, &s->at, s->at, end, &s->message, dns_skip, dns_body,
				   DNS_MALFORMED)) {
		case DNS_FOUND:
			dns_message_found(run, &s->message);
			continue;
		case DNS_MORE:
			return true;
		}
		return false;
	}
	return true;
}

/* A datagram has no length in front: it is its own. */
KCORO_INLINE void dns_datagram(const struct dns_run *run)
{
	const struct kcoro_packet *p = &run->packet;
	struct kcoro_input length = {
		.end = 2,
		.bytes = { p->payload_len >> 8, p->payload_len },
	};
	struct dns_stream *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&dns_scratch, &zero);
	if (!s)
		return;
	__builtin_memset(s, 0, sizeof(*s));
	if (dns_message_body(&s->message, &length) ||
	    !dns_feed(run, s, p->payload, p->payload + p->payload_len))
		run->count->malformed++;
}

KCORO_INLINE void dns_segment(const struct dns_run *run)
{
	const struct kcoro_packet *p = &run->packet;
	bool syn = p->flags & KCORO_TCP_SYN;
	struct kcoro_enter_opts opts = { .flags = syn ? KCORO_ENTER_CREATE : 0 };
	__u32 seq = p->seq + syn, old = 0;
	struct kcoro_entry *entry;
	struct dns_stream *s;
	bool over;

	entry = bpf_kcoro_table_enter(streams_id, &p->key, sizeof(p->key), &opts, sizeof(opts));
	if (!entry) {
		if (opts.error == -EBUSY)
			run->count->busy++;
		else if (syn)
			run->count->no_stream++;
		return;
	}
	s = (struct dns_stream *)bpf_kcoro_frame_data(&entry->frame, sizeof(*s));
	if (!s) {
		bpf_kcoro_table_end(entry);
		return;
	}
	if (opts.created || (syn && s->stream.start != seq)) {
		__builtin_memset(s, 0, sizeof(*s));
		kcoro_stream_start(&s->stream, seq);
		run->count->streams++;
	}
	over = p->flags & (KCORO_TCP_FIN | KCORO_TCP_RST);
	switch (kcoro_stream_take(&s->stream, seq, p->payload_len, &old)) {
	case KCORO_STREAM_NEW:
		if (!dns_feed(run, s, p->payload + old, p->payload + p->payload_len)) {
			run->count->malformed++;
			over = true;
		}
		break;
	case KCORO_STREAM_EARLY:
		run->count->gaps++;
		over = true;
		break;
	default:
		break;
	}
	if (over)
		bpf_kcoro_table_end(entry);
	else
		bpf_kcoro_table_leave(entry, config.idle_ns);
}

KCORO_INLINE void dns_packet(struct __sk_buff *skb)
{
	struct dns_run run = { .from = { skb, false } };
	struct kcoro_packet *p = &run.packet;
	enum kcoro_packet_kind kind;

	kind = kcoro_packet_read(&run.from, config.raw_ip, KCORO_PACKET_TCP | KCORO_PACKET_UDP, p);
	if (kind == KCORO_PACKET_OTHER)
		return;
	run.count = count_here();
	if (!run.count)
		return;
	if (kind == KCORO_PACKET_FRAGMENT) {
		run.count->fragments++;
		return;
	}
	run.to_server = p->key.dest_port == bpf_htons(config.port);
	run.to_client = p->key.source_port == bpf_htons(config.port);
	if (!run.to_server && !run.to_client)
		return;
	run.tcp = kind == KCORO_PACKET_TCP;
	if (!run.tcp)
		dns_datagram(&run);
	else if (p->payload_len ||
		 p->flags & (KCORO_TCP_SYN | KCORO_TCP_FIN | KCORO_TCP_RST))
		dns_segment(&run);
}

#endif /* KCORO_DNS_TRAFFIC_H */
