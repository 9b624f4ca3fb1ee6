// SPDX-License-Identifier: GPL-2.0-only
/* frame.c - frames with a header. Callable from every context, NMI included. */
#include <linux/string.h>

#include "frame.h"

static struct kcoro_frame *frame_init(struct kcoro_frame *frame, struct kcoro_bpf_pool *pool,
				      u32 data_offset, u32 data_size)
{
	if (!frame)
		return NULL;
	memset(frame, 0, (size_t)data_offset + data_size);
	frame->pool = pool;
	frame->data_offset = data_offset;
	frame->data_size = data_size;
	return frame;
}

/**
 * kcoro_frame_create() - take a frame with a header from a pool
 * @pool: the pool, which must outlive the frame: the caller sees to it, or has it counted
 * @data_offset: bytes before the state, at least sizeof(struct kcoro_frame)
 * @data_size: bytes of state
 * @gfp: as kcoro_pool_alloc_gfp()
 *
 * Context: any. Return: the frame, all zero but the header, owned by the caller;
 * NULL without memory or when it is too large.
 */
struct kcoro_frame *kcoro_frame_create(struct kcoro_bpf_pool *pool, u32 data_offset,
				       u32 data_size, gfp_t gfp)
{
	size_t size = (size_t)data_offset + data_size;
	struct kcoro_frame *frame = kcoro_pool_alloc_gfp(pool->pool, size, gfp);

	return frame_init(frame, pool, data_offset, data_size);
}

/**
 * kcoro_frame_create_nolock() - the same for callers that may hold any lock
 *
 * Context: any, with any lock held. Return: also NULL when this CPU's magazine is empty.
 */
struct kcoro_frame *kcoro_frame_create_nolock(struct kcoro_bpf_pool *pool, u32 data_offset,
					      u32 data_size)
{
	size_t size = (size_t)data_offset + data_size;

	return frame_init(kcoro_pool_alloc_nolock(pool->pool, size), pool, data_offset, data_size);
}

/**
 * kcoro_frame_destroy() - give it back
 * @frame: from kcoro_frame_create()
 *
 * Context: any.
 */
void kcoro_frame_destroy(struct kcoro_frame *frame)
{
	struct kcoro_bpf_pool *pool = frame->pool;
	bool counted = frame->counted;

	kcoro_pool_free(pool->pool, frame, kcoro_frame_size(frame));
	if (unlikely(counted))
		kcoro_bpf_pool_put(pool);
}

/**
 * kcoro_frame_destroy_nolock() - give it back, whatever it was created with
 * @frame: the frame
 *
 * Context: any, with any lock held.
 */
void kcoro_frame_destroy_nolock(struct kcoro_frame *frame)
{
	struct kcoro_bpf_pool *pool = frame->pool;
	bool counted = frame->counted;

	kcoro_pool_free_nolock(pool->pool, frame, kcoro_frame_size(frame));
	if (unlikely(counted))
		kcoro_bpf_pool_put(pool);
}
