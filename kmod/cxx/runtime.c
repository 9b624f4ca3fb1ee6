// SPDX-License-Identifier: GPL-2.0-only
/*
 * runtime.c - what C++ code in the kernel calls; declared for it in
 * include/kcoro/platform/kernel.hpp. Any context, NMI included.
 */
#include <linux/module.h>

#include <kcoro/kcoro.h>

void *kcoro_cxx_frame_alloc(size_t size);
void kcoro_cxx_frame_free(void *frame, size_t size);

/**
 * kcoro_cxx_frame_alloc() - a coroutine frame from the default pool
 * @size: bytes, as the compiler asks for them
 *
 * Context: any; never sleeps, because a coroutine can be made anywhere.
 * Return: the frame, the caller's, or NULL.
 */
void *kcoro_cxx_frame_alloc(size_t size)
{
	return kcoro_pool_alloc_gfp(kcoro_pool_default(), size, GFP_ATOMIC | __GFP_NOWARN);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_frame_alloc);

/**
 * kcoro_cxx_frame_free() - give it back
 * @frame: from kcoro_cxx_frame_alloc(), or NULL
 * @size: the size it was asked for
 *
 * Context: any.
 */
void kcoro_cxx_frame_free(void *frame, size_t size)
{
	kcoro_pool_free(kcoro_pool_default(), frame, size);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_frame_free);
