/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet.h - from a packet to a TCP segment, for TC and XDP from one source.
 *
 * Bytes are copied with the load helpers, never reached through data pointers:
 * so it does not matter whether they are linear, in pages, or in a super-packet
 * of GRO. Whoever includes it includes vmlinux.h and bpf/bpf_helpers.h before.
 */
#ifndef KCORO_SNI_PACKET_H
#define KCORO_SNI_PACKET_H

#include <bpf/bpf_endian.h>

#define PACKET_INLINE static __always_inline

#define PACKET_ETHERTYPE_IPV4	0x0800
#define PACKET_ETHERTYPE_IPV6	0x86dd
#define PACKET_ETHERTYPE_VLAN	0x8100
#define PACKET_ETHERTYPE_QINQ	0x88a8
#define PACKET_VLAN_TAGS	2	/* tags in the packet's data that are understood */
#define PACKET_IPV6_EXTENSIONS	8	/* extension headers that are understood */
#define PACKET_IP_FRAGMENT	0x3fff	/* IPv4: more fragments, or an offset */

#define PACKET_NEXT_HOP		0	/* values of IPv6's next header */
#define PACKET_NEXT_ROUTING	43
#define PACKET_NEXT_FRAGMENT	44
#define PACKET_NEXT_DEST	60

#define PACKET_TCP_FIN		0x01
#define PACKET_TCP_SYN		0x02
#define PACKET_TCP_RST		0x04
#define PACKET_TCP_ACK		0x10

/*
 * Where bytes come from. `xdp` is a constant in each program: the verifier never
 * sees the other program type's helper.
 */
struct packet_source {
	void *ctx;
	bool xdp;
};

/*
 * What a flow is known by, client to server. IPv4 addresses are mapped into IPv6
 * (::ffff:a.b.c.d); ports are in network order; every byte is set.
 */
struct sni_key {
	__u16 family;		/* 4 or 6 */
	__u16 zero;
	__be16 source_port;
	__be16 dest_port;
	__u8 source[16];
	__u8 dest[16];
};
_Static_assert(sizeof(struct sni_key) == 40, "the flow's key has no padding");

enum packet_kind {
	PACKET_OTHER,		/* not TCP over IP, or cut short: none of our business */
	PACKET_FRAGMENT,	/* of TCP over IP */
	PACKET_SEGMENT,
};

/* A TCP segment. */
struct packet {
	struct sni_key key;
	__u32 payload;		/* offset of its payload in the packet */
	__u32 payload_len;
	__u32 seq;		/* of its first byte (of SYN, if it has one) */
	__u8 flags;
};

PACKET_INLINE __u32 packet_length(const struct packet_source *from)
{
	if (from->xdp)
		return (__u32)bpf_xdp_get_buff_len(from->ctx);
	return ((struct __sk_buff *)from->ctx)->len;
}

/* Copies n bytes, n a constant or tested against the size of `to`. 0 or a negative errno. */
PACKET_INLINE long packet_load(const struct packet_source *from, __u32 offset, void *to, __u32 n)
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
PACKET_INLINE __u16 packet_ethernet(const struct packet_source *from, __u32 *at)
{
	struct {
		__be16 tci;
		__be16 type;
	} tag;
	struct ethhdr ethernet;
	__u16 type;

	if (packet_load(from, 0, &ethernet, sizeof(ethernet)))
		return 0;
	type = bpf_ntohs(ethernet.h_proto);
	*at = sizeof(ethernet);
	for (int i = 0; i < PACKET_VLAN_TAGS; i++) {
		if (type != PACKET_ETHERTYPE_VLAN && type != PACKET_ETHERTYPE_QINQ)
			break;
		if (packet_load(from, *at, &tag, sizeof(tag)))
			return 0;
		type = bpf_ntohs(tag.type);
		*at += sizeof(tag);
	}
	return type;
}

/* For an interface without Ethernet headers (tun, wireguard, ppp): IP says what it is. */
PACKET_INLINE __u16 packet_raw_ip(const struct packet_source *from, __u32 *at)
{
	__u8 first;

	*at = 0;
	if (packet_load(from, 0, &first, sizeof(first)))
		return 0;
	switch (first >> 4) {
	case 4:
		return PACKET_ETHERTYPE_IPV4;
	case 6:
		return PACKET_ETHERTYPE_IPV6;
	default:
		return 0;
	}
}

/* Reads the IPv4 header at `at`, moves `at` to the TCP header and `end` behind the payload. */
PACKET_INLINE enum packet_kind packet_ipv4(const struct packet_source *from, struct packet *p,
					   __u32 *at, __u32 *end)
{
	__u32 header_len, total;
	struct iphdr ip;

	if (packet_load(from, *at, &ip, sizeof(ip)))
		return PACKET_OTHER;
	header_len = ip.ihl * 4;
	if (ip.version != 4 || header_len < sizeof(ip) || ip.protocol != IPPROTO_TCP)
		return PACKET_OTHER;
	if (ip.frag_off & bpf_htons(PACKET_IP_FRAGMENT))
		return PACKET_FRAGMENT;
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
	return PACKET_SEGMENT;
}

/* The same for IPv6, over its extension headers. */
PACKET_INLINE enum packet_kind packet_ipv6(const struct packet_source *from, struct packet *p,
					   __u32 *at, __u32 *end)
{
	struct ipv6hdr ip;
	__u16 total;
	__u8 next;

	if (packet_load(from, *at, &ip, sizeof(ip)))
		return PACKET_OTHER;
	if (ip.version != 6)
		return PACKET_OTHER;
	*at += sizeof(ip);
	total = bpf_ntohs(ip.payload_len);
	if (total)	/* 0 in a jumbogram: it fills the packet */
		*end = *at + total;
	next = ip.nexthdr;

	for (int i = 0; i < PACKET_IPV6_EXTENSIONS; i++) {
		struct {
			__u8 next;
			__u8 length;
		} extension;

		if (next != PACKET_NEXT_HOP && next != PACKET_NEXT_ROUTING &&
		    next != PACKET_NEXT_DEST && next != PACKET_NEXT_FRAGMENT)
			break;
		if (packet_load(from, *at, &extension, sizeof(extension)))
			return PACKET_OTHER;
		/* Also the only fragment of a packet, which nobody sends any more (RFC 8021). */
		if (next == PACKET_NEXT_FRAGMENT)
			return extension.next == IPPROTO_TCP ? PACKET_FRAGMENT : PACKET_OTHER;
		*at += (extension.length + 1U) * 8;
		next = extension.next;
	}
	if (next != IPPROTO_TCP)
		return PACKET_OTHER;

	p->key.family = 6;
	__builtin_memcpy(p->key.source, &ip.saddr, 16);
	__builtin_memcpy(p->key.dest, &ip.daddr, 16);
	return PACKET_SEGMENT;
}

/*
 * Reads the headers of a packet; `p` is zero before, and whole only with
 * PACKET_SEGMENT. What the packet has behind the IP packet's end (Ethernet pads
 * short frames) is no payload.
 */
PACKET_INLINE enum packet_kind packet_read(const struct packet_source *from, bool raw_ip,
					   struct packet *p)
{
	__u32 at = 0, length = packet_length(from), end = length;
	enum packet_kind kind = PACKET_OTHER;
	struct tcphdr tcp;
	__u32 header_len;
	__u16 type;

	type = raw_ip ? packet_raw_ip(from, &at) : packet_ethernet(from, &at);
	if (type == PACKET_ETHERTYPE_IPV4)
		kind = packet_ipv4(from, p, &at, &end);
	else if (type == PACKET_ETHERTYPE_IPV6)
		kind = packet_ipv6(from, p, &at, &end);
	if (kind != PACKET_SEGMENT)
		return kind;

	if (end > length || packet_load(from, at, &tcp, sizeof(tcp)))
		return PACKET_OTHER;
	header_len = tcp.doff * 4;
	if (header_len < sizeof(tcp) || at + header_len > end)
		return PACKET_OTHER;
	p->key.source_port = tcp.source;
	p->key.dest_port = tcp.dest;
	p->payload = at + header_len;
	p->payload_len = end - p->payload;
	p->seq = bpf_ntohl(tcp.seq);
	p->flags = (tcp.fin ? PACKET_TCP_FIN : 0) | (tcp.syn ? PACKET_TCP_SYN : 0) |
		   (tcp.rst ? PACKET_TCP_RST : 0) | (tcp.ack ? PACKET_TCP_ACK : 0);
	return PACKET_SEGMENT;
}

#endif /* KCORO_SNI_PACKET_H */
