/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_coro.h - write the body of a scheduled coroutine straight down over its awaits.
 *
 * The module calls `resume` again and again, with what was awaited. Between BEGIN and END
 * it reads as one function: where it has to wait it notes its place in the state and
 * returns, and the next call goes on there, with the new value and error. A switch whose
 * case labels stand inside the code does that, as in kcoro_body.h, hence:
 *
 *  - what must live across an await stands in the state, never in a local variable;
 *  - no other switch may surround an await; loops and ifs may; one await to a line;
 *  - the place begins as zero, which the state of a new coroutine is.
 *
 *	KCORO_CORO_BEGIN(s->line);
 *	KCORO_CORO_AWAIT(s->line, bpf_kcoro_await_next(co, SECOND));
 *	if (error)
 *		return KCORO_NEXT_DONE;
 *	KCORO_CORO_AWAIT(s->line, bpf_kcoro_await_timer(co, SECOND));
 *	KCORO_CORO_END();
 *
 * Who was spawned with bpf_kcoro_spawn_await_key() has awaited before its first line: that
 * one has the first value.
 */
#ifndef KCORO_CORO_H
#define KCORO_CORO_H

#define KCORO_CORO_BEGIN(line)							\
	switch (line) {								\
	case 0:

/* The end of a body that gets there. */
#define KCORO_CORO_END()							\
	}									\
	return KCORO_NEXT_DONE

/* Wait for what `ask`, an await kfunc, asks for; it ends with its error if that is wrong. */
#define KCORO_CORO_AWAIT(line, ask)						\
	do {									\
		int kcoro_wrong = (ask);					\
										\
		if (kcoro_wrong)						\
			return kcoro_wrong;					\
		(line) = __LINE__;						\
		return KCORO_NEXT_WAIT;						\
	case __LINE__:;								\
	} while (0)

#endif /* KCORO_CORO_H */
