/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_body.h - write a parser straight down and let it suspend for every byte.
 *
 * A body is a function `int body(struct state *s, __u8 byte)`. It reads as if it owned its
 * input: get a number, skip n bytes, loop. Where it needs a byte that is not there it notes
 * the place in its struct kcoro_body and returns; the next call goes on there, with the
 * byte. This is a switch whose case labels stand inside the code (Duff's device; Dunkels'
 * protothreads use it so), hence:
 *
 *  - what must live across a macro stands in the state, never in a local variable;
 *  - no other switch may surround a macro; loops and ifs may;
 *  - the state begins as zero. The first call starts the body, and its byte is ignored;
 *    each later call brings the next byte;
 *  - before such a call the driver throws body->skip bytes away: kcoro_feed() does it all.
 *
 *	int body(struct state *s, __u8 byte)
 *	{
 *		KCORO_BODY_BEGIN(&s->body);
 *		KCORO_BODY_U16(&s->body, byte, s->length);
 *		KCORO_BODY_SKIP(&s->body, s->length);
 *		KCORO_BODY_U8(&s->body, byte, s->type);
 *		KCORO_BODY_END(&s->body, DONE);
 *	}
 *
 * Numbers are in network order, the high byte first. Plain C, for BPF and user space, C and
 * C++; whoever includes it brings __u8 .. __u32 along.
 */
#ifndef KCORO_BODY_H
#define KCORO_BODY_H

/* Where a body is; zero: at its beginning. */
struct kcoro_body {
	__u32 line;
	__u32 skip;	/* bytes to throw away before it goes on */
	__u32 value;	/* of the number it reads, as far as it has come */
	__u32 count;	/* of the bytes it copies */
};

/* What a suspended body returns: the zero of its results. */
#define KCORO_BODY_SUSPENDED 0

#define KCORO_BODY_BEGIN(body)						\
	switch ((body)->line) {						\
	case 0:

/* Falls out of the switch; reached by the last statement only. */
#define KCORO_BODY_END(result)						\
	}								\
	return (result)

/* A line may hold that many places. */
#define KCORO_BODY_PLACE(nth) (__LINE__ * 8 + (nth))

/* Suspend at a place of that number; goes on when the next byte is there. */
#define KCORO_BODY_NEXT(body, nth)					\
	do {								\
		(body)->line = KCORO_BODY_PLACE(nth);			\
		return KCORO_BODY_SUSPENDED;				\
	case KCORO_BODY_PLACE(nth):;					\
	} while (0)

/* The next byte of the number. */
#define KCORO_BODY_MORE(body, byte, nth)				\
	do {								\
		KCORO_BODY_NEXT(body, nth);				\
		(body)->value = (body)->value << 8 | (byte);		\
	} while (0)

/* One byte, and numbers of several. */
#define KCORO_BODY_U8(body, byte, to)					\
	do {								\
		KCORO_BODY_NEXT(body, 0);				\
		(to) = (byte);						\
	} while (0)

#define KCORO_BODY_U16(body, byte, to)					\
	do {								\
		(body)->value = 0;					\
		KCORO_BODY_MORE(body, byte, 0);				\
		KCORO_BODY_MORE(body, byte, 1);				\
		(to) = (__u16)(body)->value;				\
	} while (0)

#define KCORO_BODY_U24(body, byte, to)					\
	do {								\
		(body)->value = 0;					\
		KCORO_BODY_MORE(body, byte, 0);				\
		KCORO_BODY_MORE(body, byte, 1);				\
		KCORO_BODY_MORE(body, byte, 2);				\
		(to) = (body)->value;					\
	} while (0)

#define KCORO_BODY_U32(body, byte, to)					\
	do {								\
		KCORO_BODY_MORE(body, byte, 0);				\
		KCORO_BODY_MORE(body, byte, 1);				\
		KCORO_BODY_MORE(body, byte, 2);				\
		KCORO_BODY_MORE(body, byte, 3);				\
		(to) = (body)->value;					\
	} while (0)

/*
 * Let n bytes pass. The body goes on with the last of them, so that nothing is concluded
 * from bytes that have not come yet.
 */
#define KCORO_BODY_SKIP(body, n)					\
	do {								\
		if ((n) > 0) {						\
			(body)->skip = (n) - 1;				\
			KCORO_BODY_NEXT(body, 0);			\
		}							\
	} while (0)

/* Copy n bytes to an array; what has no room in it passes. */
#define KCORO_BODY_COPY(body, byte, to, n)				\
	do {								\
		(body)->count = 0;					\
		while ((body)->count < (n)) {				\
			KCORO_BODY_NEXT(body, 0);			\
			if ((body)->count < sizeof(to))			\
				(to)[(body)->count] = (byte);		\
			(body)->count++;				\
		}							\
	} while (0)

/*
 * Take n bytes from what is left of a block; when it has not so many, return `otherwise`.
 * Where blocks stand inside each other, each is claimed from the one around it.
 */
#define KCORO_BODY_CLAIM(left, n, otherwise)				\
	do {								\
		if ((left) < (n))					\
			return (otherwise);				\
		(left) -= (n);						\
	} while (0)

#endif /* KCORO_BODY_H */
