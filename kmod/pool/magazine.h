/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * magazine.h - a small array of free frames, and stacks of such arrays (Bonwick and
 * Adams, "Magazines and Vmem", USENIX 2001). A pure algorithm: no locking, no kernel
 * calls, so that it is compiled for user space too and tested there.
 *
 * A magazine belongs to one CPU and one level, and is touched only by code of
 * that level on that CPU with preemption off (window.c), or it is in a depot, whose
 * lock protects it (depot.c), or one caller has it alone.
 *
 * Invariants: 0 <= count <= capacity, and slots[0 .. count) are distinct free frames
 * that nobody else has; a stack's length is the number of magazines from top to
 * bottom, and least <= length.
 *
 * Who includes it brings u32, bool and NULL along.
 */
#ifndef KCORO_MAGAZINE_H
#define KCORO_MAGAZINE_H

struct kcoro_magazine {
	u32 count;	/* frames held */
	u32 capacity;	/* frames it can hold; 0 in the shared "none" magazine */
	struct kcoro_magazine *above, *below;	/* in a stack */
	void *slots[];
};

/* Does the invariant hold, as far as it can be seen in @m alone? */
static inline bool kcoro_magazine_is_valid(const struct kcoro_magazine *m)
{
	u32 i;

	if (m->count > m->capacity)
		return false;
	for (i = 0; i < m->count; i++)
		if (!m->slots[i])
			return false;
	return true;
}

/* The frame freed last, still warm in the cache; NULL when empty. */
static inline __attribute__((always_inline)) void *kcoro_magazine_pop(struct kcoro_magazine *m)
{
	u32 n = m->count;

	if (!n)
		return NULL;
	m->count = --n;
	return m->slots[n];
}

/* False when full; then the frame still belongs to the caller. */
static inline __attribute__((always_inline)) bool kcoro_magazine_push(struct kcoro_magazine *m,
								      void *frame)
{
	u32 n = m->count;

	if (n >= m->capacity)
		return false;
	m->slots[n] = frame;
	m->count = n + 1;
	return true;
}

/* Move up to @want frames, those freed last first, to @out. Returns how many. */
static inline u32 kcoro_magazine_take(struct kcoro_magazine *m, void **out, u32 want)
{
	u32 n = 0;

	while (n < want && m->count)
		out[n++] = kcoro_magazine_pop(m);
	return n;
}

/* Move up to @have frames from @in. Returns how many found room: in[0 .. n). */
static inline u32 kcoro_magazine_put(struct kcoro_magazine *m, void *const *in, u32 have)
{
	u32 n = 0;

	while (n < have && kcoro_magazine_push(m, in[n]))
		n++;
	return n;
}

/*
 * Magazines, the one put in last on top. Those at the bottom were not needed for the
 * longest time; at least "least" of them not since kcoro_stack_look().
 */
struct kcoro_stack {
	struct kcoro_magazine *top, *bottom;
	u32 length;
	u32 least;	/* smallest length since the last look */
};

static inline void kcoro_stack_push(struct kcoro_stack *s, struct kcoro_magazine *m)
{
	m->above = NULL;
	m->below = s->top;
	if (s->top)
		s->top->above = m;
	else
		s->bottom = m;
	s->top = m;
	s->length++;
}

/* The magazine on top; NULL when there is none. */
static inline struct kcoro_magazine *kcoro_stack_pop(struct kcoro_stack *s)
{
	struct kcoro_magazine *m = s->top;

	if (!m)
		return NULL;
	s->top = m->below;
	if (s->top)
		s->top->above = NULL;
	else
		s->bottom = NULL;
	if (--s->length < s->least)
		s->least = s->length;
	return m;
}

/* The magazine at the bottom; NULL when there is none. */
static inline struct kcoro_magazine *kcoro_stack_pop_bottom(struct kcoro_stack *s)
{
	struct kcoro_magazine *m = s->bottom;

	if (!m)
		return NULL;
	s->bottom = m->above;
	if (s->bottom)
		s->bottom->below = NULL;
	else
		s->top = NULL;
	s->length--;
	/* It was one of those that nobody needed, if there were any. */
	if (s->least)
		s->least--;
	return m;
}

/* How many magazines nobody needed since the last look. */
static inline u32 kcoro_stack_look(struct kcoro_stack *s)
{
	u32 idle = s->least;

	s->least = s->length;
	return idle;
}

#endif /* KCORO_MAGAZINE_H */
