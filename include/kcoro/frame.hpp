/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * frame.hpp - where the frames of tasks come from.
 *
 * Brief:         the platform's pool, unless the coroutine says otherwise, in one of three
 *                ways; none of them changes what awaits the task:
 *
 *	task<int> f(int n);				the platform's pool
 *	task<int> f(frame_source &pool, int n);		a pool as the first parameter, also
 *	task<int> object::f(frame_source &pool, int n);		behind the object
 *	task<int> f(allocator_arg_t, A a, int n);	an allocator, by value
 *	task<int, my_frames> f(int n);			a policy, as the task's second parameter
 *
 *                What else can stand as the first parameter is said by frame_arg<>:
 *                user/pmr.hpp adds std::pmr::memory_resource *, std::allocator_arg_t.
 *                An own promise derives from frame_allocation<Policy>.
 * Thread safety: that of the source; a frame may be freed on another thread.
 * Allocation:    noexcept; a null pointer gives a task that yields -ENOMEM. Frames start on
 *                64 bytes, so that locals of any alignment up to that are aligned.
 *                With a pool or an allocator the frame is longer by what must be known to
 *                free it: 8 bytes for a pool, rounded up; nothing for an empty allocator and
 *                for the platform's pool.
 * Cancellation:  does not matter here.
 * Traps:         a pool outlives all frames that come from it; that is its owner's duty. An
 *                allocator given by value lives in the frame, and is moved out before the
 *                frame is freed. clang may leave a frame out altogether: do not count on one
 *                allocation per call.
 */
#ifndef KCORO_FRAME_HPP
#define KCORO_FRAME_HPP

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <new>
#include <type_traits>

#include <kcoro/platform.hpp>

namespace kcoro::inline KCORO_ABI {

inline constexpr std::size_t frame_alignment = 64;

/* Something that gives frames: derive from it, or fill in two functions. */
struct frame_source {
	/* 64-byte aligned, or null. */
	void *(*alloc)(frame_source &, std::size_t size) noexcept;
	/* With the size that was asked for. */
	void (*free)(frame_source &, void *frame, std::size_t size) noexcept;
};

/* A policy: static functions; see task's second parameter. */
template <typename P>
concept frame_policy = requires(void *frame, std::size_t size) {
	{ P::alloc(size) } noexcept -> std::same_as<void *>;
	{ P::free(frame, size) } noexcept;
};

struct platform_frames {
	[[gnu::always_inline]] static void *alloc(std::size_t size) noexcept
	{
		return platform::frame_alloc(size);
	}
	[[gnu::always_inline]] static void free(void *frame, std::size_t size) noexcept
	{
		platform::frame_free(frame, size);
	}
};

#ifdef KCORO_FRAME_BUDGET
[[gnu::error("a coroutine's frame is larger than KCORO_FRAME_BUDGET")]] void
kcoro_frame_is_over_budget() noexcept;
#endif

[[gnu::always_inline]] inline void check_frame_budget([[maybe_unused]] std::size_t size) noexcept
{
#ifdef KCORO_FRAME_BUDGET
	if (__builtin_constant_p(size) && size > KCORO_FRAME_BUDGET)
		kcoro_frame_is_over_budget();
#endif
}

/* Base of promises: their frames come from a policy. */
template <frame_policy Policy> struct frame_allocation {
	[[gnu::always_inline]] static void *operator new(std::size_t size) noexcept
	{
		check_frame_budget(size);
		return Policy::alloc(size);
	}
	[[gnu::always_inline]] static void operator delete(void *frame, std::size_t size) noexcept
	{
		Policy::free(frame, size);
	}
};

/* For who has no <memory>; std::allocator_arg_t does as well in user space. */
struct allocator_arg_t {
	explicit allocator_arg_t() = default;
};
inline constexpr allocator_arg_t allocator_arg{};

template <typename T> struct is_allocator_arg : std::is_same<T, allocator_arg_t> {};

/*
 * Can a parameter of type T say where the frame comes from? A specialisation has
 *
 *	using state = ...;		what is kept with the frame; moving it does not throw
 *	static state keep(T &) noexcept;
 *	static void *alloc(state &, std::size_t size) noexcept;
 *	static void free(state &, void *frame, std::size_t size) noexcept;
 */
template <typename T> struct frame_arg {};

namespace detail {
/* By pointer: a lambda's own class, which may be the first parameter, is not complete yet. */
std::true_type source_test(frame_source *);
std::false_type source_test(...);
template <typename S>
concept a_source = std::same_as<decltype(source_test(static_cast<S *>(nullptr))), std::true_type>;
} // namespace detail

template <detail::a_source S> struct frame_arg<S> {
	using state = frame_source *;
	static state keep(S &source) noexcept { return &source; }
	static void *alloc(state s, std::size_t size) noexcept { return s->alloc(*s, size); }
	static void free(state s, void *frame, std::size_t size) noexcept
	{
		s->free(*s, frame, size);
	}
};

/* An allocator behind the tag: allocate() of whole 64-byte blocks; it may give null. */
template <typename A> struct frame_allocator_arg {
	struct alignas(frame_alignment) block {
		unsigned char bytes[frame_alignment];
	};
	template <typename X, typename U> struct rebound;
	template <template <typename, typename...> typename X, typename V, typename... Rest,
		  typename U>
	struct rebound<X<V, Rest...>, U> {
		using type = X<U, Rest...>;
	};
	using state = typename rebound<A, block>::type;
	static std::size_t blocks(std::size_t size) noexcept
	{
		return (size + sizeof(block) - 1) / sizeof(block);
	}

	static state keep(const A &a) noexcept { return state(a); }
	static void *alloc(state &s, std::size_t size) noexcept
	{
#if KCORO_EXCEPTIONS
		try {
			return s.allocate(blocks(size));
		} catch (...) {
			return nullptr;
		}
#else
		return s.allocate(blocks(size));
#endif
	}
	static void free(state &s, void *frame, std::size_t size) noexcept
	{
		s.deallocate(static_cast<block *>(frame), blocks(size));
	}
};

namespace detail {

template <typename T>
concept says_frames = requires { typename frame_arg<std::remove_cvref_t<T>>::state; };

struct no_frame_arg {};

template <typename T>
concept tag_of_allocator = is_allocator_arg<std::remove_cvref_t<T>>::value;

/*
 * Which of a coroutine's parameters says it: the first, or the one behind the object. pick()
 * looks again, because clang leaves out a lambda's object where it calls operator new.
 */
template <typename... Args> struct find_frame_arg {
	using type = no_frame_arg;
};

struct pick_source {
	template <typename A, typename... Rest> static auto &pick(A &a, Rest &...rest) noexcept
	{
		if constexpr (says_frames<A>)
			return a;
		else
			return pick(rest...);
	}
};

struct pick_allocator {
	template <typename A, typename B, typename... Rest>
	static auto &pick(A &, B &b, Rest &...rest) noexcept
	{
		if constexpr (tag_of_allocator<A>)
			return b;
		else
			return pick(b, rest...);
	}
};

template <typename A, typename... Rest>
	requires says_frames<A>
struct find_frame_arg<A, Rest...> : pick_source {
	using type = frame_arg<std::remove_cvref_t<A>>;
};
template <typename O, typename A, typename... Rest>
	requires(!says_frames<O> && !tag_of_allocator<O> && says_frames<A> &&
		 std::is_class_v<std::remove_cvref_t<O>>)
struct find_frame_arg<O, A, Rest...> : pick_source {
	using type = frame_arg<std::remove_cvref_t<A>>;
};
template <typename Tag, typename A, typename... Rest>
	requires tag_of_allocator<Tag>
struct find_frame_arg<Tag, A, Rest...> : pick_allocator {
	using type = frame_allocator_arg<std::remove_cvref_t<A>>;
};
template <typename O, typename Tag, typename A, typename... Rest>
	requires(!says_frames<O> && !tag_of_allocator<O> && tag_of_allocator<Tag>)
struct find_frame_arg<O, Tag, A, Rest...> : pick_allocator {
	using type = frame_allocator_arg<std::remove_cvref_t<A>>;
};

/* @Promise, with frames from a parameter: the state stands behind the frame, if it has bytes. */
template <typename Promise, typename Found> struct promise_with_source : Promise {
	using arg = typename Found::type;
	using state = typename arg::state;
	static constexpr bool stored = !std::is_empty_v<state>;

	static constexpr std::size_t offset(std::size_t size) noexcept
	{
		return (size + alignof(state) - 1) & ~(alignof(state) - 1);
	}
	static constexpr std::size_t whole(std::size_t size) noexcept
	{
		return stored ? offset(size) + sizeof(state) : size;
	}

	/* Inline, or GCC 12 warns at -O0 that new and delete did not match. */
	template <typename... Args>
	[[gnu::always_inline]] static void *operator new(std::size_t size, Args &...args) noexcept
	{
		state kept = arg::keep(Found::pick(args...));
		void *frame = arg::alloc(kept, whole(size));

		check_frame_budget(whole(size));
		if constexpr (stored)
			if (frame)
				new (static_cast<unsigned char *>(frame) + offset(size))
					state(static_cast<state &&>(kept));
		return frame;
	}
	[[gnu::always_inline]] static void operator delete(void *frame, std::size_t size) noexcept
	{
		if constexpr (stored) {
			state *at = reinterpret_cast<state *>(static_cast<unsigned char *>(frame) +
							      offset(size));
			state kept(static_cast<state &&>(*at));

			at->~state();
			arg::free(kept, frame, whole(size));
		} else {
			state kept{};

			arg::free(kept, frame, whole(size));
		}
	}
};

template <typename Promise, typename... Args> struct choose_promise {
	using found = find_frame_arg<Args...>;
	using type = std::conditional_t<std::is_same_v<typename found::type, no_frame_arg>, Promise,
					promise_with_source<Promise, found>>;
};

} // namespace detail

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_FRAME_HPP
