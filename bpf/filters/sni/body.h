/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * body.h - write a parser straight down and let it suspend for every byte.
 *
 * A body is a function `enum x body(struct state *s, __u8 byte)`. It reads as if
 * it owned its input: get a byte, skip n bytes, loop. Where it needs a byte that
 * is not there it notes the place in s->line and returns; the next call jumps
 * there, with the byte. This is a switch whose case labels stand inside the code
 * (Duff's device, protothreads), so:
 *
 *  - what must live across a GET or a SKIP stands in the state, never in a local
 *    variable;
 *  - no other switch may surround a GET or a SKIP; loops and ifs may;
 *  - the state begins as zero. The first call starts the body, and its byte is
 *    ignored; each later call brings the next byte;
 *  - before such a call the driver throws s->skip bytes away.
 *
 * The state needs `__u32 line, skip` and `__u16 value` (used by BODY_GET16).
 *
 *   BODY_BEGIN(s);
 *   BODY_GET(s, byte, s->length);
 *   BODY_SKIP(s, s->length);
 *   BODY_END(DONE);
 */
#ifndef KCORO_SNI_BODY_H
#define KCORO_SNI_BODY_H

/* What a suspended body returns: the zero of its result type. */
#define BODY_SUSPENDED 0

#define BODY_BEGIN(state)						\
	switch ((state)->line) {					\
	case 0:

/* Falls out of the switch; reached by the last statement only. */
#define BODY_END(result)						\
	}								\
	return (result)

/* Suspend at a place with a number of its own; goes on when the next byte is there. */
#define BODY_SUSPEND_AT(state, place)					\
	do {								\
		(state)->line = (place);				\
		return BODY_SUSPENDED;					\
	case (place):;							\
	} while (0)

/* A line may hold four places. */
#define BODY_PLACE(nth) (__LINE__ * 4 + (nth))

#define BODY_GET(state, byte, to)					\
	do {								\
		BODY_SUSPEND_AT(state, BODY_PLACE(0));			\
		(to) = (byte);						\
	} while (0)

/* Two bytes, the high one first; the first waits in state->value for the second. */
#define BODY_GET16(state, byte, to)					\
	do {								\
		BODY_SUSPEND_AT(state, BODY_PLACE(0));			\
		(state)->value = (__u16)((byte) << 8);			\
		BODY_SUSPEND_AT(state, BODY_PLACE(1));			\
		(to) = (state)->value | (byte);				\
	} while (0)

/*
 * Let n bytes pass. The body goes on with the last of them, so that nothing is
 * concluded from bytes that have not come yet.
 */
#define BODY_SKIP(state, n)						\
	do {								\
		if ((n) > 0) {						\
			(state)->skip = (n) - 1;			\
			BODY_SUSPEND_AT(state, BODY_PLACE(0));		\
		}							\
	} while (0)

#endif /* KCORO_SNI_BODY_H */
