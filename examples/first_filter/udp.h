/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* udp.h - who sent this UDP packet, and to which port. IPv4, without VLAN tag. */
#ifndef KCORO_EXAMPLE_UDP_H
#define KCORO_EXAMPLE_UDP_H

#define ETH_P_IP 0x0800
#define ETH_HLEN 14
#define IP_OFFSET 0x1fff /* of a fragment: only the first has the UDP header */

/* False when it is something else. The address is in network order, the port is not. */
static bool udp_read(struct __sk_buff *skb, __u32 *source, __u16 *port)
{
	struct udphdr udp;
	struct iphdr ip;

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) ||
	    ip.protocol != IPPROTO_UDP || ip.frag_off & bpf_htons(IP_OFFSET) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4, &udp, sizeof(udp)))
		return false;
	*source = ip.saddr;
	*port = bpf_ntohs(udp.dest);
	return true;
}

#endif /* KCORO_EXAMPLE_UDP_H */
