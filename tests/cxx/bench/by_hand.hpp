// SPDX-License-Identifier: GPL-2.0-only
// by_hand.hpp - the task one writes oneself, with frames from malloc: what there is without
// a pool. Beside limit.hpp it shows what the pool is worth.
#ifndef KCORO_TESTS_CXX_BENCH_BY_HAND_HPP
#define KCORO_TESTS_CXX_BENCH_BY_HAND_HPP

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <utility>

namespace by_hand {

template <typename T> class task {
public:
	struct promise_type {
		T value;
		std::coroutine_handle<> continuation;

		static void *operator new(std::size_t n) noexcept
		{
			last_size = n;
			return std::malloc(n);
		}
		static void operator delete(void *frame, std::size_t) noexcept { std::free(frame); }
		static task get_return_object_on_allocation_failure() noexcept
		{
			return task(nullptr);
		}
		task get_return_object() noexcept
		{
			return task(std::coroutine_handle<promise_type>::from_promise(*this));
		}
		std::suspend_always initial_suspend() noexcept { return {}; }
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
	};

	// Of the frame made last.
	static inline std::size_t last_size = 0;

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

struct lib {
	template <typename T> using task = by_hand::task<T>;
	using event = by_hand::event;

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

} // namespace by_hand

#endif
