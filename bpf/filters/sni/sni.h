/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sni.h - what the sni filter shares with the command that attaches it.
 *
 * Whoever includes it brings __u8 .. __u64 along.
 */
#ifndef KCORO_SNI_H
#define KCORO_SNI_H

/* RFC 1035: a host name has at most 253 characters; one byte more than that is kept. */
#define SNI_NAME_MAX 253

/* What became of a flow, or why it could not be judged. Printed by `kcoro events`. */
enum sni_verdict {
	SNI_PASS,		/* a name that is not listed */
	SNI_BLOCK,		/* a listed name */
	SNI_NO_NAME,		/* a ClientHello without a server name: passed */
	SNI_NOT_TLS,		/* the flow does not begin with a ClientHello: passed */
	SNI_MALFORMED,		/* lengths that contradict each other: passed */
	SNI_TOO_LARGE,		/* a hello over the limit: by policy */
	SNI_NO_FRAME,		/* no memory, or the table was full: by policy */
	SNI_UNFINISHED,		/* RST or FIN before the hello was whole */
	SNI_VERDICTS,
};

/* Flags of an event. */
#define SNI_EVENT_IPV6	(1U << 0)
#define SNI_EVENT_ECH	(1U << 1)	/* an encrypted_client_hello extension was seen */
#define SNI_EVENT_DROPPED (1U << 2)	/* the segment was dropped */

/* One record of the ring buffer `events`. Addresses in network order, IPv4 in the first 4 bytes. */
struct sni_event {
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	__u32 verdict;		/* enum sni_verdict */
	__u32 flags;
	__u32 ifindex;
	__u16 source_port;	/* host order */
	__u16 dest_port;	/* host order */
	__u8 source[16];
	__u8 dest[16];
	__u32 hello_bytes;	/* TCP payload bytes seen until the verdict */
	__u32 segments;		/* segments with payload until the verdict */
	__u16 name_len;
	char name[SNI_NAME_MAX + 1]; /* as sent; NUL terminated */
};

/* The only element of the per-CPU array `counters`. They only grow. */
struct sni_counters {
	__u64 segments;		/* TCP segments with payload seen */
	__u64 bytes;		/* their payload bytes */
	__u64 hellos;		/* flows judged from a ClientHello */
	__u64 verdict[SNI_VERDICTS]; /* by enum sni_verdict */
	__u64 ech;		/* hellos with an ECH extension seen before the verdict */
	__u64 suspended;	/* times a body suspended at the end of a segment */
	__u64 early;		/* segments dropped because an earlier one is missing */
	__u64 repeated;		/* segments that held no new byte: passed */
	__u64 dropped;		/* segments dropped by verdict or policy, early ones apart */
	__u64 busy;		/* segments dropped because another CPU was in the flow */
	__u64 unknown;		/* segments of flows that are not tracked: passed */
	__u64 fragments;	/* IP fragments: passed unseen */
	__u64 foreign;		/* segments dropped because they lie before the flow's SYN */
	__u64 events_lost;	/* events the ring buffer had no room for */
};

/* Set in .rodata before the load. */
struct sni_config {
	__u64 hello_timeout_ns;		/* a hello must be whole this long after the SYN */
	__u64 blocked_timeout_ns;	/* a blocked flow is forgotten when silent this long */
	__u32 max_hello;		/* bytes of handshake message */
	__u16 port;			/* server port, host order; 0: all */
	__u8 closed;			/* 1: drop what can't be judged (no frame, too large) */
	__u8 raw_ip;			/* 1: no Ethernet header (tun, wireguard, ppp) */
};

/*
 * Key of the LPM trie `names` (value: __u8, unused). The name in lower case and
 * backwards; an exact name ends with a NUL, "*.suffix" ends with the dot:
 *   "Example.COM"   -> "moc.elpmaxe\0"
 *   "*.example.com" -> "moc.elpmaxe."
 * prefixlen counts bits.
 */
struct sni_name_key {
	__u32 prefixlen;
	char reversed[SNI_NAME_MAX + 3];
};

#define SNI_POOL_NAME_LEN 16 /* KCORO_NAME_LEN */

/*
 * Context of the syscall program `sni_setup`, run once after the load, and of
 * `sni_read`. 0 or a negative errno comes back as the program's return value.
 */
struct sni_setup_args {
	__u32 max_flows;	/* in: entries of the flow table */
	__u32 reserved;
	__u64 pool_quota;	/* in: bytes that the flows' frames may take, cached ones too */
	char pool_name[SNI_POOL_NAME_LEN]; /* in */
	__u64 table_id;		/* out */
	__u64 pool_id;		/* out */
};

/* Bytes that a flow takes in the pool: struct sni_flow, its key, and the table's header. */
#define SNI_FLOW_BYTES 512

struct sni_read_args {
	__u64 created, ended, expired, entered, busy, full, nomem; /* out: the table's */
};

/*
 * The object `sni.bpf.o`:
 *   programs  sni_tc (tcx ingress or egress), sni_xdp, sni_setup, sni_read
 *   maps      names, counters, events, owner (holds table and pool)
 *   .rodata   struct sni_config config
 */
#endif /* KCORO_SNI_H */
