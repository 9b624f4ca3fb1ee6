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
 *                scope: inherited_tasks that are made in it take it over when they are
 *                called. Where their bodies run it is current, behind each of their waits,
 *                too, whoever resumes them and whatever the bodies that they await did; so
 *                what they call inherits it, however deep. Behind a run of an executor and
 *                behind run() the thread has its own again. `co_await frame_resource()` gives
 *                a body its own.
 * Thread safety: the current resource is the thread's own.
 * Allocation:    a frame has 8 bytes more, for the resource, and that of an inherited_task 8
 *                more. What throws gives -ENOMEM.
 * Cancellation:  does not matter here.
 * Traps:         a resource outlives the frames that come from it. It is told the size of
 *                the frame with those 8 bytes, rounded up to 64, and an alignment of 64. A task that is no
 *                inherited_task, and awaits one in a with_resource's scope, finds that one's
 *                resource current: it has no place to keep its own. light_event resumes on
 *                the spot, and what is current there stays so for who woke.
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

/*
 * Whole multiples of the alignment: libstdc++'s pool resources cut pieces of 80 bytes, and so
 * forget it of others.
 */
inline std::size_t resource_size(std::size_t size) noexcept
{
	return (size + frame_alignment - 1) & ~(frame_alignment - 1);
}

inline void *resource_alloc(std::pmr::memory_resource &r, std::size_t size) noexcept
{
#if KCORO_EXCEPTIONS
	try {
		return r.allocate(resource_size(size), frame_alignment);
	} catch (...) {
		return nullptr;
	}
#else
	return r.allocate(resource_size(size), frame_alignment);
#endif
}

inline void resource_free(std::pmr::memory_resource &r, void *frame, std::size_t size) noexcept
{
	r.deallocate(frame, resource_size(size), frame_alignment);
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
		user::resource_free(*r, frame, size);
	}
};

namespace user {

/* Null: the platform's frames. */
inline std::pmr::memory_resource *current_resource() noexcept
{
	return static_cast<std::pmr::memory_resource *>(platform::this_thread_resource);
}
inline void make_current(std::pmr::memory_resource *r) noexcept
{
	platform::this_thread_resource = r;
}

/* Sets the current resource, and puts back the one before. */
class with_resource {
public:
	explicit with_resource(std::pmr::memory_resource *r) noexcept : before_(current_resource())
	{
		make_current(r);
	}
	~with_resource() { make_current(before_); }
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
		std::pmr::memory_resource *r = current_resource();
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
			resource_free(*r, frame, whole(size));
		else
			platform::frame_free(frame, whole(size));
	}
};

template <typename T> using inherited_task = task<T, current_frames>;

/* `co_await frame_resource()` in an inherited_task: its own. */
struct frame_resource {};

/*
 * Base of promises that keep the current resource: from the call that makes the coroutine to
 * its end, for all that the body calls. A promise of one's own has it beside
 * frame_allocation<current_frames>.
 */
class keeps_resource {
public:
	std::pmr::memory_resource *resource() const noexcept { return resource_; }
	/* For the body from its next wait on; what it awaits already has its own. */
	void set_resource(std::pmr::memory_resource *r) noexcept { resource_ = r; }

	struct starts {
		keeps_resource &kept;

		bool await_ready() const noexcept { return false; }
		void await_suspend(std::coroutine_handle<>) const noexcept {}
		void await_resume() const noexcept { make_current(kept.resource_); }
	};
	starts initial_suspend() noexcept
	{
		resource_ = current_resource();
		return {*this};
	}

	/* What is awaited, with the resource current behind it. @Held: by reference, or itself. */
	template <typename Held> struct restoring {
		Held awaited;
		keeps_resource &kept;

		bool await_ready() noexcept(noexcept(awaited.await_ready()))
		{
			return awaited.await_ready();
		}
		template <typename Awaiter> auto await_suspend(std::coroutine_handle<Awaiter> h)
		{
			return awaited.await_suspend(h);
		}
		decltype(auto) await_resume()
		{
			make_current(kept.resource_);
			return awaited.await_resume();
		}
	};
	template <typename A> auto await_transform(A &&a) noexcept
	{
		if constexpr (requires { static_cast<A &&>(a).operator co_await(); })
			return restoring<decltype(static_cast<A &&>(a).operator co_await())>{
				static_cast<A &&>(a).operator co_await(), *this};
		else
			return restoring<A &>{a, *this};
	}
	auto await_transform(frame_resource) noexcept
	{
		struct own {
			std::pmr::memory_resource *resource;

			bool await_ready() const noexcept { return true; }
			void await_suspend(std::coroutine_handle<>) const noexcept {}
			std::pmr::memory_resource *await_resume() const noexcept
			{
				return resource;
			}
		};
		return own{resource_};
	}

private:
	std::pmr::memory_resource *resource_;
};

} // namespace user

template <typename T>
struct task_promise<T, user::current_frames> : detail::promise_of_task<T, user::current_frames>,
					       user::keeps_resource {
	using user::keeps_resource::initial_suspend;
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_USER_RESOURCE_HPP
