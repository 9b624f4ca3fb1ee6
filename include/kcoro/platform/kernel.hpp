/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.hpp - what the C++ library takes from the kernel.
 *
 * Kernel headers are C and can't be included from C++; what is needed crosses by
 * the functions below, which kcoro.ko exports (kmod/cxx/runtime.c). A size of 0
 * or over KCORO_FRAME_SIZE_MAX (8 KiB) gives a null pointer.
 *
 * Thread safety and contexts: any context, NMI included; never sleeps.
 */
#ifndef KCORO_PLATFORM_KERNEL_HPP
#define KCORO_PLATFORM_KERNEL_HPP

#include <cstddef>

extern "C" {
/* A frame from the default pool, 64-byte aligned, or null. */
void *kcoro_cxx_frame_alloc(std::size_t size) noexcept;
/* Give it back, with the size it was asked for. */
void kcoro_cxx_frame_free(void *frame, std::size_t size) noexcept;
}

namespace kcoro::platform {

inline void *frame_alloc(std::size_t size) noexcept
{
	return kcoro_cxx_frame_alloc(size);
}

inline void frame_free(void *frame, std::size_t size) noexcept
{
	kcoro_cxx_frame_free(frame, size);
}

/* errno of a coroutine that got no frame; the kernel's value of ENOMEM. */
inline constexpr int no_memory = 12;

} // namespace kcoro::platform

#endif // KCORO_PLATFORM_KERNEL_HPP
