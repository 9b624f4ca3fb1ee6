// SPDX-License-Identifier: GPL-2.0-only
/* frame.c - frames with a header. Callable from every context, NMI included. */
#include <linux/string.h>

#include "frame.h"

/**
 * kcoro_frame_create() - take a frame with a header from a pool
 * @pool: the pool
 * @data_offset: bytes before the state, at least sizeof(struct kcoro_frame)
 * @data_size: bytes of state
 * @gfp: as kcoro_pool_alloc_gfp()
 *
 * Context: any. Return: the frame, all zero but the header, owned by the caller;
 * NULL without memory or when it is too large.
 */
struct kcoro_frame *kcoro_frame_create(struct kcoro_pool *pool, u32 data_offset, u32 data_size,
				       gfp_t gfp)
{
	size_t size = (size_t)data_offset + data_size;
	struct kcoro_frame *frame;

	frame = kcoro_pool_alloc_gfp(pool, size, gfp);
	if (!frame)
		return NULL;
	memset(frame, 0, size);
	frame->pool = pool;
	frame->data_offset = data_offset;
	frame->data_size = data_size;
	return frame;
}

/**
 * kcoro_frame_destroy() - give it back
 * @frame: from kcoro_frame_create()
 *
 * Context: any.
 */
void kcoro_frame_destroy(struct kcoro_frame *frame)
{
	kcoro_pool_free(frame->pool, frame, kcoro_frame_size(frame));
}
