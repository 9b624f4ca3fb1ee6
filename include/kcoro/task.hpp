/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * task.hpp - task<T>: a lazy coroutine, owned by its caller, with one awaiter.
 *
 * Brief:         `co_await` a task to run it and get a result<T>; a body that
 *                never suspends runs to its end inside run().
 * Thread safety: none; a task is used by one context at a time.
 * Allocation:    its frame comes from the platform's pool. When there is none the
 *                task is empty, can still be awaited, and gives -ENOMEM.
 * Cancellation:  destroying a task destroys its frame, and with it what it awaits.
 * Traps:         GCC 12 destroys a temporary with a destructor twice when it is
 *                part of a co_await expression: name the object first. Symmetric
 *                transfer needs -O2, or the stack grows with the chain.
 *
 *	kcoro::task<int> leaf(int n) { co_return n * 2; }
 *	kcoro::task<int> root(int n)
 *	{
 *		auto child = leaf(n);
 *		auto got = co_await child;
 *		co_return got.error ? 0 : got.value + 1;
 *	}
 *
 * Freestanding C++20, no exceptions, no RTTI.
 */
#ifndef KCORO_TASK_HPP
#define KCORO_TASK_HPP

#include <coroutine>
#include <cstddef>

#include <kcoro/platform/kernel.hpp>

namespace kcoro {

/* What an await gives: error is 0 or a negative errno, and then value is T{}. */
template <typename T> struct result {
	int error = 0;
	T value{};
};

template <typename T> class [[nodiscard]] task {
public:
	struct promise_type;
	using handle = std::coroutine_handle<promise_type>;

	task() noexcept = default;
	task(task &&other) noexcept : handle_(other.handle_) { other.handle_ = nullptr; }
	task &operator=(task &&) = delete;
	~task()
	{
		if (handle_)
			handle_.destroy();
	}

	/* Is there a frame? False when the pool had none. */
	explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

	/* Run to the end from plain code; for bodies that wait for nothing but other tasks. */
	result<T> run() noexcept
	{
		if (!handle_)
			return {-platform::no_memory, T{}};
		handle_.resume();
		return {0, handle_.promise().value};
	}

	bool await_ready() const noexcept { return !handle_; }
	std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept
	{
		handle_.promise().continuation = awaiter;
		return handle_;
	}
	result<T> await_resume() noexcept
	{
		if (!handle_)
			return {-platform::no_memory, T{}};
		return {0, handle_.promise().value};
	}

private:
	explicit task(handle h) noexcept : handle_(h) {}
	handle handle_ = nullptr;
};

template <typename T> struct task<T>::promise_type {
	/* Resumed by the awaiter's continuation, or by nobody for a task that was run(). */
	struct final_awaiter {
		bool await_ready() const noexcept { return false; }
		std::coroutine_handle<> await_suspend(handle h) noexcept
		{
			if (h.promise().continuation)
				return h.promise().continuation;
			return std::noop_coroutine();
		}
		void await_resume() const noexcept {}
	};

	std::coroutine_handle<> continuation;
	T value{};

	static void *operator new(std::size_t size) noexcept { return platform::frame_alloc(size); }
	static void operator delete(void *frame, std::size_t size) noexcept
	{
		platform::frame_free(frame, size);
	}
	static task get_return_object_on_allocation_failure() noexcept { return task(); }
	task get_return_object() noexcept { return task(handle::from_promise(*this)); }
	std::suspend_always initial_suspend() const noexcept { return {}; }
	final_awaiter final_suspend() const noexcept { return {}; }
	void return_value(T v) noexcept { value = v; }
	void unhandled_exception() const noexcept {}
};

} // namespace kcoro

#endif // KCORO_TASK_HPP
