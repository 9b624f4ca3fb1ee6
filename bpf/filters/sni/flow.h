/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow.h - what the filter does with a TCP segment.
 *
 *                 SYN                      name not listed, no name, not TLS,
 *   (no entry) ---------> PENDING ------>  malformed, RST, FIN, deadline   ---> (no entry)
 *        ^                 |  ^ |
 *        |                 +--+ | listed name; closed: too large
 *        |          more needed v
 *        +------------------ BLOCKED   every segment with payload or FIN is dropped
 *          silent for blocked_timeout
 *
 * An entry exists only from a SYN on, so the number of the stream's first byte is
 * known; segments of other flows pass. A SYN with another number is a new
 * connection and starts over, whatever the entry was.
 *
 * Only bytes that come next are read. An early segment is dropped, and TCP sends
 * it again; so nothing passes that has not been read. Bytes that were read once
 * pass when they come again, until the flow is blocked.
 */
#ifndef KCORO_SNI_FLOW_H
#define KCORO_SNI_FLOW_H

#include <kcoro.bpf.h>
#include <kcoro_keep.bpf.h>
#include <kcoro_packet.bpf.h>
#include <kcoro_stream.bpf.h>
#include "client_hello.h"

/* The frame: what is known of a flow between two of its segments. */
struct sni_flow {
	__u64 timeout_ns;	/* for the next leave */
	struct kcoro_stream stream;
	__u32 segments;		/* with payload, read or repeated */
	__u32 blocked;
	__u32 at;		/* kcoro_feed()'s place in the packet at hand */
	__u32 zero;
	struct sni_hello hello;
};
_Static_assert(sizeof(struct sni_flow) <= 384, "the frame stays small");

/* What becomes of the segment. */
enum sni_action {
	FLOW_PASS,
	FLOW_DROP,
};

struct flow_run {
	struct kcoro_packet_source from;
	struct kcoro_packet packet;
	struct sni_counters *count;
	__u32 ifindex;
};

/* Is the name listed, as it is or by a suffix? */
KCORO_INLINE bool flow_listed(const struct sni_hello *hello)
{
	struct sni_name_key *key;
	__u32 zero = 0, len = hello->name_len, i;

	key = bpf_map_lookup_elem(&scratch, &zero);
	if (!key || len > SNI_NAME_MAX)
		return false;
	bpf_for(i, 0, len) {
		__u32 from = len - 1 - i;

		if (from >= sizeof(hello->name) || i >= sizeof(key->reversed))
			break;
		key->reversed[i] = sni_lower(hello->name[from]);
	}
	if (len >= sizeof(key->reversed))
		return false;
	key->reversed[len] = 0;
	key->prefixlen = (len + 1) * 8;
	return bpf_map_lookup_elem(&names, key);
}

/* Counts a verdict and tells it to who listens. `flow` is NULL when there is none. */
KCORO_INLINE void flow_event(const struct flow_run *run, enum sni_verdict verdict,
			     const struct sni_flow *flow, bool dropped)
{
	const struct kcoro_packet_key *key = &run->packet.key;
	bool ipv6 = key->family == 6;
	struct sni_event *event;
	__u32 i;

	run->count->verdict[verdict]++;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		run->count->events_lost++;
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = bpf_ktime_get_ns();
	event->verdict = verdict;
	event->ifindex = run->ifindex;
	event->source_port = bpf_ntohs(key->source_port);
	event->dest_port = bpf_ntohs(key->dest_port);
	if (ipv6) {
		event->flags |= SNI_EVENT_IPV6;
		__builtin_memcpy(event->source, key->source, 16);
		__builtin_memcpy(event->dest, key->dest, 16);
	} else {
		__builtin_memcpy(event->source, &key->source[12], 4);
		__builtin_memcpy(event->dest, &key->dest[12], 4);
	}
	if (dropped)
		event->flags |= SNI_EVENT_DROPPED;
	if (flow) {
		event->hello_bytes = flow->stream.next - flow->stream.start;
		event->segments = flow->segments;
		if (flow->hello.ech)
			event->flags |= SNI_EVENT_ECH;
		if (verdict == SNI_PASS || verdict == SNI_BLOCK) {
			event->name_len = flow->hello.name_len;
			bpf_for(i, 0, SNI_NAME_MAX) {
				if (i >= event->name_len)
					break;
				event->name[i] = flow->hello.name[i];
			}
		}
	}
	bpf_ringbuf_submit(event, 0);
}

KCORO_INLINE __u32 flow_skip(void *hello, __u32 most)
{
	return sni_hello_skip(hello, most);
}

KCORO_INLINE int flow_body(void *hello, struct kcoro_input *in)
{
	return sni_record_body(hello, in);
}

/* Leaves the entry as it is: it ends when it has not become more by its deadline. */
KCORO_INLINE void flow_leave(struct kcoro_entry *entry, struct sni_flow *flow)
{
	__u64 timeout = flow->blocked ? config.blocked_timeout_ns : flow->timeout_ns;

	/* The hello's deadline counts from the SYN. */
	flow->timeout_ns = KCORO_TIMEOUT_KEEP;
	bpf_kcoro_table_leave(entry, timeout);
}

/* The parser has come to a result: the end of the flow's coroutine, or the flow is blocked. */
KCORO_INLINE enum sni_action flow_judge(const struct flow_run *run, struct kcoro_entry *entry,
					struct sni_flow *flow, int result)
{
	enum sni_verdict verdict = SNI_MALFORMED;
	bool drop = false;

	switch (result) {
	case SNI_FOUND_NAME:
		drop = flow_listed(&flow->hello);
		verdict = drop ? SNI_BLOCK : SNI_PASS;
		run->count->hellos++;
		break;
	case SNI_FOUND_NO_NAME:
		verdict = SNI_NO_NAME;
		run->count->hellos++;
		break;
	case SNI_FOUND_OTHER:
		verdict = SNI_NOT_TLS;
		break;
	case SNI_FOUND_TOO_LARGE:
		verdict = SNI_TOO_LARGE;
		drop = config.closed;
		break;
	}
	if (flow->hello.ech)
		run->count->ech++;
	flow_event(run, verdict, flow, drop);
	if (!drop) {
		bpf_kcoro_table_end(entry);
		return FLOW_PASS;
	}
	run->count->dropped++;
	flow->blocked = 1;
	flow_leave(entry, flow);
	return FLOW_DROP;
}

/* A segment with payload or FIN, in its entry; its first byte has the number `seq`. */
KCORO_INLINE enum sni_action flow_read(const struct flow_run *run, struct kcoro_entry *entry,
				       struct sni_flow *flow, __u32 seq)
{
	const struct kcoro_packet *p = &run->packet;
	enum sni_action action = FLOW_DROP;
	int result = SNI_MORE;
	__u32 old = 0;

	if (flow->blocked) {
		run->count->dropped++;
		goto leave;
	}
	switch (kcoro_stream_take(&flow->stream, seq, p->payload_len, &old)) {
	case KCORO_STREAM_FOREIGN:
		/* Not of this connection, or a way to make it look read. */
		run->count->foreign++;
		goto leave;
	case KCORO_STREAM_EARLY:
		run->count->early++;
		goto leave;
	case KCORO_STREAM_NEW:
		flow->segments++;
		result = kcoro_feed(&run->from, &flow->at, p->payload + old,
				    p->payload + p->payload_len, &flow->hello, flow_skip,
				    flow_body, SNI_FOUND_MALFORMED);
		if (result)
			return flow_judge(run, entry, flow, result);
		run->count->suspended++;
		break;
	case KCORO_STREAM_OLD:
		if (p->payload_len) {
			flow->segments++;
			run->count->repeated++;
		}
		break;
	}
	action = FLOW_PASS;
	/* The client has no more to say. With an old number it is none that the server heeds. */
	if ((p->flags & KCORO_TCP_FIN) && seq + p->payload_len == flow->stream.next) {
		flow_event(run, SNI_UNFINISHED, flow, false);
		bpf_kcoro_table_end(entry);
		return FLOW_PASS;
	}
leave:
	flow_leave(entry, flow);
	return action;
}

/* A SYN without ACK: makes the entry. Sent again it changes nothing. */
KCORO_INLINE enum sni_action flow_syn(const struct flow_run *run)
{
	struct kcoro_enter_opts opts = { .flags = KCORO_ENTER_CREATE };
	const struct kcoro_packet *p = &run->packet;
	struct kcoro_entry *entry;
	struct sni_flow *flow;

	entry = bpf_kcoro_table_enter(table_id, &p->key, sizeof(p->key), &opts, sizeof(opts));
	if (!entry) {
		if (opts.error == -EBUSY) {
			run->count->busy++;
			return FLOW_DROP;
		}
		flow_event(run, SNI_NO_FRAME, NULL, config.closed);
		if (!config.closed)
			return FLOW_PASS;
		/* The client will try again. */
		run->count->dropped++;
		return FLOW_DROP;
	}
	flow = (void *)bpf_kcoro_frame_data(&entry->frame, sizeof(*flow));
	if (!flow) {
		bpf_kcoro_table_end(entry);
		return FLOW_PASS;
	}
	if (opts.created || flow->stream.start != p->seq + 1) {
		__builtin_memset(flow, 0, sizeof(*flow));
		flow->timeout_ns = config.hello_timeout_ns;
		kcoro_stream_start(&flow->stream, p->seq + 1);
		sni_hello_start(&flow->hello, config.max_hello);
	}
	/* TCP Fast Open: data behind the SYN. */
	if (p->payload_len)
		return flow_read(run, entry, flow, p->seq + 1);
	flow_leave(entry, flow);
	return FLOW_PASS;
}

/* Any other segment that can change what is known of its flow. */
KCORO_INLINE enum sni_action flow_segment(const struct flow_run *run)
{
	struct kcoro_enter_opts opts = {};
	const struct kcoro_packet *p = &run->packet;
	bool reset = p->flags & KCORO_TCP_RST;
	struct kcoro_entry *entry;
	struct sni_flow *flow;

	entry = bpf_kcoro_table_enter(table_id, &p->key, sizeof(p->key), &opts, sizeof(opts));
	if (!entry) {
		if (reset)
			return FLOW_PASS;
		if (opts.error == -EBUSY) {
			run->count->busy++;
			return FLOW_DROP;
		}
		if (p->payload_len)
			run->count->unknown++;
		return FLOW_PASS;
	}
	flow = (void *)bpf_kcoro_frame_data(&entry->frame, sizeof(*flow));
	if (!flow) {
		bpf_kcoro_table_end(entry);
		return FLOW_PASS;
	}
	if (reset) {
		/* The server heeds it only with the exact number (RFC 5961), so we do too. */
		if (!flow->blocked && p->seq == flow->stream.next) {
			flow_event(run, SNI_UNFINISHED, flow, false);
			bpf_kcoro_table_end(entry);
		} else {
			flow_leave(entry, flow);
		}
		return FLOW_PASS;
	}
	return flow_read(run, entry, flow, p->seq);
}

/* The filter, for any packet. */
KCORO_INLINE enum sni_action flow_packet(void *ctx, bool xdp, __u32 ifindex)
{
	struct flow_run run = { .from = { ctx, xdp }, .ifindex = ifindex };
	struct kcoro_packet *p = &run.packet;
	enum kcoro_packet_kind kind;
	__u32 zero = 0;

	kind = kcoro_packet_read(&run.from, config.raw_ip, KCORO_PACKET_TCP, p);
	if (kind == KCORO_PACKET_OTHER)
		return FLOW_PASS;
	run.count = bpf_map_lookup_elem(&counters, &zero);
	if (!run.count)
		return FLOW_PASS;
	if (kind == KCORO_PACKET_FRAGMENT) {
		run.count->fragments++;
		return FLOW_PASS;
	}
	if (config.port && p->key.dest_port != bpf_htons(config.port))
		return FLOW_PASS;
	if (p->payload_len) {
		run.count->segments++;
		run.count->bytes += p->payload_len;
	}
	if (p->flags & KCORO_TCP_SYN)
		return p->flags & KCORO_TCP_ACK ? FLOW_PASS : flow_syn(&run);
	/* Pure ACKs say nothing, not even in a blocked flow: they close the handshake. */
	if (!p->payload_len && !(p->flags & (KCORO_TCP_FIN | KCORO_TCP_RST)))
		return FLOW_PASS;
	return flow_segment(&run);
}

#endif /* KCORO_SNI_FLOW_H */
