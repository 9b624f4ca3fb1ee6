/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * knock.h - what the knock filter shares with the command that attaches it.
 *
 * Whoever includes it brings __u8 .. __u64 along.
 */
#ifndef KCORO_KNOCK_H
#define KCORO_KNOCK_H

#define KNOCK_PORTS_MIN 2
#define KNOCK_PORTS_MAX 8

/* Set in .rodata before the load. */
struct knock_config {
	__u64 within_ns;	/* from the first knock to the last */
	__u64 open_ns;		/* how long the port is open then */
	__u32 knocks;		/* of ports[], KNOCK_PORTS_MIN .. KNOCK_PORTS_MAX */
	__u16 ports[KNOCK_PORTS_MAX]; /* to knock at, in this order; host order, all different */
	__u16 port;		/* that opens; none of these */
	__u8 raw_ip;		/* 1: no Ethernet header (tun, wireguard, ppp) */
	__u8 zero;
};

/* The only element of the per-CPU array `counters`. They only grow. */
struct knock_counters {
	__u64 begun;		/* coroutines that were spawned: first knocks */
	__u64 wrong;		/* ended by a knock at another port than the next */
	__u64 late;		/* ended because the next knock did not come in time */
	__u64 opened;		/* times the port was opened for a source */
	__u64 closed;		/* and closed again */
	__u64 killed;		/* ended because the filter was detached */
	__u64 refused;		/* first knocks that found too many, or no memory */
	__u64 passed;		/* SYNs to the port, of those it was open for */
	__u64 dropped;		/* SYNs to the port, of all others */
	__u64 fragments;	/* IP fragments of TCP: dropped, a SYN could hide in them */
};

/* Addresses, IPv4 mapped into IPv6: the keys under which knocks are awaited. */
struct knock_source {
	__u8 address[16];
};

/* Bytes that a coroutine takes in the pool: its state, and what the module keeps of it. */
#define KNOCK_FRAME_BYTES 512

/* Context of `knock_setup`, run once the ops are attached, before any packet comes. */
struct knock_setup_args {
	__u32 max_sources;	/* in */
	__u32 reserved;
};

/*
 * The object `knock.bpf.o`:
 *   struct_ops  knock, with name, limit and pool set before the load
 *   programs    knock_tc (tcx ingress), knock_setup
 *   maps        guests, counters, owner (holds the table)
 *   .rodata     struct knock_config config, char ops_name[]
 */
#endif /* KCORO_KNOCK_H */
