/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * task.hpp - task<T>: a lazy coroutine, owned by its caller, with one awaiter.
 *
 * Brief:         `co_await` a task to run it and get a result<T>. One that is never awaited
 *                never runs. A body ends with `co_return value`, `co_return failure{-errno}`
 *                or a result<T>. run() is for plain code, and for bodies that wait for
 *                nothing but other tasks; spawn.hpp and when.hpp start tasks in other ways.
 * Thread safety: none; a task is used by one context at a time.
 * Allocation:    one frame, see frame.hpp. When there is none the task can still be
 *                awaited, and gives -ENOMEM. A frame has 24 bytes for the task: who awaits
 *                it, its coro, error and an int; more for a larger value.
 * Cancellation:  passes through to what the innermost task waits for (coro.hpp). Destroying
 *                a task that has not run, or has ended, destroys its frame.
 * Traps:         GCC 12 destroys a temporary twice that has a destructor and is an argument
 *                inside a co_await expression (a capturing lambda, a braced aggregate): name
 *                it first. A temporary task is safe.
 *                Parameters by reference must live until the task has ended.
 *                Await only what this library has: a stop does not reach an awaitable of
 *                somebody else, and what resumes a frame directly passes by the executor.
 *                completion.hpp is the bridge.
 *
 *	kcoro::task<int> leaf(int n) { co_return n * 2; }
 *	kcoro::task<int> root(int n)
 *	{
 *		auto got = co_await leaf(n);
 *		if (!got)
 *			co_return kcoro::failure{got.error};
 *		co_return got.value + 1;
 *	}
 *
 * Freestanding C++20, no exceptions, no RTTI.
 */
#ifndef KCORO_TASK_HPP
#define KCORO_TASK_HPP

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <kcoro/coro.hpp>
#include <kcoro/frame.hpp>
#include <kcoro/result.hpp>

namespace kcoro::inline KCORO_ABI {

namespace detail {

/* What a task's promise does; coro.hpp has what is in it. */
struct promise_base : promise_link {
	struct final_awaiter {
		bool await_ready() const noexcept { return false; }
#if KCORO_SYMMETRIC_TRANSFER
		template <typename Promise>
		std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept
		{
			return std::coroutine_handle<>::from_address(h.promise().continuation);
		}
#else
		template <typename Promise>
		void await_suspend(std::coroutine_handle<Promise> h) noexcept
		{
			h.promise().owner->transfer(
				std::coroutine_handle<>::from_address(h.promise().continuation));
		}
#endif
		void await_resume() const noexcept {}
	};

	std::suspend_always initial_suspend() const noexcept { return {}; }
	final_awaiter final_suspend() const noexcept { return {}; }

	/* The error, or what was thrown. */
	[[gnu::noinline, gnu::cold]] int failed() noexcept(!KCORO_EXCEPTIONS)
	{
#if KCORO_EXCEPTIONS
		if (error == err::threw && owner->exception.full())
			owner->exception.rethrow();
#endif
		return error;
	}

	void unhandled_exception() noexcept
	{
#if KCORO_EXCEPTIONS
		owner->exception.capture();
		error = err::threw;
#else
		platform::panic("a body threw, in a program without exceptions");
#endif
	}
};

/*
 * A value that may not be there. A promise is aligned as two pointers are, whatever its value
 * is: so that it stands in the same place of each frame.
 */
template <typename T> struct promise_value : promise_base {
	promise_value() noexcept { error = err::in_progress; }
	~promise_value()
	{
		if (!error)
			value().~T();
	}
	template <typename U> void put(U &&v)
	{
		new (place()) T(static_cast<U &&>(v));
		error = 0;
	}
	/* There is no error. */
	T &value() noexcept { return *static_cast<T *>(place()); }
	result<T> taken() { return result<T>(static_cast<T &&>(value())); }

private:
	static constexpr std::size_t align = alignof(T) < 16 ? alignof(T) : 16;

	void *place() noexcept
	{
		const auto at = reinterpret_cast<std::uintptr_t>(room_);

		return reinterpret_cast<void *>((at + alignof(T) - 1) & ~(alignof(T) - 1));
	}
	alignas(align) unsigned char room_[sizeof(T) + alignof(T) - align];
};

template <plain_value T>
	requires(alignof(T) <= 16)
struct promise_value<T> : promise_base {
	T kept;

	/* Written by the body's end; nobody reads it before. */
	promise_value() noexcept {}
	T &value() noexcept { return kept; }
	template <typename U> void put(U &&v)
	{
		kept = static_cast<U &&>(v);
		error = 0;
	}
	result<T> taken() const noexcept { return result<T>(kept); }
};

template <typename T> struct promise_return : promise_value<T> {
	template <std::convertible_to<T> U = T>
		requires(!std::same_as<std::remove_cvref_t<U>, failure> &&
			 !std::same_as<std::remove_cvref_t<U>, result<T>>)
	void return_value(U &&v) noexcept(std::is_nothrow_constructible_v<T, U>)
	{
		this->put(static_cast<U &&>(v));
	}
	void return_value(failure f) noexcept { this->error = f.error; }
	void return_value(result<T> got)
	{
		if (got)
			this->put(static_cast<T &&>(got.value));
		else
			this->error = got.error;
	}
};

template <> struct promise_return<void> : promise_base {
	void return_void() noexcept { error = 0; }
	result<void> taken() const noexcept { return {}; }
};

} // namespace detail

template <typename T, frame_policy Frames> class task;

template <typename T, frame_policy Frames> struct task_promise;

namespace detail {

template <typename T, frame_policy Frames>
struct promise_of_task : promise_return<T>, frame_allocation<Frames> {
	static task<T, Frames> get_return_object_on_allocation_failure() noexcept
	{
		return task<T, Frames>(no_frame<err::no_memory>());
	}
	task<T, Frames> get_return_object() noexcept
	{
		auto &whole = static_cast<task_promise<T, Frames> &>(*this);

		return task<T, Frames>(
			std::coroutine_handle<task_promise<T, Frames>>::from_promise(whole)
				.address());
	}
};

} // namespace detail

/* A policy may have a promise of its own: user/resource.hpp. */
template <typename T, frame_policy Frames>
struct task_promise : detail::promise_of_task<T, Frames> {};

template <typename T, frame_policy Frames = platform_frames> class [[nodiscard]] task {
public:
	using value_type = T;
	using promise_type = task_promise<T, Frames>;
	using handle = std::coroutine_handle<promise_type>;

	/* Nothing to run: gives -EINVAL. */
	task() noexcept : frame_(detail::no_frame<err::invalid>()) {}
	task(task &&other) noexcept : frame_(other.release()) {}
	task &operator=(task &&other) noexcept
	{
		if (this != &other) {
			/* Most are empty: that costs no call. */
			if (frame_ != detail::no_frame<err::invalid>())
				drop();
			frame_ = other.release();
		}
		return *this;
	}
	~task() { drop(); }

	/* Is there a frame? False when the pool had none, and after a kill. */
	explicit operator bool() const noexcept { return detail::is_frame(frame_); }
	/* Has it come to its end, or has no frame? */
	bool done() const noexcept { return frame().done(); }

	/*
	 * Run to the end from plain code; -EDEADLK, and the frame destroyed, when it waits
	 * for anything.
	 */
	result<T> run();

	/* Its result, moved out; when it is done(). Rethrows what the body threw. */
	result<T> take()
	{
		if (!done())
			return failure{err::in_progress};
		return await_resume();
	}

	bool await_ready() const noexcept { return done(); }
#if KCORO_SYMMETRIC_TRANSFER
	template <chained Awaiter>
	std::coroutine_handle<> await_suspend(std::coroutine_handle<Awaiter> awaiter) noexcept
	{
		const handle begun = frame();

		begin(begun.promise(), awaiter.address(), awaiter.promise().owner);
		return begun;
	}
#else
	template <chained Awaiter>
	void await_suspend(std::coroutine_handle<Awaiter> awaiter) noexcept
	{
		coro *owner = awaiter.promise().owner;

		begin(frame().promise(), awaiter.address(), owner);
		owner->transfer(frame());
	}
#endif
	result<T> await_resume()
	{
		promise_type &ended = promise();

		if (ended.error) [[unlikely]]
			return failure{ended.failed()};
		return ended.taken();
	}

	/* For who runs tasks: it is the outermost one of @owner, and is resumed next. */
	std::coroutine_handle<> begin_root(coro &owner) noexcept
	{
		begin(promise(), owner.continuation(), &owner);
		return frame();
	}
	void become_root(coro &owner) noexcept
	{
		begin_root(owner);
		owner.set_root(&frame_);
	}
	/* Behind begin_root(): coro::keep_root(). */
	bool keep_root(coro &owner) noexcept { return owner.keep_root(&frame_); }
	promise_type &promise() const noexcept { return frame().promise(); }

private:
	friend detail::promise_of_task<T, Frames>;

	explicit task(void *frame) noexcept : frame_(frame) {}
	handle frame() const noexcept { return handle::from_address(frame_); }
	void begin(promise_type &promise, void *continuation, coro *owner) noexcept
	{
		promise.continuation = continuation;
		/*
		 * Two stores: as one of 16 bytes, what the child soon reads could not be
		 * forwarded to it, which costs a third of an await.
		 */
		__asm__ volatile("" : "+m"(promise.continuation));
		promise.owner = owner;
		promise.set_owner_slot(place());
	}
	/*
	 * &frame_. GCC would keep it in a register over the call that makes the task, and save
	 * that register in each resume.
	 */
	void **place() noexcept
	{
#if defined(__x86_64__) && !defined(__clang__)
		void **at;

		__asm__("lea{q}\t{%1, %0|%0, %1}" : "=r"(at) : "m"(frame_));
		return at;
#else
		return &frame_;
#endif
	}
	void drop() noexcept { frame().destroy(); }
	void *release() noexcept
	{
		void *frame = frame_;

		frame_ = detail::no_frame<err::invalid>();
		return frame;
	}

	void *frame_;
};

namespace detail {

/* For plain code: a coroutine that nobody can wake. */
inline constexpr executor_ops nowhere_ops = {
	[](executor &, coro &) noexcept {},
	[](executor &, timer &) noexcept { return false; },
	[](executor &, timer &) noexcept { return false; },
};
inline constinit executor nowhere = {&nowhere_ops, true, true};

struct plain_coro final : coro {
	plain_coro() noexcept : coro(&nowhere, [](coro &) noexcept {}) {}
};

} // namespace detail

template <typename T, frame_policy Frames> result<T> task<T, Frames>::run()
{
	detail::plain_coro root;
	[[maybe_unused]] platform::thread_state kept;

	if (!done()) {
		root.begin_starts();
		if (!root.runs_through(begin_root(root)))
			(void)keep_root(root);
	}
	if (!done()) {
		root.abandon();
		return failure{err::deadlock};
	}
	return await_resume();
}

/* The coroutine that runs: `coro &me = co_await self();`. Valid as long as it. */
struct self {
	bool await_ready() const noexcept { return false; }
	template <chained Awaiter> bool await_suspend(std::coroutine_handle<Awaiter> h) noexcept
	{
		owner = h.promise().owner;
		return false;
	}
	coro &await_resume() const noexcept { return *owner; }

	coro *owner = nullptr;
};

} // namespace kcoro::inline KCORO_ABI

/* A parameter may choose the promise: frame.hpp. */
template <typename T, kcoro::frame_policy Frames, typename... Args>
struct std::coroutine_traits<kcoro::task<T, Frames>, Args...> {
	using promise_type = typename kcoro::detail::choose_promise<kcoro::task_promise<T, Frames>,
								    Args...>::type;
	static_assert(alignof(promise_type) == alignof(kcoro::task_promise<T, Frames>) &&
			      alignof(promise_type) <= kcoro::detail::promise_link::in_frame,
		      "a handle is made of the base of this promise, and must find the frame");
};

#endif // KCORO_TASK_HPP
