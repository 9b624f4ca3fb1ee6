/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counter.h - counters in 6 bytes. A pool has hundreds of them for each CPU, and they are
 * most of what an unused pool costs; 4 bytes alone would wrap around within hours.
 *
 * The low half has 32 bits and is bumped each time. The high half counts how often the low
 * one passed a multiple of 2^31; it comes a little later, with another instruction. So its
 * lowest bit and the low half's highest one are the same, unless a carry is on its way:
 * whoever reads high before low sees that, and adds it. No count is ever seen to shrink.
 *
 * Invariant: high = low's passes, or one less. 47 bits in all: years at any rate.
 *
 * A pure algorithm as magazine.h is. Who includes it brings u16, u32, u64 and bool along.
 */
#ifndef KCORO_COUNTER_H
#define KCORO_COUNTER_H

/* Must the high half follow, now that the low one became @low? */
static inline bool kcoro_counter_carries(u32 low)
{
	return !(low << 1);
}

/* The count of both halves, @high read before @low. */
static inline u64 kcoro_counter_value(u16 high, u32 low)
{
	u16 passes = high + ((high ^ (low >> 31)) & 1);

	return (u64)passes << 31 | (low & 0x7fffffff);
}

#endif /* KCORO_COUNTER_H */
