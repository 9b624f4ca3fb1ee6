/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame_debug.h - the debug mode of frames (module parameter frame_debug=1).
 *
 *   slab object:  | header: state, class, pool, stacks | zone | frame | zone |
 *
 * Each frame is a slab object of its own, which no magazine keeps where the slab
 * may be called. So KASAN, KFENCE and kmemleak see every frame, and a frame that
 * was freed is not handed out again soon.
 */
#ifndef KCORO_FRAME_DEBUG_H
#define KCORO_FRAME_DEBUG_H

#include <linux/types.h>

struct kcoro_pool;
struct kcoro_deferred;

extern bool kcoro_frame_debug;

size_t kcoro_frame_debug_size(size_t frame_size);
void *kcoro_frame_debug_prepare(void *object, unsigned int cls);
void kcoro_frame_debug_release(void *frame);
void kcoro_frame_debug_alloc(struct kcoro_pool *pool, void *frame);
bool kcoro_frame_debug_free(struct kcoro_pool **pool, void *frame, unsigned int *cls);
struct kcoro_deferred *kcoro_frame_debug_deferred(void *frame);
void *kcoro_frame_debug_of_deferred(struct kcoro_deferred *deferred);
void kcoro_frame_debug_flush(void);

#endif /* KCORO_FRAME_DEBUG_H */
