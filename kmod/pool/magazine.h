/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * magazine.h - a small array of free frames (Bonwick and Adams, "Magazines and
 * Vmem", USENIX 2001). A pure algorithm: no locking, no kernel calls, so that it
 * is compiled for user space too and tested there.
 *
 * A magazine belongs to one CPU and one level, and is touched only by code of
 * that level on that CPU with preemption off; see window.c.
 *
 * Invariant: 0 <= count <= capacity, and slots[0 .. count) are distinct free
 * frames that nobody else has.
 *
 * Who includes it brings u32, bool and NULL along.
 */
#ifndef KCORO_MAGAZINE_H
#define KCORO_MAGAZINE_H

struct kcoro_magazine {
	u32 count;	/* frames held */
	u32 capacity;	/* frames it can hold; 0 in the shared "none" magazine */
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

#endif /* KCORO_MAGAZINE_H */
