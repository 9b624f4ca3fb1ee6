/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.hpp - what the C++ library takes from the kernel.
 *
 * Kernel headers are C and can't be included from C++: what is needed crosses by the functions
 * of cxx.h, which kcoro.ko exports. A frame of 0 or over 8 KiB is a null pointer.
 *
 * Thread safety and contexts: frames in any context, NMI included; a guard in any but NMI;
 * nothing here sleeps.
 */
#ifndef KCORO_PLATFORM_KERNEL_HPP
#define KCORO_PLATFORM_KERNEL_HPP

#include <cstddef>
#include <cstdint>

#include <kcoro/cxx.h>

namespace kcoro::inline KCORO_ABI::platform {

/* enum kcoro_class, of a size that the compiler knows; 9: there is none for it. */
constexpr unsigned long size_class(std::size_t size) noexcept
{
	return size - 1 >= 8192 ? 9
	       : size <= 64	? 0
	       : size <= 128	? 1
	       : size <= 192	? 2
	       : size <= 256	? 3
	       : size <= 512	? 4
	       : size <= 1024	? 5
	       : size <= 2048	? 6
	       : size <= 4096	? 7
				: 8;
}

[[gnu::always_inline]] inline void *frame_alloc(std::size_t size) noexcept
{
	if (__builtin_constant_p(size) && size_class(size) < 9)
		return kcoro_cxx_frame_alloc_class(size_class(size), size);
	return kcoro_cxx_frame_alloc(size);
}

/* Frames that are there; a null pointer is none. */
[[gnu::always_inline]] inline void frame_free(void *frame, std::size_t size) noexcept
{
	if (__builtin_constant_p(size) && size_class(size) < 9)
		kcoro_cxx_frame_free_class(frame, size_class(size));
	else
		kcoro_cxx_frame_free(frame, size);
}

inline std::uint64_t now() noexcept
{
	return kcoro_cxx_now();
}

/* An oops: a rule of the library was broken, and to go on would corrupt memory. */
[[noreturn, gnu::cold]] inline void panic(const char *) noexcept
{
	__builtin_trap();
}

class spinlock {
	friend class guard;
	unsigned int word_ = 0;
};

class guard {
public:
	explicit guard(spinlock &lock) noexcept : word_(lock.word_), flags_(kcoro_cxx_lock(&word_))
	{
	}
	~guard() { kcoro_cxx_unlock(&word_, flags_); }
	guard(const guard &) = delete;
	guard &operator=(const guard &) = delete;

private:
	unsigned int &word_;
	unsigned long flags_;
};

/* A timer of the kernel, while it is armed. */
struct timer_room {
	alignas(8) unsigned char bytes[KCORO_CXX_TIMER_ROOM];
};

/* There are no exceptions in the kernel. */
class exception_slot {
public:
	void take(exception_slot &) noexcept {}
};

} // namespace kcoro::inline KCORO_ABI::platform

#endif // KCORO_PLATFORM_KERNEL_HPP
