/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.hpp - what the C++ library takes from the kernel.
 *
 * Kernel headers are C and can't be included from C++; what is needed crosses by
 * the functions below, which kcoro.ko exports (kmod/cxx/runtime.c). A size of 0
 * or over KCORO_FRAME_SIZE_MAX (8 KiB) gives a null pointer.
 *
 * Thread safety and contexts: frames in any context, NMI included; never sleeps. Locks, the
 * clock and what is built on them (all but result, frame and task) are not there yet:
 * kcoro.ko does not export kcoro_cxx_lock(), _unlock() and _now() so far.
 */
#ifndef KCORO_PLATFORM_KERNEL_HPP
#define KCORO_PLATFORM_KERNEL_HPP

#include <cstddef>
#include <cstdint>

extern "C" {
/* A spin lock of the kernel: raw, with interrupts off. Gives the flags for unlocking. */
unsigned long kcoro_cxx_lock(unsigned int *lock) noexcept;
void kcoro_cxx_unlock(unsigned int *lock, unsigned long flags) noexcept;
/* Nanoseconds of the monotonic clock. */
std::uint64_t kcoro_cxx_now() noexcept;

/* A frame from the default pool, 64-byte aligned, or null. */
void *kcoro_cxx_frame_alloc(std::size_t size) noexcept;
/* Give it back, with the size it was asked for. */
void kcoro_cxx_frame_free(void *frame, std::size_t size) noexcept;
}

namespace kcoro::inline KCORO_ABI::platform {

inline void *frame_alloc(std::size_t size) noexcept
{
	return kcoro_cxx_frame_alloc(size);
}

inline void frame_free(void *frame, std::size_t size) noexcept
{
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

/* There are no exceptions in the kernel. */
class exception_slot {
public:
	void take(exception_slot &) noexcept {}
};

} // namespace kcoro::inline KCORO_ABI::platform

#endif // KCORO_PLATFORM_KERNEL_HPP
