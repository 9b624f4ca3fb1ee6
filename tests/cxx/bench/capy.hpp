// SPDX-License-Identifier: GPL-2.0-only
// capy.hpp - how capy has frames from a resource, re-created in small, to compare with.
//
// Written anew after the public description (cppalliance/capy, the page "Frame Allocators" of
// its documentation, and the comments of frame_alloc_mixin, task and
// recycling_memory_resource):
//   - a thread-local pointer says which std::pmr::memory_resource gives frames now;
//   - the frame's operator new takes from it, and stores the pointer behind the frame, so
//     that operator delete finds it whatever is current then;
//   - it calls the recycling resource directly, others by their virtual functions;
//   - the promise keeps the resource, and makes it current again when the body starts and
//     after each await, so that children inherit it;
//   - the recycling resource has a thread's own free lists by size.
// Left out: executor, stop token, exceptions and the recycling resource's global pool, which
// cost more. Each await is by symmetric transfer, as there. Names are those of there.
#ifndef KCORO_TESTS_CXX_BENCH_CAPY_HPP
#define KCORO_TESTS_CXX_BENCH_CAPY_HPP

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory_resource>
#include <new>
#include <utility>

namespace capy {

class recycling_memory_resource final : public std::pmr::memory_resource {
	struct block {
		block *next;
	};
	static constexpr std::size_t grain = 64, classes = 33;
	static inline thread_local constinit block *local[classes] = {};

public:
	void *allocate_fast(std::size_t bytes)
	{
		std::size_t c = (bytes + grain - 1) / grain;

		if (c >= classes)
			return ::operator new(bytes);
		if (block *b = local[c]) {
			local[c] = b->next;
			return b;
		}
		return ::operator new(c * grain);
	}
	void deallocate_fast(void *p, std::size_t bytes) noexcept
	{
		std::size_t c = (bytes + grain - 1) / grain;

		if (c >= classes) {
			::operator delete(p);
			return;
		}
		auto *b = static_cast<block *>(p);

		b->next = local[c];
		local[c] = b;
	}

private:
	void *do_allocate(std::size_t bytes, std::size_t) override { return allocate_fast(bytes); }
	void do_deallocate(void *p, std::size_t bytes, std::size_t) override
	{
		deallocate_fast(p, bytes);
	}
	bool do_is_equal(const memory_resource &other) const noexcept override
	{
		return this == &other;
	}
};

inline recycling_memory_resource recycling;
inline thread_local constinit std::pmr::memory_resource *current_frame_allocator = nullptr;

struct frame_alloc_mixin {
	static inline std::size_t last_size = 0;

	static void *operator new(std::size_t size)
	{
		std::pmr::memory_resource *mr = current_frame_allocator;
		std::size_t whole = size + sizeof(mr);

		last_size = whole;
		if (!mr)
			mr = std::pmr::get_default_resource();
		void *frame = mr == &recycling ? recycling.allocate_fast(whole)
					       : mr->allocate(whole, alignof(std::max_align_t));

		std::memcpy(static_cast<char *>(frame) + size, &mr, sizeof(mr));
		return frame;
	}
	static void operator delete(void *frame, std::size_t size) noexcept
	{
		std::pmr::memory_resource *mr;
		std::size_t whole = size + sizeof(mr);

		std::memcpy(&mr, static_cast<char *>(frame) + size, sizeof(mr));
		if (mr == &recycling)
			recycling.deallocate_fast(frame, whole);
		else
			mr->deallocate(frame, whole, alignof(std::max_align_t));
	}
};

template <typename T> class task {
public:
	struct promise_type : frame_alloc_mixin {
		T value;
		std::coroutine_handle<> continuation;
		std::pmr::memory_resource *frame_allocator = current_frame_allocator;

		task get_return_object() noexcept
		{
			return task(std::coroutine_handle<promise_type>::from_promise(*this));
		}
		struct initial_awaiter {
			promise_type *promise;

			bool await_ready() const noexcept { return false; }
			void await_suspend(std::coroutine_handle<>) const noexcept {}
			void await_resume() const noexcept { promise->restore(); }
		};
		initial_awaiter initial_suspend() noexcept { return {this}; }
		struct final_awaiter {
			bool await_ready() noexcept { return false; }
			std::coroutine_handle<>
			await_suspend(std::coroutine_handle<promise_type> h) noexcept
			{
				return h.promise().continuation;
			}
			void await_resume() noexcept {}
		};
		final_awaiter final_suspend() noexcept { return {}; }
		void return_value(T v) noexcept { value = v; }
		void unhandled_exception() noexcept { std::abort(); }

		template <typename A> struct restoring {
			A awaited;
			promise_type *promise;

			bool await_ready() noexcept { return awaited.await_ready(); }
			auto await_suspend(std::coroutine_handle<> h) noexcept
			{
				return awaited.await_suspend(h);
			}
			decltype(auto) await_resume() noexcept
			{
				promise->restore();
				return awaited.await_resume();
			}
		};
		template <typename A> restoring<A> await_transform(A &&a) noexcept
		{
			return {std::forward<A>(a), this};
		}
		void restore() const noexcept
		{
			if (frame_allocator)
				current_frame_allocator = frame_allocator;
		}
	};

	task(task &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
	~task()
	{
		if (handle_)
			handle_.destroy();
	}

	bool await_ready() const noexcept { return false; }
	std::coroutine_handle<> await_suspend(std::coroutine_handle<> c) noexcept
	{
		handle_.promise().continuation = c;
		return handle_;
	}
	T await_resume() noexcept { return handle_.promise().value; }

	void start() noexcept
	{
		handle_.promise().continuation = std::noop_coroutine();
		handle_.resume();
	}
	T value() const noexcept { return handle_.promise().value; }
	bool done() const noexcept { return handle_.done(); }

private:
	explicit task(std::coroutine_handle<promise_type> h) noexcept : handle_(h) {}
	std::coroutine_handle<promise_type> handle_;
};

struct event {
	std::coroutine_handle<> waiter;

	bool await_ready() const noexcept { return false; }
	void await_suspend(std::coroutine_handle<> h) noexcept { waiter = h; }
	void await_resume() const noexcept {}
	void wake() { waiter.resume(); }
};

// The recycling resource is current where tasks are made, as run_async() has it.
struct lib {
	template <typename T> using task = capy::task<T>;
	using event = capy::event;

	static int value(int got) noexcept { return got; }
	static int run(task<int> t) noexcept
	{
		t.start();
		return t.value();
	}
	class started {
	public:
		started(event &, task<int> t) noexcept : task_(std::move(t)) { task_.start(); }
		bool done() const noexcept { return task_.done(); }

	private:
		task<int> task_;
	};
};

} // namespace capy

#endif
