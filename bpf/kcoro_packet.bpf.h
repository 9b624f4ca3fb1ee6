/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_packet.bpf.h - from a packet to a TCP segment or a UDP datagram, for TC and XDP
 * from one source.
 *
 * Bytes are copied with the load helpers, never reached through data pointers:
 * so it does not matter whether they are linear, in pages, or in a super-packet
 * of GRO. Whoever includes it includes vmlinux.h and bpf/bpf_helpers.h before.
 */
#ifndef KCORO_PACKET_BPF_H
#define KCORO_PACKET_BPF_H

#include <bpf/bpf_endian.h>

#define KCORO_INLINE static __always_inline

#define KCORO_PACKET_ETHERTYPE_IPV4	0x0800
#define KCORO_PACKET_ETHERTYPE_IPV6	0x86dd
#define KCORO_PACKET_ETHERTYPE_VLAN	0x8100
#define KCORO_PACKET_ETHERTYPE_QINQ	0x88a8
#define KCORO_PACKET_VLAN_TAGS	2	/* tags in the packet's data that are understood */
#define KCORO_PACKET_IPV6_EXTENSIONS	8	/* extension headers that are understood */
#define KCORO_PACKET_IP_FRAGMENT	0x3fff	/* IPv4: more fragments, or an offset */

#define KCORO_PACKET_NEXT_HOP		0	/* values of IPv6's next header */
#define KCORO_PACKET_NEXT_ROUTING	43
#define KCORO_PACKET_NEXT_FRAGMENT	44
#define KCORO_PACKET_NEXT_DEST	60

#define KCORO_TCP_FIN		0x01
#define KCORO_TCP_SYN		0x02
#define KCORO_TCP_RST		0x04
#define KCORO_TCP_ACK		0x10

/*
 * Where bytes come from. `xdp` is a constant in each program: the verifier never
 * sees the other program type's helper.
 */
struct kcoro_packet_source {
	void *ctx;
	bool xdp;
};

/*
 * What a flow is known by, in the packet's direction. IPv4 addresses are mapped into IPv6
 * (::ffff:a.b.c.d); ports are in network order; every byte is set.
 */
struct kcoro_packet_key {
	__u16 family;		/* 4 or 6 */
	__u16 zero;
	__be16 source_port;
	__be16 dest_port;
	__u8 source[16];
	__u8 dest[16];
};
_Static_assert(sizeof(struct kcoro_packet_key) == 40, "the flow's key has no padding");

/* What a packet is, and as a mask what of that is wanted. */
enum kcoro_packet_kind {
	KCORO_PACKET_OTHER = 0,		/* nothing that is wanted, or cut short */
	KCORO_PACKET_FRAGMENT = 1,	/* of an IP packet with what is wanted */
	KCORO_PACKET_TCP = 2,
	KCORO_PACKET_UDP = 4,
};

/* A TCP segment or a UDP datagram. */
struct kcoro_packet {
	struct kcoro_packet_key key;
	__u32 payload;		/* offset of its payload in the packet */
	__u32 payload_len;
	__u32 seq;		/* TCP: of its first byte (of SYN, if it has one) */
	__u32 ack;		/* TCP: what its sender awaits */
	__u8 flags;		/* TCP: KCORO_TCP_* */
};

/* The flow in the other direction. */
KCORO_INLINE void kcoro_packet_key_turn(const struct kcoro_packet_key *key,
					struct kcoro_packet_key *turned)
{
	turned->family = key->family;
	turned->zero = 0;
	turned->source_port = key->dest_port;
	turned->dest_port = key->source_port;
	__builtin_memcpy(turned->source, key->dest, sizeof(turned->source));
	__builtin_memcpy(turned->dest, key->source, sizeof(turned->dest));
}

/* What an IP packet of that protocol is, if it is wanted. */
KCORO_INLINE enum kcoro_packet_kind kcoro_packet_protocol(__u8 protocol, __u32 wanted)
{
	if (wanted & KCORO_PACKET_TCP && protocol == IPPROTO_TCP)
		return KCORO_PACKET_TCP;
	if (wanted & KCORO_PACKET_UDP && protocol == IPPROTO_UDP)
		return KCORO_PACKET_UDP;
	return KCORO_PACKET_OTHER;
}

KCORO_INLINE __u32 kcoro_packet_length(const struct kcoro_packet_source *from)
{
	if (from->xdp)
		return (__u32)bpf_xdp_get_buff_len(from->ctx);
	return ((struct __sk_buff *)from->ctx)->len;
}

/* Copies n bytes, n a constant or tested against the size of `to`. 0 or a negative errno. */
KCORO_INLINE long kcoro_packet_load(const struct kcoro_packet_source *from, __u32 offset,
				    void *to, __u32 n)
{
	if (from->xdp)
		return bpf_xdp_load_bytes(from->ctx, offset, to, n);
	return bpf_skb_load_bytes(from->ctx, offset, to, n);
}

/*
 * Behind the Ethernet header and the VLAN tags in the data; a tag that the
 * network card or the kernel has taken off already is not there. Returns the
 * EtherType, 0 when the packet is too short.
 */
KCORO_INLINE __u16 kcoro_packet_ethernet(const struct kcoro_packet_source *from, __u32 *at)
{
	struct {
		__be16 tci;
		__be16 type;
	} tag;
	struct ethhdr ethernet;
	__u16 type;

	if (kcoro_packet_load(from, 0, &ethernet, sizeof(ethernet)))
		return 0;
	type = bpf_ntohs(ethernet.h_proto);
	*at = sizeof(ethernet);
	for (int i = 0; i < KCORO_PACKET_VLAN_TAGS; i++) {
		if (type != KCORO_PACKET_ETHERTYPE_VLAN && type != KCORO_PACKET_ETHERTYPE_QINQ)
			break;
		if (kcoro_packet_load(from, *at, &tag, sizeof(tag)))
			return 0;
		type = bpf_ntohs(tag.type);
		*at += sizeof(tag);
	}
	return type;
}

/* For an interface without Ethernet headers (tun, wireguard, ppp): IP says what it is. */
KCORO_INLINE __u16 kcoro_packet_raw_ip(const struct kcoro_packet_source *from, __u32 *at)
{
	__u8 first;

	*at = 0;
	if (kcoro_packet_load(from, 0, &first, sizeof(first)))
		return 0;
	switch (first >> 4) {
	case 4:
		return KCORO_PACKET_ETHERTYPE_IPV4;
	case 6:
		return KCORO_PACKET_ETHERTYPE_IPV6;
	default:
		return 0;
	}
}

/* Reads the IPv4 header at `at`, moves `at` behind it and `end` behind the payload. */
KCORO_INLINE enum kcoro_packet_kind kcoro_packet_ipv4(const struct kcoro_packet_source *from,
						      __u32 wanted, struct kcoro_packet *p,
						      __u32 *at, __u32 *end)
{
	enum kcoro_packet_kind kind;
	__u32 header_len, total;
	struct iphdr ip;

	if (kcoro_packet_load(from, *at, &ip, sizeof(ip)))
		return KCORO_PACKET_OTHER;
	header_len = ip.ihl * 4;
	if (ip.version != 4 || header_len < sizeof(ip))
		return KCORO_PACKET_OTHER;
	kind = kcoro_packet_protocol(ip.protocol, wanted);
	if (!kind)
		return KCORO_PACKET_OTHER;
	if (ip.frag_off & bpf_htons(KCORO_PACKET_IP_FRAGMENT))
		return KCORO_PACKET_FRAGMENT;
	total = bpf_ntohs(ip.tot_len);
	if (total)	/* 0 in a super-packet of more than 64 KiB: it fills the packet */
		*end = *at + total;

	p->key.family = 4;
	p->key.source[10] = 0xff;
	p->key.source[11] = 0xff;
	p->key.dest[10] = 0xff;
	p->key.dest[11] = 0xff;
	__builtin_memcpy(&p->key.source[12], &ip.saddr, 4);
	__builtin_memcpy(&p->key.dest[12], &ip.daddr, 4);
	*at += header_len;
	return kind;
}

/* The same for IPv6, over its extension headers. */
KCORO_INLINE enum kcoro_packet_kind kcoro_packet_ipv6(const struct kcoro_packet_source *from,
						      __u32 wanted, struct kcoro_packet *p,
						      __u32 *at, __u32 *end)
{
	enum kcoro_packet_kind kind;
	struct ipv6hdr ip;
	__u16 total;
	__u8 next;

	if (kcoro_packet_load(from, *at, &ip, sizeof(ip)))
		return KCORO_PACKET_OTHER;
	if (ip.version != 6)
		return KCORO_PACKET_OTHER;
	*at += sizeof(ip);
	total = bpf_ntohs(ip.payload_len);
	if (total)	/* 0 in a jumbogram: it fills the packet */
		*end = *at + total;
	next = ip.nexthdr;

	for (int i = 0; i < KCORO_PACKET_IPV6_EXTENSIONS; i++) {
		struct {
			__u8 next;
			__u8 length;
		} extension;

		if (next != KCORO_PACKET_NEXT_HOP && next != KCORO_PACKET_NEXT_ROUTING &&
		    next != KCORO_PACKET_NEXT_DEST && next != KCORO_PACKET_NEXT_FRAGMENT)
			break;
		if (kcoro_packet_load(from, *at, &extension, sizeof(extension)))
			return KCORO_PACKET_OTHER;
		/* Also the only fragment of a packet, which nobody sends any more (RFC 8021). */
		if (next == KCORO_PACKET_NEXT_FRAGMENT)
			return kcoro_packet_protocol(extension.next, wanted) ?
				       KCORO_PACKET_FRAGMENT : KCORO_PACKET_OTHER;
		*at += (extension.length + 1U) * 8;
		next = extension.next;
	}
	kind = kcoro_packet_protocol(next, wanted);
	if (!kind)
		return KCORO_PACKET_OTHER;

	p->key.family = 6;
	__builtin_memcpy(p->key.source, &ip.saddr, 16);
	__builtin_memcpy(p->key.dest, &ip.daddr, 16);
	return kind;
}

KCORO_INLINE enum kcoro_packet_kind kcoro_packet_tcp(const struct kcoro_packet_source *from,
						     struct kcoro_packet *p, __u32 at, __u32 end)
{
	struct tcphdr tcp;
	__u32 header_len;

	if (kcoro_packet_load(from, at, &tcp, sizeof(tcp)))
		return KCORO_PACKET_OTHER;
	header_len = tcp.doff * 4;
	if (header_len < sizeof(tcp) || at + header_len > end)
		return KCORO_PACKET_OTHER;
	p->key.source_port = tcp.source;
	p->key.dest_port = tcp.dest;
	p->payload = at + header_len;
	p->payload_len = end - p->payload;
	p->seq = bpf_ntohl(tcp.seq);
	p->ack = bpf_ntohl(tcp.ack_seq);
	p->flags = (tcp.fin ? KCORO_TCP_FIN : 0) | (tcp.syn ? KCORO_TCP_SYN : 0) |
		   (tcp.rst ? KCORO_TCP_RST : 0) | (tcp.ack ? KCORO_TCP_ACK : 0);
	return KCORO_PACKET_TCP;
}

KCORO_INLINE enum kcoro_packet_kind kcoro_packet_udp(const struct kcoro_packet_source *from,
						     struct kcoro_packet *p, __u32 at, __u32 end)
{
	struct udphdr udp;
	__u32 length;

	if (at + sizeof(udp) > end || kcoro_packet_load(from, at, &udp, sizeof(udp)))
		return KCORO_PACKET_OTHER;
	length = bpf_ntohs(udp.len);
	/* 0 in a jumbogram, and in a super-packet: it fills the packet. */
	if (!length)
		length = end - at;
	if (length < sizeof(udp) || at + length > end)
		return KCORO_PACKET_OTHER;
	p->key.source_port = udp.source;
	p->key.dest_port = udp.dest;
	p->payload = at + sizeof(udp);
	p->payload_len = length - sizeof(udp);
	return KCORO_PACKET_UDP;
}

/*
 * Reads the headers of a packet. `wanted`, a constant: KCORO_PACKET_TCP, KCORO_PACKET_UDP
 * or both. `p` is zero before, and whole only when one of these comes back. What the
 * packet has behind the IP packet's end (Ethernet pads short frames) is no payload.
 */
KCORO_INLINE enum kcoro_packet_kind kcoro_packet_read(const struct kcoro_packet_source *from,
						      bool raw_ip, __u32 wanted,
						      struct kcoro_packet *p)
{
	enum kcoro_packet_kind kind = KCORO_PACKET_OTHER;
	__u32 at = 0, length = kcoro_packet_length(from), end = length;
	__u16 type;

	type = raw_ip ? kcoro_packet_raw_ip(from, &at) : kcoro_packet_ethernet(from, &at);
	if (type == KCORO_PACKET_ETHERTYPE_IPV4)
		kind = kcoro_packet_ipv4(from, wanted, p, &at, &end);
	else if (type == KCORO_PACKET_ETHERTYPE_IPV6)
		kind = kcoro_packet_ipv6(from, wanted, p, &at, &end);
	if (kind == KCORO_PACKET_OTHER || kind == KCORO_PACKET_FRAGMENT)
		return kind;
	if (end > length)
		return KCORO_PACKET_OTHER;
	if (kind == KCORO_PACKET_TCP)
		return wanted & KCORO_PACKET_TCP ? kcoro_packet_tcp(from, p, at, end) :
						   KCORO_PACKET_OTHER;
	return wanted & KCORO_PACKET_UDP ? kcoro_packet_udp(from, p, at, end) :
					   KCORO_PACKET_OTHER;
}

#endif /* KCORO_PACKET_BPF_H */
