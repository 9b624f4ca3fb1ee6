/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_body.h - write a parser straight down and let it suspend wherever its input ends.
 *
 * A body is a function `int body(struct state *s, struct kcoro_input *in)`. It reads as if it
 * owned its input: get a number, skip n bytes, loop. Where it needs a byte that is not there it
 * notes the place in its struct kcoro_body and returns; the next call goes on there, with more
 * bytes. This is a switch whose case labels stand inside the code (Duff's device; Dunkels'
 * protothreads use it so), hence:
 *
 *  - what must live across a macro stands in the state, never in a local variable;
 *  - no other switch may surround a macro; loops and ifs may;
 *  - a loop reads a byte in each turn;
 *  - the state begins as zero. Each call brings one byte at least, and comes back with a
 *    result, or with all bytes taken;
 *  - before a call the driver throws away what kcoro_body_skip() says: kcoro_feed() does it all.
 *
 *	int body(struct state *s, struct kcoro_input *in)
 *	{
 *		KCORO_BODY_BEGIN(&s->body);
 *		KCORO_BODY_U16(&s->body, in, s->length);
 *		KCORO_BODY_SKIP(&s->body, in, s->length);
 *		KCORO_BODY_U8(&s->body, in, s->type);
 *		KCORO_BODY_END(DONE);
 *	}
 *
 * Numbers are in network order, the high byte first. Plain C, for BPF and user space, C and
 * C++; whoever includes it brings __u8 .. __u32 along.
 */
#ifndef KCORO_BODY_H
#define KCORO_BODY_H

#define KCORO_INPUT 64	/* bytes at hand at a time; a power of two */

/* A scratch pad of one run: nothing in it lives longer. */
struct kcoro_input {
	__u32 at;	/* of the next byte */
	__u32 end;	/* behind the last one */
	__u8 bytes[KCORO_INPUT];
};

/* Where a body is; zero: at its beginning. */
struct kcoro_body {
	__u32 line;
	__u32 skip;	/* bytes to throw away before it goes on */
	__u32 value;	/* of the number it reads, as far as it has come */
	__u32 count;	/* of the bytes of that, or of those it copies */
};

/* What a suspended body returns: the zero of its results. */
#define KCORO_BODY_SUSPENDED 0

/*
 * The input ends every loop, but the verifier does not know: for it this says "no" after some
 * millions of turns. The body is suspended then, and called again.
 */
#ifdef __BPF__
#define KCORO_BODY_MAY_LOOP()						\
	({								\
		__label__ no_, on_;					\
		int may_ = 1;						\
									\
		asm volatile goto("may_goto %l[no_]" :::: no_);		\
		goto on_;						\
	no_:								\
		may_ = 0;						\
	on_:								\
		may_;							\
	})
#else
#define KCORO_BODY_MAY_LOOP() 1
#endif

#define KCORO_BODY_INLINE static inline __attribute__((always_inline, unused))

KCORO_BODY_INLINE __u32 kcoro_input_left(const struct kcoro_input *in)
{
	return in->end - in->at;
}

/* Bytes that are there. */
KCORO_BODY_INLINE __u8 kcoro_input_u8(struct kcoro_input *in)
{
	return in->bytes[in->at++ & (KCORO_INPUT - 1)];
}

/* As many of *n as there are. */
KCORO_BODY_INLINE void kcoro_input_skip(struct kcoro_input *in, __u32 *n)
{
	__u32 left = kcoro_input_left(in), some = *n < left ? *n : left;

	in->at += some;
	*n -= some;
}

/* n, a constant, is 2 to 4. */
KCORO_BODY_INLINE __u32 kcoro_input_number(struct kcoro_input *in, __u32 n)
{
	__u32 at = in->at, value = 0, i;

	for (i = 0; i < n; i++)
		value = value << 8 | in->bytes[(at + i) & (KCORO_INPUT - 1)];
	in->at = at + n;
	return value;
}

/*
 * For the driver: what can be thrown away of the next `most` bytes. The last byte to skip is
 * never among them: with it the body goes on.
 */
KCORO_BODY_INLINE __u32 kcoro_body_skip(struct kcoro_body *body, __u32 most)
{
	__u32 n = body->skip ? body->skip - 1 : 0;

	if (n > most)
		n = most;
	body->skip -= n;
	return n;
}

#define KCORO_BODY_BEGIN(body)						\
	switch ((body)->line) {						\
	case 0:

/* Falls out of the switch; reached by the last statement only. */
#define KCORO_BODY_END(result)						\
	}								\
	return (result)

/* A line may hold that many places. */
#define KCORO_BODY_PLACE(nth) (__LINE__ * 8 + (nth))

/* From here on there is a byte. */
#define KCORO_BODY_NEXT(body, in)					\
	do {								\
		if (!kcoro_input_left(in) || !KCORO_BODY_MAY_LOOP()) {	\
			(body)->line = KCORO_BODY_PLACE(0);		\
			return KCORO_BODY_SUSPENDED;			\
	case KCORO_BODY_PLACE(0):;					\
		}							\
	} while (0)

/* Say something, and go on in the next call. */
#define KCORO_BODY_YIELD(body, result)					\
	do {								\
		(body)->line = KCORO_BODY_PLACE(1);			\
		return result;						\
	case KCORO_BODY_PLACE(1):;					\
	} while (0)

/* A number that is there whole is read at once. */
#define KCORO_BODY_NUMBER(body, in, to, type, n)			\
	do {								\
		if (kcoro_input_left(in) >= (n) && KCORO_BODY_MAY_LOOP()) { \
			(to) = (type)kcoro_input_number(in, n);		\
		} else {						\
			(body)->value = 0;				\
			(body)->count = 0;				\
			do {						\
				KCORO_BODY_NEXT(body, in);		\
				(body)->value = (body)->value << 8 |	\
						kcoro_input_u8(in);	\
			} while (++(body)->count < (n));		\
			(to) = (type)(body)->value;			\
		}							\
	} while (0)

/* One byte, and numbers of several. */
#define KCORO_BODY_U8(body, in, to)					\
	do {								\
		KCORO_BODY_NEXT(body, in);				\
		(to) = kcoro_input_u8(in);				\
	} while (0)

#define KCORO_BODY_U16(body, in, to) KCORO_BODY_NUMBER(body, in, to, __u16, 2U)
#define KCORO_BODY_U24(body, in, to) KCORO_BODY_NUMBER(body, in, to, __u32, 3U)
#define KCORO_BODY_U32(body, in, to) KCORO_BODY_NUMBER(body, in, to, __u32, 4U)

/*
 * Let n bytes pass. The body goes on with the last of them, so that nothing is concluded
 * from bytes that have not come yet.
 */
#define KCORO_BODY_SKIP(body, in, n)					\
	do {								\
		if (kcoro_input_left(in) >= (n)) {			\
			(in)->at += (n);				\
		} else {						\
			(body)->skip = (n);				\
			do {						\
				KCORO_BODY_NEXT(body, in);		\
				kcoro_input_skip(in, &(body)->skip);	\
			} while ((body)->skip);				\
		}							\
	} while (0)

/* Copy n bytes to an array; what has no room in it passes. */
#define KCORO_BODY_COPY(body, in, to, n)				\
	do {								\
		(body)->count = 0;					\
		while ((body)->count < (n)) {				\
			KCORO_BODY_NEXT(body, in);			\
			if ((body)->count < sizeof(to))			\
				(to)[(body)->count] = kcoro_input_u8(in); \
			else						\
				(in)->at++;				\
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
