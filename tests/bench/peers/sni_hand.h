/* SPDX-License-Identifier: GPL-2.0-only */
/* sni_hand.h - what sni_hand.bpf.c keeps: a flow between two segments, and the maps. */
#ifndef KCORO_PEERS_SNI_HAND_H
#define KCORO_PEERS_SNI_HAND_H

#define HAND_STEPS	(1U << 17)	/* above the fields of the largest packet */
#define HAND_MONOTONIC	1		/* CLOCK_MONOTONIC */

/* What is read next. The states from LIST on take their bytes from the extension. */
enum hand_state {
	HAND_HEADER,		/* type and length of the handshake message */
	HAND_SESSION,		/* the length of the session id */
	HAND_CIPHERS,		/* of the cipher suites */
	HAND_COMPRESSION,	/* of the compression methods */
	HAND_EXTENSIONS,	/* of all extensions */
	HAND_EXTENSION,		/* type and length of one */
	HAND_END,		/* nothing: the message is over when all is skipped */
	HAND_LIST,		/* length of the list of names */
	HAND_ENTRY,		/* type and length of a name */
	HAND_NAME,		/* the name itself */
};

/* Between two fields of a record or of the message. */
#define HAND_MORE	SNI_VERDICTS

/* n is no more than a mask of ones: the verifier is told so, and the compiler can't undo it. */
KCORO_INLINE __u32 hand_most(__u32 n, __u32 mask)
{
	barrier_var(n);
	return n & mask;
}

struct hand_flow {
	struct bpf_timer timer;
	__u64 seen_ns;		/* blocked: of the last segment */
	__u32 busy;		/* a CPU is in it */
	__u32 start;		/* number of the stream's first byte */
	__u32 next;		/* of the first one that was not read */
	__u32 segments;
	__u32 left;		/* bytes of the message that nobody has claimed */
	__u32 skip;		/* bytes to pass before the state's field */
	__u16 block;		/* bytes of the extension that nobody has claimed */
	__u16 record_left;	/* bytes of the record that are to come */
	__u16 length;		/* of the name */
	__u16 name_len;
	__u8 state;
	__u8 need;		/* bytes of the state's field */
	__u8 have;		/* of them, those that are there */
	__u8 record_have;
	__u8 begun;		/* the first record's header was TLS's */
	__u8 empty;		/* records without content */
	__u8 blocked;
	__u8 ech;
	/* Larger than what they gather: the verifier adds up the largest place and length. */
	__u8 field[12];
	__u8 record[12];
	char name[256];
};

const volatile struct sni_config config = {
	.hello_timeout_ns = 10000000000ULL,
	.blocked_timeout_ns = 180000000000ULL,
	.max_hello = 131072,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct kcoro_packet_key);
	__type(value, struct hand_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct sni_name_key);
	__type(value, __u8);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sni_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sni_name_key);
} scratch SEC(".maps");

#endif /* KCORO_PEERS_SNI_HAND_H */
