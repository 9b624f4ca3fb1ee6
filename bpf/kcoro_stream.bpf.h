/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_stream.bpf.h - the bytes of one direction of a TCP connection, in order and each
 * once; and how they get from a packet to a body (kcoro_body.h).
 *
 * struct kcoro_stream stands in the frame of the flow; who has entered the flow's entry has
 * it alone. Include kcoro_packet.bpf.h before.
 *
 *	switch (kcoro_stream_take(&flow->stream, p.seq, p.payload_len, &old)) {
 *	case KCORO_STREAM_NEW:
 *		result = kcoro_feed(&from, &flow->at, p.payload + old,
 *				    p.payload + p.payload_len, flow, flow_skip, flow_body,
 *				    UNREAD);
 */
#ifndef KCORO_STREAM_BPF_H
#define KCORO_STREAM_BPF_H

#include "kcoro_body.h"

#define KCORO_FEED_STEPS (1U << 20)	/* above the bytes of the largest packet */

/* What has been read of a stream; from the SYN on. */
struct kcoro_stream {
	__u32 start;		/* number of its first byte */
	__u32 next;		/* of the first one that was not read yet */
};

/* What a segment is to a stream. */
enum kcoro_stream_found {
	KCORO_STREAM_NEW,	/* bytes that come next, behind some that were read, maybe */
	KCORO_STREAM_OLD,	/* none that was not read, or none at all */
	KCORO_STREAM_EARLY,	/* there is a gap before it */
	KCORO_STREAM_FOREIGN,	/* it begins before the stream does */
};

/* a is before b in a stream; numbers wrap. What is just as far behind is before, too. */
#define KCORO_STREAM_BEFORE(a, b) ((__s32)((a) - (b)) < 0)

/* `seq` is the number of the first byte, of a SYN that of the byte behind it. */
KCORO_INLINE void kcoro_stream_start(struct kcoro_stream *stream, __u32 seq)
{
	stream->start = seq;
	stream->next = seq;
}

/*
 * A segment has come. NEW: all of it counts as read now, its first `*old` bytes as read
 * before; give the others to the body. Anything else changes nothing.
 */
KCORO_INLINE enum kcoro_stream_found kcoro_stream_take(struct kcoro_stream *stream, __u32 seq,
						       __u32 length, __u32 *old)
{
	__u32 behind = seq + length;

	if (KCORO_STREAM_BEFORE(seq, stream->start))
		return KCORO_STREAM_FOREIGN;
	if (KCORO_STREAM_BEFORE(stream->next, seq))
		return KCORO_STREAM_EARLY;
	if (!KCORO_STREAM_BEFORE(stream->next, behind))
		return KCORO_STREAM_OLD;
	*old = stream->next - seq;
	stream->next = behind;
	return KCORO_STREAM_NEW;
}

/*
 * Gives a body the packet's bytes from `begin` to `end`, until it has a result. What it
 * does not look at is not copied.
 *
 * `skip` and `next` are functions of the caller's, known at compile time: kcoro_body_skip()
 * of the state's body, and the body itself. `*where` is in a frame or a map: of such memory
 * the verifier knows nothing, so one turn of the loop looks to it like any other. It is behind
 * what the body has taken afterwards.
 *
 * Returns what the body returned last, or `unread` when the packet can't be read.
 */
KCORO_INLINE int kcoro_feed(const struct kcoro_packet_source *from, __u32 *where,
			    __u32 begin, __u32 end, void *state,
			    __u32 (*skip)(void *state, __u32 most),
			    int (*next)(void *state, struct kcoro_input *in), int unread)
{
	int result = KCORO_BODY_SUSPENDED;
	struct kcoro_input in;
	__u32 step;

	if (begin < end)
		begin += skip(state, end - begin);
	*(volatile __u32 *)where = begin;
	if (begin >= end)
		return result;
	__builtin_memset(&in, 0, sizeof(in)); /* the verifier wants it, for a body */
	bpf_for(step, 0, KCORO_FEED_STEPS) {
		__u32 n, at = *(volatile __u32 *)where;

		if (at >= end)
			break;
		n = end - at;
		if (n > KCORO_INPUT)
			n = KCORO_INPUT;
		/* The compiler knows 0 < n <= KCORO_INPUT; the verifier wants to see it. */
		barrier_var(n);
		if (!n || n > KCORO_INPUT || kcoro_packet_load(from, at, in.bytes, n))
			return unread;
		in.at = 0;
		in.end = n;
		result = next(state, &in);
		at += in.at;
		if (!result && at < end)
			at += skip(state, end - at);
		*(volatile __u32 *)where = at;
		if (result)
			break;
	}
	return result;
}

#endif /* KCORO_STREAM_BPF_H */
