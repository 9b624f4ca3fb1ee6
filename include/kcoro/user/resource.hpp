/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * resource.hpp - std::pmr resources and standard allocators for frames, and the current
 * resource of a thread.
 *
 * Brief:         with this header
 *
 *	task<int> f(std::pmr::memory_resource *r, int n);	takes its frame from @r
 *	task<int> f(std::allocator_arg_t, A a, int n);		from an allocator by value
 *	inherited_task<int> f(int n);				from the current resource
 *
 *                A launcher sets the current resource with `with_resource use(r);` for its
 *                scope: frames of inherited_tasks that are made in it, however deep, come from
 *                there as long as nothing waits. Behind a wait it is the resumer's: set it
 *                again with another with_resource, or take the resource as a parameter.
 * Thread safety: the current resource is the thread's own.
 * Allocation:    a frame has 8 bytes more, for the resource. What throws gives -ENOMEM.
 * Cancellation:  does not matter here.
 * Traps:         a resource outlives the frames that come from it. It is told the size of
 *                the frame with those 8 bytes, and an alignment of 64.
 *
 *	std::pmr::monotonic_buffer_resource arena;
 *	kcoro::user::with_resource use(&arena);
 *	auto got = session(5).run();
 */
#ifndef KCORO_USER_RESOURCE_HPP
#define KCORO_USER_RESOURCE_HPP

#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>

#include <kcoro/frame.hpp>
#include <kcoro/task.hpp>

namespace kcoro::inline KCORO_ABI {

template <> struct is_allocator_arg<std::allocator_arg_t> : std::true_type {};

namespace user {

inline void *resource_alloc(std::pmr::memory_resource &r, std::size_t size) noexcept
{
#if KCORO_EXCEPTIONS
	try {
		return r.allocate(size, frame_alignment);
	} catch (...) {
		return nullptr;
	}
#else
	return r.allocate(size, frame_alignment);
#endif
}

} // namespace user

template <typename R>
	requires std::is_convertible_v<R, std::pmr::memory_resource *>
struct frame_arg<R> {
	using state = std::pmr::memory_resource *;
	static state keep(R r) noexcept { return r; }
	static void *alloc(state r, std::size_t size) noexcept
	{
		return user::resource_alloc(*r, size);
	}
	static void free(state r, void *frame, std::size_t size) noexcept
	{
		r->deallocate(frame, size, frame_alignment);
	}
};

namespace user {

/* Null: the platform's frames. */
inline thread_local constinit std::pmr::memory_resource *current_resource = nullptr;

/* Sets the current resource, and puts back the one before. */
class with_resource {
public:
	explicit with_resource(std::pmr::memory_resource *r) noexcept
		: before_(std::exchange(current_resource, r))
	{
	}
	~with_resource() { current_resource = before_; }
	with_resource(const with_resource &) = delete;
	with_resource &operator=(const with_resource &) = delete;

private:
	std::pmr::memory_resource *before_;
};

/* A policy of frames: the current resource, kept behind the frame. */
struct current_frames {
	static std::size_t whole(std::size_t size) noexcept
	{
		return offset(size) + sizeof(void *);
	}
	static std::size_t offset(std::size_t size) noexcept
	{
		return (size + alignof(void *) - 1) & ~(alignof(void *) - 1);
	}
	static void *alloc(std::size_t size) noexcept
	{
		std::pmr::memory_resource *r = current_resource;
		void *frame =
			r ? resource_alloc(*r, whole(size)) : platform::frame_alloc(whole(size));

		if (frame)
			new (static_cast<unsigned char *>(frame) + offset(size))
				std::pmr::memory_resource *(r);
		return frame;
	}
	static void free(void *frame, std::size_t size) noexcept
	{
		auto *r = *reinterpret_cast<std::pmr::memory_resource **>(
			static_cast<unsigned char *>(frame) + offset(size));

		if (r)
			r->deallocate(frame, whole(size), frame_alignment);
		else
			platform::frame_free(frame, whole(size));
	}
};

template <typename T> using inherited_task = task<T, current_frames>;

} // namespace user

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_USER_RESOURCE_HPP
