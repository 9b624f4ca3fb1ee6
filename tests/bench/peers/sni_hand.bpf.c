// SPDX-License-Identifier: GPL-2.0-only
/*
 * sni_hand.bpf.c - what the sni filter is compared with: the same job as a state machine made
 * by hand, with what every BPF program has. Verdicts, counters and events are the filter's
 * (sni.h), so are the headers' parsing (kcoro_packet.bpf.h) and what a caller sets.
 *
 * A flow is an element of a hash map. Its parser stands between two fields of the hello: each
 * field has a state, gathers the bytes it needs from however many segments and records, and
 * says which is next. A bpf_timer in the element ends it.
 */
#define config config_of_the_kernel
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>

#include <kcoro_packet.bpf.h>

#include "sni.h"
#include "sni_hand.h"

/* What a new element begins with. */
static const struct hand_flow new_flow;

struct hand_run {
	struct kcoro_packet_source from;
	struct kcoro_packet packet;
	struct sni_counters *count;
	__u32 ifindex;
};

/* Is the name listed? Turns it round, in lower case. -1: it has a NUL. */
KCORO_INLINE int hand_listed(const struct hand_flow *flow)
{
	__u32 zero = 0, len = hand_most(flow->name_len, 255), i;
	struct sni_name_key *key;

	key = bpf_map_lookup_elem(&scratch, &zero);
	if (!key)
		return 0;
	bpf_for(i, 0, len) {
		__u32 from = len - 1 - i;
		char c;

		if (from >= sizeof(flow->name) || i >= sizeof(key->reversed))
			break;
		c = flow->name[from];
		if (!c)
			return -1;
		key->reversed[i] = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
	}
	key->reversed[len] = 0;
	key->prefixlen = (len + 1) * 8;
	return !!bpf_map_lookup_elem(&names, key);
}

KCORO_INLINE void hand_event(const struct hand_run *run, enum sni_verdict verdict,
			     const struct hand_flow *flow, bool dropped)
{
	const struct kcoro_packet_key *key = &run->packet.key;
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
	if (key->family == 6) {
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
		event->hello_bytes = flow->next - flow->start;
		event->segments = flow->segments;
		if (flow->ech)
			event->flags |= SNI_EVENT_ECH;
		if (verdict == SNI_PASS || verdict == SNI_BLOCK) {
			event->name_len = flow->name_len;
			bpf_for(i, 0, SNI_NAME_MAX) {
				if (i >= event->name_len)
					break;
				event->name[i] = flow->name[i];
			}
		}
	}
	bpf_ringbuf_submit(event, 0);
}

/* The hello's deadline, or nothing of a blocked flow has been seen for long enough. */
static int hand_expired(void *map, struct kcoro_packet_key *key, struct hand_flow *flow)
{
	__u64 now = bpf_ktime_get_ns(), until = flow->seen_ns + config.blocked_timeout_ns;

	if (flow->blocked && now < until)
		bpf_timer_start(&flow->timer, until - now, 0);
	else if (flow->busy)
		bpf_timer_start(&flow->timer, 1000000, 0);
	else
		bpf_map_delete_elem(map, key);
	return 0;
}

/* The state's next, of so many bytes. */
KCORO_INLINE int hand_await(struct hand_flow *flow, enum hand_state state, __u8 need)
{
	flow->state = state;
	flow->need = need;
	return HAND_MORE;
}

/* Behind an extension, or a part of the hello that may be its last one. */
KCORO_INLINE int hand_next(struct hand_flow *flow)
{
	if (flow->left)
		return hand_await(flow, HAND_EXTENSION, 4);
	return hand_await(flow, HAND_END, 0);
}

KCORO_INLINE int hand_next_name(struct hand_flow *flow)
{
	return flow->block ? hand_await(flow, HAND_ENTRY, 3) : hand_next(flow);
}

/* The message gives up so many bytes, which pass unread. */
KCORO_INLINE bool hand_pass(struct hand_flow *flow, __u32 n)
{
	if (flow->left < n)
		return false;
	flow->left -= n;
	flow->skip = n;
	return true;
}

/* The field of the state is there. HAND_MORE, or a verdict. */
KCORO_INLINE int hand_field(struct hand_flow *flow)
{
	const __u8 *f = flow->field;
	__u32 length;

	switch (flow->state) {
	case HAND_HEADER:
		if (f[0] != 1)
			return SNI_NOT_TLS;
		flow->left = f[1] << 16 | f[2] << 8 | f[3];
		if (flow->left > config.max_hello)
			return SNI_TOO_LARGE;
		if (!hand_pass(flow, 2 + 32))
			return SNI_MALFORMED;
		return hand_await(flow, HAND_SESSION, 1);
	case HAND_SESSION:
		if (f[0] > 32 || !hand_pass(flow, f[0]))
			return SNI_MALFORMED;
		return hand_await(flow, HAND_CIPHERS, 2);
	case HAND_CIPHERS:
		length = f[0] << 8 | f[1];
		if (length < 2 || length % 2 || !hand_pass(flow, length))
			return SNI_MALFORMED;
		return hand_await(flow, HAND_COMPRESSION, 1);
	case HAND_COMPRESSION:
		if (!f[0] || !hand_pass(flow, f[0]))
			return SNI_MALFORMED;
		if (!flow->left)
			return hand_await(flow, HAND_END, 0);
		return hand_await(flow, HAND_EXTENSIONS, 2);
	case HAND_EXTENSIONS:
		length = f[0] << 8 | f[1];
		if (length != flow->left)
			return SNI_MALFORMED;
		return hand_next(flow);
	case HAND_EXTENSION:
		flow->block = f[2] << 8 | f[3];
		if (flow->left < flow->block)
			return SNI_MALFORMED;
		flow->left -= flow->block;
		length = f[0] << 8 | f[1];
		if (!length)
			return hand_await(flow, HAND_LIST, 2);
		if (length == 0xfe0d)
			flow->ech = 1;
		flow->skip = flow->block;
		return hand_next(flow);
	case HAND_LIST:
		length = f[0] << 8 | f[1];
		if (length != flow->block || !length)
			return SNI_MALFORMED;
		return hand_next_name(flow);
	case HAND_ENTRY:
		length = f[1] << 8 | f[2];
		if (flow->block < length)
			return SNI_MALFORMED;
		flow->block -= length;
		if (f[0]) {
			flow->skip = length;
			return hand_next_name(flow);
		}
		if (!length || length > SNI_NAME_MAX + 1)
			return SNI_MALFORMED;
		flow->length = length;
		return hand_await(flow, HAND_NAME, 0);
	}
	return SNI_MALFORMED;
}

/* A record's header is there. */
KCORO_INLINE int hand_record(struct hand_flow *flow)
{
	const __u8 *r = flow->record;

	if (r[0] != 22 || r[1] != 3)
		return flow->begun ? SNI_MALFORMED : SNI_NOT_TLS;
	flow->begun = 1;
	flow->record_left = r[3] << 8 | r[4];
	if (flow->record_left > 16384)
		return SNI_MALFORMED;
	if (!flow->record_left && flow->empty++ >= 32)
		return SNI_MALFORMED;
	return HAND_MORE;
}

/* The name is there. */
KCORO_INLINE int hand_name(struct hand_flow *flow)
{
	if (flow->name[hand_most(flow->name_len - 1, 255)] == '.')
		flow->name_len--;
	if (!flow->name_len || flow->name_len > SNI_NAME_MAX)
		return SNI_MALFORMED;
	switch (hand_listed(flow)) {
	case 0:
		return SNI_PASS;
	case 1:
		return SNI_BLOCK;
	}
	return SNI_MALFORMED;
}

/* n bytes of the name are at `at`: mostly all of it. What goes on behind others is copied. */
KCORO_INLINE bool hand_name_part(const struct hand_run *run, struct hand_flow *flow, __u32 at,
				 __u32 n)
{
	__u32 place = flow->name_len, zero = 0, i;
	struct sni_name_key *part;

	n = hand_most(n, sizeof(flow->name) - 1);
	if (!n)
		return false;
	flow->name_len += n;
	if (!place)
		return !kcoro_packet_load(&run->from, at, flow->name, n);
	part = bpf_map_lookup_elem(&scratch, &zero);
	if (!part || kcoro_packet_load(&run->from, at, part->reversed, n))
		return false;
	bpf_for(i, 0, n) {
		if (i >= sizeof(part->reversed) || place + i >= sizeof(flow->name))
			break;
		flow->name[place + i] = part->reversed[i];
	}
	return true;
}

/* The packet's bytes from `at` to `end`. HAND_MORE, or a verdict. */
KCORO_INLINE int hand_read(const struct hand_run *run, struct hand_flow *flow, __u32 at, __u32 end)
{
	int result;
	__u32 i;

	bpf_for(i, 0, HAND_STEPS) {
		__u32 place, n, room;

		if (flow->state == HAND_END && !flow->skip)
			return SNI_NO_NAME;
		if (at >= end)
			break;
		room = end - at;
		if (!flow->record_left) {
			place = flow->record_have;
			if (place > 4)
				return SNI_MALFORMED;
			n = 5 - place;
			if (n > room)
				n = room;
			n = hand_most(n, 7);
			if (!n || kcoro_packet_load(&run->from, at, flow->record + place, n))
				return SNI_MALFORMED;
			at += n;
			flow->record_have += n;
			/* What is no TLS is known from its first byte on. */
			if (flow->record[0] != 22 ||
			    (flow->record_have > 1 && flow->record[1] != 3))
				return flow->begun ? SNI_MALFORMED : SNI_NOT_TLS;
			if (flow->record_have < 5)
				break;
			flow->record_have = 0;
			result = hand_record(flow);
			if (result != HAND_MORE)
				return result;
			continue;
		}
		if (room > flow->record_left)
			room = flow->record_left;
		if (flow->skip) {
			n = flow->skip < room ? flow->skip : room;
			flow->skip -= n;
			flow->record_left -= n;
			at += n;
			continue;
		}
		if (flow->state == HAND_NAME) {
			n = flow->length - flow->name_len;
			if (n > room)
				n = room;
			if (!hand_name_part(run, flow, at, n))
				return SNI_MALFORMED;
			at += n;
			flow->record_left -= n;
			if (flow->name_len < flow->length)
				continue;
			return hand_name(flow);
		}
		if (!flow->have && flow->state > HAND_HEADER) {
			if (flow->state >= HAND_LIST) {
				if (flow->block < flow->need)
					return SNI_MALFORMED;
				flow->block -= flow->need;
			} else {
				if (flow->left < flow->need)
					return SNI_MALFORMED;
				flow->left -= flow->need;
			}
		}
		place = flow->have;
		if (place > 3)
			return SNI_MALFORMED;
		n = flow->need - place;
		if (n > room)
			n = room;
		n = hand_most(n, 7);
		if (!n || kcoro_packet_load(&run->from, at, flow->field + place, n))
			return SNI_MALFORMED;
		at += n;
		flow->record_left -= n;
		flow->have += n;
		/* What is no hello is known from its first byte on. */
		if (flow->state == HAND_HEADER && flow->field[0] != 1)
			return SNI_NOT_TLS;
		if (flow->have < flow->need)
			continue;
		flow->have = 0;
		result = hand_field(flow);
		if (result != HAND_MORE)
			return result;
	}
	return HAND_MORE;
}

KCORO_INLINE bool hand_judge(const struct hand_run *run, struct hand_flow *flow, int verdict)
{
	bool drop = verdict == SNI_BLOCK || (verdict == SNI_TOO_LARGE && config.closed);

	if (verdict == SNI_PASS || verdict == SNI_BLOCK || verdict == SNI_NO_NAME)
		run->count->hellos++;
	if (flow->ech)
		run->count->ech++;
	hand_event(run, verdict, flow, drop);
	if (!drop) {
		bpf_map_delete_elem(&flows, &run->packet.key);
		return false;
	}
	run->count->dropped++;
	flow->seen_ns = bpf_ktime_get_ns();
	flow->blocked = 1;
	bpf_timer_start(&flow->timer, config.blocked_timeout_ns, 0);
	return true;
}

/* A segment with payload or FIN. Is it dropped? */
KCORO_INLINE bool hand_take(const struct hand_run *run, struct hand_flow *flow, __u32 seq)
{
	const struct kcoro_packet *p = &run->packet;
	__u32 behind = seq + p->payload_len, old;
	int result;

	if (flow->blocked) {
		flow->seen_ns = bpf_ktime_get_ns();
		run->count->dropped++;
		return true;
	}
	if ((__s32)(seq - flow->start) < 0) {
		run->count->foreign++;
		return true;
	}
	if ((__s32)(flow->next - seq) < 0) {
		run->count->early++;
		return true;
	}
	if ((__s32)(flow->next - behind) < 0) {
		old = flow->next - seq;
		flow->next = behind;
		flow->segments++;
		result = hand_read(run, flow, p->payload + old, p->payload + p->payload_len);
		if (result != HAND_MORE)
			return hand_judge(run, flow, result);
		run->count->suspended++;
	} else if (p->payload_len) {
		flow->segments++;
		run->count->repeated++;
	}
	if ((p->flags & KCORO_TCP_FIN) && behind == flow->next) {
		hand_event(run, SNI_UNFINISHED, flow, false);
		bpf_map_delete_elem(&flows, &p->key);
	}
	return false;
}

/* Take the element for this CPU alone. */
KCORO_INLINE bool hand_enter(struct hand_flow *flow)
{
	return !__sync_val_compare_and_swap(&flow->busy, 0, 1);
}

KCORO_INLINE void hand_leave(struct hand_flow *flow)
{
	__sync_lock_test_and_set(&flow->busy, 0);
}

KCORO_INLINE bool hand_syn(const struct hand_run *run)
{
	const struct kcoro_packet *p = &run->packet;
	struct hand_flow *flow;
	bool made = false, drop;

	flow = bpf_map_lookup_elem(&flows, &p->key);
	if (!flow) {
		made = !bpf_map_update_elem(&flows, &p->key, &new_flow, BPF_NOEXIST);
		flow = bpf_map_lookup_elem(&flows, &p->key);
	}
	if (!flow) {
		hand_event(run, SNI_NO_FRAME, NULL, config.closed);
		run->count->dropped += config.closed;
		return config.closed;
	}
	if (!hand_enter(flow)) {
		run->count->busy++;
		return true;
	}
	if (made || flow->start != p->seq + 1) {
		/* All but the timer, which the kernel keeps. */
		__builtin_memset((char *)flow + offsetof(struct hand_flow, seen_ns), 0,
				 offsetof(struct hand_flow, name) -
					 offsetof(struct hand_flow, seen_ns));
		flow->busy = 1;
		flow->start = p->seq + 1;
		flow->next = p->seq + 1;
		hand_await(flow, HAND_HEADER, 4);
		if (made && (bpf_timer_init(&flow->timer, &flows, HAND_MONOTONIC) ||
			     bpf_timer_set_callback(&flow->timer, hand_expired))) {
			bpf_map_delete_elem(&flows, &p->key);
			return false;
		}
		if (config.hello_timeout_ns)
			bpf_timer_start(&flow->timer, config.hello_timeout_ns, 0);
	}
	drop = p->payload_len && hand_take(run, flow, p->seq + 1);
	hand_leave(flow);
	return drop;
}

KCORO_INLINE bool hand_segment(const struct hand_run *run)
{
	const struct kcoro_packet *p = &run->packet;
	bool reset = p->flags & KCORO_TCP_RST, drop = false;
	struct hand_flow *flow;

	flow = bpf_map_lookup_elem(&flows, &p->key);
	if (!flow) {
		if (!reset && p->payload_len)
			run->count->unknown++;
		return false;
	}
	if (!hand_enter(flow)) {
		if (reset)
			return false;
		run->count->busy++;
		return true;
	}
	if (!reset) {
		drop = hand_take(run, flow, p->seq);
	} else if (!flow->blocked && p->seq == flow->next) {
		hand_event(run, SNI_UNFINISHED, flow, false);
		bpf_map_delete_elem(&flows, &p->key);
	}
	hand_leave(flow);
	return drop;
}

/* Is the packet dropped? */
KCORO_INLINE bool hand_packet(void *ctx, bool xdp, __u32 ifindex)
{
	struct hand_run run = { .from = { ctx, xdp }, .ifindex = ifindex };
	struct kcoro_packet *p = &run.packet;
	enum kcoro_packet_kind kind;
	__u32 zero = 0;

	kind = kcoro_packet_read(&run.from, config.raw_ip, KCORO_PACKET_TCP, p);
	if (kind == KCORO_PACKET_OTHER)
		return false;
	run.count = bpf_map_lookup_elem(&counters, &zero);
	if (!run.count)
		return false;
	if (kind == KCORO_PACKET_FRAGMENT) {
		run.count->fragments++;
		return false;
	}
	if (config.port && p->key.dest_port != bpf_htons(config.port))
		return false;
	if (p->payload_len) {
		run.count->segments++;
		run.count->bytes += p->payload_len;
	}
	if (p->flags & KCORO_TCP_SYN)
		return !(p->flags & KCORO_TCP_ACK) && hand_syn(&run);
	if (!p->payload_len && !(p->flags & (KCORO_TCP_FIN | KCORO_TCP_RST)))
		return false;
	return hand_segment(&run);
}

SEC("tcx/ingress")
int sni_hand_tc(struct __sk_buff *skb)
{
	return hand_packet(skb, false, skb->ifindex) ? TCX_DROP : TCX_NEXT;
}

SEC("xdp.frags")
int sni_hand_xdp(struct xdp_md *xdp)
{
	return hand_packet(xdp, true, xdp->ingress_ifindex) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
