/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * user.hpp - what the C++ library takes from user space: see platform.hpp.
 *
 * Frames: each thread keeps free blocks by size, 64 bytes to 8 KiB in steps of 64, at most
 * 1 MiB of a size. What is more goes back to malloc, and so does all at the thread's end.
 * A block may be freed by another thread than the one that took it. Under the address and
 * thread sanitizers each frame is a malloc of its own.
 *
 * A program that defines both of
 *
 *	extern "C" void *kcoro_frame_alloc_hook(std::size_t size) noexcept;
 *	extern "C" void kcoro_frame_free_hook(void *frame, std::size_t size) noexcept;
 *
 * has all frames from there instead: 64-byte aligned, or null. This costs frames without
 * hooks nothing. To define one without the other ends the program at its first frame.
 */
#ifndef KCORO_PLATFORM_USER_HPP
#define KCORO_PLATFORM_USER_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <sched.h>

#if KCORO_EXCEPTIONS
#include <exception>
#include <utility>
#endif

extern "C" {
[[gnu::weak]] void *kcoro_frame_alloc_hook(std::size_t size) noexcept;
[[gnu::weak]] void kcoro_frame_free_hook(void *frame, std::size_t size) noexcept;
}

namespace kcoro::inline KCORO_ABI::platform {

[[noreturn, gnu::cold]] inline void panic(const char *why) noexcept
{
	std::fprintf(stderr, "kcoro: %s\n", why);
	std::abort();
}

inline std::uint64_t now() noexcept
{
	timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return static_cast<std::uint64_t>(ts.tv_sec) * 1000000000U +
	       static_cast<std::uint64_t>(ts.tv_nsec);
}

/* Held for a few instructions; a thread that meets it taken for long lets others run. */
class spinlock {
public:
	void lock() noexcept
	{
		for (unsigned int tries = 0; __atomic_exchange_n(&taken_, true, __ATOMIC_ACQUIRE);)
			if (++tries % 64)
				__builtin_ia32_pause();
			else
				sched_yield();
	}
	void unlock() noexcept { __atomic_store_n(&taken_, false, __ATOMIC_RELEASE); }

private:
	bool taken_ = false;
};

class guard {
public:
	explicit guard(spinlock &lock) noexcept : lock_(lock) { lock_.lock(); }
	~guard() { lock_.unlock(); }
	guard(const guard &) = delete;
	guard &operator=(const guard &) = delete;

private:
	spinlock &lock_;
};

/* What a body threw, on its way to who awaits it. */
class exception_slot {
public:
#if KCORO_EXCEPTIONS
	[[gnu::noinline, gnu::cold]] void capture() noexcept { what_ = std::current_exception(); }
	[[noreturn, gnu::noinline, gnu::cold]] void rethrow()
	{
		std::rethrow_exception(std::exchange(what_, {}));
	}
	bool full() const noexcept { return static_cast<bool>(what_); }
	/* Take over what another one has; what was there first stays. */
	void take(exception_slot &other) noexcept
	{
		std::exception_ptr what = std::exchange(other.what_, {});

		if (!what_)
			what_ = what;
	}

private:
	std::exception_ptr what_;
#else
	void take(exception_slot &) noexcept {}

private:
	void *what_ = nullptr;
#endif
};

/*
 * The current resource of user/resource.hpp. A body may set it; who runs coroutines has his own
 * again behind each run.
 */
inline thread_local constinit void *this_thread_resource = nullptr;

class [[maybe_unused]] thread_state {
public:
	thread_state() noexcept : resource_(this_thread_resource) {}
	~thread_state() { this_thread_resource = resource_; }
	thread_state(const thread_state &) = delete;
	thread_state &operator=(const thread_state &) = delete;

private:
	void *resource_;
};

/* Executors of user space keep their timers in a heap. */
struct timer_room {};

inline constexpr std::size_t frame_grain = 64;
/* Up to here frames have classes; it is also the kernel's limit. */
inline constexpr std::size_t frame_size_cached = 8192;

/* Free frames of one thread. Plain data, so that no access needs a guard. */
struct frame_cache {
	struct node {
		node *next;
	};
	/*
	 * With hooks, before the thread's first free and after its end there is no room and
	 * no block, so that all goes the slow way: the fast one asks for nothing else.
	 */
	struct list {
		node *head;
		std::int32_t room; /* blocks that may still be kept */
	};
	enum class life : std::uint8_t { unborn, alive, dead };

	static constexpr std::size_t lists = frame_size_cached / frame_grain;
	static constexpr std::size_t kept_bytes = 1U << 20;

	list by_size[lists + 1];
	life state;
};

/* All zero at first, without a constructor. */
inline thread_local constinit frame_cache this_thread_frames{};

/* Empties the thread's lists when it ends; frames freed later go to malloc. */
struct frame_reaper {
	frame_reaper() noexcept = default;
	frame_reaper(const frame_reaper &) = delete;
	frame_reaper &operator=(const frame_reaper &) = delete;
	~frame_reaper()
	{
		frame_cache &cache = this_thread_frames;

		cache.state = frame_cache::life::dead;
		for (auto &list : cache.by_size) {
			list.room = 0;
			while (frame_cache::node *block = list.head) {
				list.head = block->next;
				std::free(block);
			}
		}
	}
};

[[gnu::noinline, gnu::cold]] inline void *frame_alloc_slow(std::size_t size) noexcept
{
	if (!kcoro_frame_alloc_hook != !kcoro_frame_free_hook)
		panic("only one of kcoro_frame_alloc_hook() and kcoro_frame_free_hook() is there");
	if (kcoro_frame_alloc_hook)
		return kcoro_frame_alloc_hook(size);
	return std::aligned_alloc(frame_grain, (size + frame_grain - 1) & ~(frame_grain - 1));
}

/* A frame that has no class, or no room in it: what was taken of that is put back. */
[[gnu::noinline, gnu::cold]] inline void frame_free_slow(void *frame, std::size_t size) noexcept
{
	frame_cache &cache = this_thread_frames;

#ifndef KCORO_SANITIZED
	if (size <= frame_size_cached)
		cache.by_size[(size + frame_grain - 1) / frame_grain].room++;
#endif
	if (kcoro_frame_free_hook) {
		kcoro_frame_free_hook(frame, size);
		return;
	}
	std::free(frame);
#ifndef KCORO_SANITIZED
	if (cache.state != frame_cache::life::unborn)
		return;
	thread_local frame_reaper reaper;
	(void)reaper;
	cache.state = frame_cache::life::alive;
	for (std::size_t i = 1; i <= frame_cache::lists; i++)
		cache.by_size[i].room =
			static_cast<std::int32_t>(frame_cache::kept_bytes / (i * frame_grain));
#else
	(void)cache;
#endif
}

/* A 64-byte aligned block, or null. Any thread. */
[[gnu::always_inline]] inline void *frame_alloc(std::size_t size) noexcept
{
#ifndef KCORO_SANITIZED
	if (size <= frame_size_cached) [[likely]] {
		frame_cache::list &list =
			this_thread_frames.by_size[(size + frame_grain - 1) / frame_grain];

		if (frame_cache::node *block = list.head) [[likely]] {
			list.head = block->next;
			list.room++;
			return block;
		}
	}
#endif
	return frame_alloc_slow(size);
}

/* Give it back, with the size it was asked for. Any thread. */
[[gnu::always_inline]] inline void frame_free(void *frame, std::size_t size) noexcept
{
#ifndef KCORO_SANITIZED
	if (size <= frame_size_cached) [[likely]] {
		frame_cache::list &list =
			this_thread_frames.by_size[(size + frame_grain - 1) / frame_grain];

		if (--list.room >= 0) [[likely]] {
			auto *block = static_cast<frame_cache::node *>(frame);

			block->next = list.head;
			list.head = block;
			return;
		}
	}
#endif
	frame_free_slow(frame, size);
}

} // namespace kcoro::inline KCORO_ABI::platform

#endif // KCORO_PLATFORM_USER_HPP
