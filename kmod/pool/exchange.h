/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exchange.h - the two magazines of a slot, loaded and spare, and what goes between
 * them and a depot. As pure as magazine.h, and tested in the same way: who calls this
 * has the slot for itself, and the depot's lock where a stack is named.
 *
 *   slot: loaded [f f .]  spare [f f f]         depot: full and empty magazines
 *
 *   pop     loaded, else the two are swapped, else a full magazine comes: it is loaded,
 *           the loaded one becomes the spare one, and the spare one, empty, goes
 *   push    the same with full and empty the other way round
 *
 * So a magazine goes after as many operations as one holds, whatever their order.
 *
 * Invariant: between a slot and a depot magazines and frames only move. A magazine of
 * capacity 0 stands for none; it stays out of the stacks.
 *
 * And how much a depot keeps: its room. It grows by frames that were sent to the slab for
 * want of room and asked for again, so by what a larger depot would have spared; a burst
 * that comes once leaves it as it is. It shrinks with the magazines that are trimmed.
 */
#ifndef KCORO_EXCHANGE_H
#define KCORO_EXCHANGE_H

#include "magazine.h"

/* Places of one slot: pointers that are never NULL. */
struct kcoro_pair {
	struct kcoro_magazine **loaded, **spare;
};

static inline __attribute__((always_inline)) void kcoro_pair_swap(struct kcoro_pair p)
{
	struct kcoro_magazine *loaded = *p.loaded;

	*p.loaded = *p.spare;
	*p.spare = loaded;
}

/* From the loaded magazine, or the spare one, which is loaded then. NULL: both are empty. */
static inline __attribute__((always_inline)) void *kcoro_pair_pop(struct kcoro_pair p)
{
	if (!(*p.loaded)->count && (*p.spare)->count)
		kcoro_pair_swap(p);
	return kcoro_magazine_pop(*p.loaded);
}

/* False when both are full; then the frame still belongs to the caller. */
static inline __attribute__((always_inline)) bool kcoro_pair_push(struct kcoro_pair p, void *frame)
{
	if ((*p.loaded)->count == (*p.loaded)->capacity && (*p.spare)->count < (*p.spare)->capacity)
		kcoro_pair_swap(p);
	return kcoro_magazine_push(*p.loaded, frame);
}

/* @mag takes the place of one that is missing. False: none is, and it remains the caller's. */
static inline __attribute__((always_inline)) bool kcoro_pair_load(struct kcoro_pair p,
								  struct kcoro_magazine *mag)
{
	if (!(*p.loaded)->capacity)
		*p.loaded = mag;
	else if (!(*p.spare)->capacity)
		*p.spare = mag;
	else
		return false;
	return true;
}

/* @mag is loaded, the loaded one becomes the spare one, and that one goes: NULL if none was. */
static inline __attribute__((always_inline)) struct kcoro_magazine *
kcoro_pair_rotate(struct kcoro_pair p, struct kcoro_magazine *mag)
{
	struct kcoro_magazine *out = *p.spare;

	*p.spare = *p.loaded;
	*p.loaded = mag;
	return out->capacity ? out : NULL;
}

/* An empty magazine of the slot for a full one. False: there is none, and nothing happened. */
static inline __attribute__((always_inline)) bool
kcoro_pair_get_full(struct kcoro_pair p, struct kcoro_stack *full, struct kcoro_stack *empty)
{
	struct kcoro_magazine *mag = kcoro_stack_pop(full), *out;

	if (!mag)
		return false;
	out = kcoro_pair_rotate(p, mag);
	if (out)
		kcoro_stack_push(empty, out);
	return true;
}

/* A full magazine of the slot for an empty one. False: there is none, and nothing happened. */
static inline __attribute__((always_inline)) bool
kcoro_pair_get_empty(struct kcoro_pair p, struct kcoro_stack *full, struct kcoro_stack *empty)
{
	struct kcoro_magazine *mag = kcoro_stack_pop(empty), *out;

	if (!mag)
		return false;
	out = kcoro_pair_rotate(p, mag);
	if (out)
		kcoro_stack_push(full, out);
	return true;
}

/* Frames that a depot keeps beyond those it keeps anyway. Invariant: extra <= most. */
struct kcoro_room {
	u32 extra;
	u32 sent;	/* to the slab for want of room since the last look, and not yet back */
};

/* So many went to the slab, because the depot had enough. */
static inline void kcoro_room_sent(struct kcoro_room *r, u32 frames)
{
	r->sent += frames < ~r->sent ? frames : ~r->sent;
}

/* So many came from the slab, because the depot had none. */
static inline void kcoro_room_missed(struct kcoro_room *r, u32 frames, u32 most)
{
	u32 back = frames < r->sent ? frames : r->sent;

	r->sent -= back;
	if (r->extra < most)
		r->extra += back < most - r->extra ? back : most - r->extra;
}

/* So many were trimmed. */
static inline void kcoro_room_trimmed(struct kcoro_room *r, u32 frames)
{
	r->extra -= frames < r->extra ? frames : r->extra;
}

/* What was sent before the last look is not waited for any more. */
static inline void kcoro_room_look(struct kcoro_room *r)
{
	r->sent = 0;
}

#endif /* KCORO_EXCHANGE_H */
