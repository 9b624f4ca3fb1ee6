/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * platform.hpp - what differs between the kernel and user space, and the settings.
 *
 * All other headers of the library include this one and nothing of the system but
 * the freestanding <coroutine>, <concepts>, <cstddef>, <cstdint>, <new>, <type_traits>.
 * Each platform defines, in namespace kcoro::platform:
 *
 *	void *frame_alloc(size_t) noexcept	64-byte aligned, or null
 *	void frame_free(void *, size_t) noexcept	sized: no header is needed
 *	class spinlock, class guard		guard locks for its life; never sleeps
 *	uint64_t now() noexcept			nanoseconds of a clock that only grows
 *	void panic(const char *) noexcept	a rule of the library was broken; does not return
 *	class exception_slot			what a body threw: capture(), rethrow(); empty
 *						where there are no exceptions
 *	class thread_state			a run leaves what is the thread's as it was; here
 *						for the kernel, where there is nothing
 *
 * How a coroutine gets onto a thread or a CPU, and timers, are its executor's
 * (executor.hpp): user/run_loop.hpp and user/thread_pool.hpp here, the core's
 * executors in the kernel.
 *
 * Settings, all the same in all files of a program (a mixture does not link):
 *
 *	KCORO_SYMMETRIC_TRANSFER	1: awaits are tail calls. Right where the compiler
 *		makes them so: GCC at -O2, -O3 and -Os, clang 19 when it optimises. 0: a loop
 *		resumes one after the other. Default: 1 with optimisation and without the
 *		address and thread sanitizers. With GCC -O1 say 0 yourself
 *	KCORO_THREADS	1: more than one thread. 0: no atomic operation anywhere
 *	KCORO_FRAME_BUDGET	a larger frame is a compile-time error (with -O2)
 */
#ifndef KCORO_PLATFORM_HPP
#define KCORO_PLATFORM_HPP

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KCORO_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KCORO_SANITIZED 1
#endif

/* KASAN and its like instrument memory, and leave tail calls alone. */
#if defined(__KERNEL__) && defined(KCORO_SANITIZED)
#undef KCORO_SANITIZED
#endif

#ifndef KCORO_SYMMETRIC_TRANSFER
#if defined(__OPTIMIZE__) && !defined(KCORO_SANITIZED)
#define KCORO_SYMMETRIC_TRANSFER 1
#else
#define KCORO_SYMMETRIC_TRANSFER 0
#endif
#endif

#ifndef KCORO_THREADS
#define KCORO_THREADS 1
#endif

/* The settings are part of every name, so that files that differ in them do not mix. */
#define KCORO_JOIN_(a, b, c, d) a##b##c##d
#define KCORO_JOIN(a, b, c, d) KCORO_JOIN_(a, b, c, d)
#if defined(__cpp_exceptions) && !defined(__KERNEL__)
#define KCORO_EXCEPTIONS 1
#else
#define KCORO_EXCEPTIONS 0
#endif
#define KCORO_ABI KCORO_JOIN(v1_, KCORO_SYMMETRIC_TRANSFER, KCORO_THREADS, KCORO_EXCEPTIONS)

#ifndef __KERNEL__
/*
 * The tag makes them part of a function's name, too, that only returns something from here. A
 * module is built in one go, and people read its names (kmod/cxx/name.c).
 */
namespace kcoro {
inline namespace KCORO_ABI __attribute__((__abi_tag__)) {
}
} // namespace kcoro
#endif

#ifdef __KERNEL__
#include <kcoro/platform/kernel.hpp>
namespace kcoro::inline KCORO_ABI::platform {
struct [[maybe_unused]] thread_state {};
} // namespace kcoro::inline KCORO_ABI::platform
#else
#include <kcoro/platform/user.hpp>
#endif

#endif // KCORO_PLATFORM_HPP
