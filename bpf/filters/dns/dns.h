/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns.h - what the dns filter shares with the command that attaches it.
 *
 * Whoever includes it brings __u8 .. __u64 along.
 */
#ifndef KCORO_DNS_H
#define KCORO_DNS_H

#define DNS_OPS_NAME_LEN 16	/* KCORO_NAME_LEN */
#define DNS_RCODES 16		/* of a message's header; extended ones are not looked for */
#define DNS_SERVERS 1024	/* servers that are told apart */
#define DNS_LATENCIES 4096	/* histograms: servers and answer codes */

/* Bucket n holds [2^n, 2^(n+1) - 1] us, bucket 0 also 0; the last one has no upper end. */
#define DNS_LATENCY_BUCKETS 26

/* IPv4 in the manner of IPv6: ::ffff:a.b.c.d */
struct dns_server {
	__u8 address[16];
};

/* Key of `dns_latency_us`. */
struct dns_latency_key {
	struct dns_server server;
	__u32 rcode;
};

/* From the query to its answer. Only grows. */
struct dns_latency {
	__u64 count;
	__u64 sum_us;
	__u64 bucket_log2_us[DNS_LATENCY_BUCKETS];
};

/*
 * What became of the queries to a server; value of `dns_servers`. Those that were followed
 * are answered + timeouts + waiting + broken.
 */
struct dns_server_counters {
	__u64 answered;
	__u64 timeouts;		/* no answer came in time */
	__s64 waiting;		/* it may still come: goes up and down, also below 0 for a moment */
	__u64 broken;		/* the table went */
	__u64 retries;		/* queries that were sent again while waiting */
};

/* The only element of the per-CPU array `dns_counters`. They only grow. */
struct dns_counters {
	__u64 queries;		/* messages that ask, retries among them */
	__u64 answers;		/* messages that answer */
	__u64 spawned;		/* coroutines: queries that wait for their answer */
	__u64 retries;		/* the same query again, while it waits */
	__u64 unasked;		/* answers that nobody waits for: late, doubled, or not asked for */
	__u64 refused_limit;	/* queries that are not followed: --max-queries wait */
	__u64 refused_memory;	/* the same: no memory, or the pool's quota */
	__u64 refused_other;	/* the same: the filter is being detached */
	__u64 malformed;	/* messages that cannot be read */
	__u64 fragments;	/* of IP packets: not read */
	__u64 streams;		/* directions of TCP connections that are read */
	__u64 gaps;		/* of them, those given up for a missing segment */
	__u64 busy;		/* TCP segments not read: another CPU was in the stream */
	__u64 no_stream;	/* TCP connections not read: table full, or no memory */
	__u64 servers_full;	/* outcomes not counted: DNS_SERVERS others, or DNS_LATENCIES */
};

/* Set in .rodata before the load. */
struct dns_config {
	__u64 timeout_ns;	/* how long an answer is awaited */
	__u64 idle_ns;		/* a TCP connection is forgotten when silent this long */
	__u16 port;		/* of servers, host order */
	__u8 raw_ip;		/* 1: no Ethernet header (tun, wireguard, ppp) */
	__u8 unused[5];
	char ops_name[DNS_OPS_NAME_LEN];
};

/* Context of the syscall program `dns_setup`, run once after the load. */
struct dns_setup_args {
	__u64 pool_id;		/* of the TCP streams */
	__u32 max_queries;
	__u32 reserved;
};

/*
 * The object `dns.bpf.o`:
 *   programs  dns_tc (tcx ingress and egress), dns_setup, dns_find (once dns_ops is
 *             attached)
 *   ops       dns_ops; its name and pool are set before the load
 *   maps      dns_latency_us, dns_servers, dns_counters, dns_owner (holds the tables)
 *   .rodata   struct dns_config config
 */
#endif /* KCORO_DNS_H */
