/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handshake.h - what the handshake filter shares with the command that attaches it.
 *
 * Whoever includes it brings __u8 .. __u64 along.
 */
#ifndef KCORO_HANDSHAKE_H
#define KCORO_HANDSHAKE_H

/* What became of a handshake. */
enum handshake_end {
	HANDSHAKE_FINISHED,	/* SYN, SYN-ACK, ACK */
	HANDSHAKE_REFUSED,	/* RST in place of the SYN-ACK */
	HANDSHAKE_UNANSWERED,	/* no SYN-ACK in time */
	HANDSHAKE_RESET,	/* RST in place of the ACK */
	HANDSHAKE_ABANDONED,	/* no ACK in time */
	HANDSHAKE_KILLED,	/* the filter was detached meanwhile */
	HANDSHAKE_ENDS,
};

/* What a histogram measures. */
enum handshake_span {
	HANDSHAKE_SPAN_SERVER,	/* from the SYN to the SYN-ACK */
	HANDSHAKE_SPAN_CLIENT,	/* from the SYN-ACK to the ACK */
	HANDSHAKE_SPAN_WHOLE,	/* from the SYN to the ACK */
	HANDSHAKE_SPANS,
};

/* Bucket n holds [2^n, 2^(n+1) - 1] ns, bucket 0 also 0; the last one has no upper end. */
#define HANDSHAKE_BUCKETS 40

/* The map `handshake_latency_ns`, a hash. */
struct handshake_latency_key {
	enum handshake_span span;
};

/* Only grows. count is at least the sum of the buckets while an update is under way. */
struct handshake_latency {
	__u64 count;
	__u64 sum_ns;
	__u64 bucket_log2_ns[HANDSHAKE_BUCKETS];
};

/*
 * The map `handshake_sources`: of the sources whose SYNs came last. One that makes room for
 * another has its counters gone; when it comes again they begin again, with another born_ns.
 */
#define HANDSHAKE_SOURCES 16384

struct handshake_source_key {
	__u8 address[16];	/* IPv4 mapped into IPv6 */
};

struct handshake_source {
	__u64 born_ns;		/* CLOCK_MONOTONIC, when its first SYN came */
	__s64 half_open;	/* now; the rest only grows */
	__u64 begun;		/* handshakes that are followed */
	__u64 dropped;		/* SYNs over the limit */
	__u64 ended[HANDSHAKE_ENDS]; /* by enum handshake_end */
};

/*
 * The only element of the per-CPU array `counters`. They only grow, and when nothing is
 * under way: half-open now = begun - the sum of ended;
 * syns = begun + repeated + dropped + full + nomem + detached.
 */
struct handshake_counters {
	__u64 syns;		/* SYNs without ACK (to the port) */
	__u64 begun;		/* handshakes that are followed: coroutines that were spawned */
	__u64 ended[HANDSHAKE_ENDS]; /* by enum handshake_end */
	__u64 repeated;		/* SYNs of a handshake that is followed already */
	__u64 dropped;		/* SYNs over the limit of their source */
	__u64 full;		/* SYNs that passed and are not followed: too many are */
	__u64 nomem;		/* the same: no memory, or the pool's quota */
	__u64 detached;		/* the same: the filter is being detached */
	__u64 fragments;	/* IP fragments: passed unseen */
};

/* Set in .rodata before the load. */
struct handshake_config {
	__u64 timeout_ns;	/* how long the SYN-ACK is awaited, and then the ACK */
	__u32 limit;		/* half-open handshakes of a source; 0: no limit */
	__u16 port;		/* server port, host order; 0: all */
	__u8 raw_ip;		/* 1: no Ethernet header (tun, wireguard, ppp) */
	__u8 zero;
};

/*
 * Bytes that a coroutine takes in the pool: its state, and what the module keeps of it; twice
 * as many where that is larger (filter_pool_quota()).
 */
#define HANDSHAKE_FRAME_BYTES 512

/* Context of `handshake_setup`, run once the ops are attached, before any packet comes. */
struct handshake_setup_args {
	__u32 max_flows;	/* in */
	__u32 reserved;
};

/*
 * The object `handshake.bpf.o`:
 *   struct_ops  handshake, with name, limit and pool set before the load
 *   programs    handshake_tc (tcx, both directions), handshake_setup
 *   maps        handshake_latency_ns, handshake_sources, counters, owner (holds the table)
 *   .rodata     struct handshake_config config, char ops_name[]
 */
#endif /* KCORO_HANDSHAKE_H */
