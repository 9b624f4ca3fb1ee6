/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.h - the header of a frame that is handed to BPF: it makes the memory
 * behind it type safe, because the bounds travel with it.
 *
 *   | struct kcoro_frame | owner's own header | state, data_size bytes, zeroed |
 *                                             ^ data_offset
 *
 * Callable from every context.
 */
#ifndef KCORO_FRAME_H
#define KCORO_FRAME_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include <kcoro/kcoro.h>

#include "bpf_pool.h"

struct kcoro_frame {
	u32 data_size;		/* bytes of state */
	u16 data_offset;	/* from this header to the state, bytes */
	u16 counted;		/* holds a reference to its pool */
	struct kcoro_bpf_pool *pool;
};
static_assert(sizeof(struct kcoro_frame) == KCORO_FRAME_HEADER);

/* Bytes of pool memory under a frame. */
static inline size_t kcoro_frame_size(const struct kcoro_frame *frame)
{
	return frame->data_offset + frame->data_size;
}

struct kcoro_frame *kcoro_frame_create(struct kcoro_bpf_pool *pool, u32 data_offset,
				       u32 data_size, gfp_t gfp);
void kcoro_frame_destroy(struct kcoro_frame *frame);
struct kcoro_frame *kcoro_frame_create_nolock(struct kcoro_bpf_pool *pool, u32 data_offset,
					      u32 data_size);
void kcoro_frame_destroy_nolock(struct kcoro_frame *frame);

#endif /* KCORO_FRAME_H */
