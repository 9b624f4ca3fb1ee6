/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * spawn.hpp - spawn a task onto an executor, and join_handle<T>, by which it is awaited,
 * looked at, and stopped.
 *
 * Brief:         three roles, as in the core: a task is the work, a spawned task is what is
 *                scheduled, and a handle is how others get at it. `spawn(loop, body())` gives
 *                a join_handle; `co_await handle` gives its result: moved if one handle is
 *                there, copied if several are. Private data of the spawner's can ride along.
 * Thread safety: handles may be used and dropped on any thread; one handle by one thread at
 *                a time.
 * Allocation:    one block for the spawned task beside its frame, from the executor-independent
 *                platform pool. It is made before the task's frame is entered. At the end
 *                what goes is the frame with the task's parameters, then the private data,
 *                then the block. Without memory the handle is done at once and gives
 *                -ENOMEM, for a task without a frame what that gives; where the executor
 *                takes nobody, as a scope of the kernel that ends, what it says. error() tells.
 * Cancellation:  cancel(), kill(), time_out() from anywhere. Dropping the last handle kills,
 *                unless it was detached. Who awaits a handle and is stopped passes the stop on
 *                if its is the last handle, and goes on when the other has ended; else it
 *                stops waiting.
 * Traps:         an executor outlives what is spawned onto it.
 *
 *	kcoro::join_handle<int> h = kcoro::spawn(loop, body(5));
 *	auto got = co_await h;
 */
#ifndef KCORO_SPAWN_HPP
#define KCORO_SPAWN_HPP

#include <concepts>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <kcoro/task.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

template <typename T> class join_handle;
template <typename T> class weak_handle;

struct no_data {};

namespace detail {
class spawned_base;
}

/* What a scope is to spawn(): see scope.hpp. */
struct spawn_scope {
	/* False: it takes nobody any more. */
	bool (*enter)(spawn_scope &, detail::spawned_base &) noexcept;
};

namespace detail {

/* A coroutine of its own, counted. One reference is its own until it has finished. */
class spawned_base : public coro {
public:
	spawned_base(executor &where, std::size_t bytes, void (*destroy)(spawned_base &) noexcept)
		: coro(&where, completed), bytes_(bytes), destroy_(destroy)
	{
	}

	bool alone() const noexcept { return where().alone; }
	void get() noexcept { refs_.add(1, alone()); }
	void put() noexcept
	{
		if (refs_.sub(1, alone()))
			return;
		std::size_t bytes = bytes_;

		destroy_(*this);
		platform::frame_free(this, bytes);
	}
	/* From a weak handle: is anybody's handle left? */
	bool get_handle() noexcept
	{
		if (!handles_.add_unless_zero(alone()))
			return false;
		get();
		return true;
	}
	void add_handle() noexcept
	{
		handles_.add(1, alone());
		get();
	}
	void drop_handle(bool detach) noexcept
	{
		if (!handles_.sub(1, alone()) && !detach)
			kill();
		put();
	}
	unsigned int handles() const noexcept { return handles_.load(); }

	bool finished() noexcept
	{
		threads::standard::guard g(lock_);

		return finished_;
	}
	bool add_joiner(wait_node &w) noexcept
	{
		threads::standard::guard g(lock_);

		if (finished_)
			return false;
		joiners_.push(w);
		awaited(&w.owner->where());
		return true;
	}
	bool remove_joiner(wait_node &w) noexcept
	{
		threads::standard::guard g(lock_);

		if (!joiners_.remove(w))
			return false;
		if (joiners_.empty())
			awaited(nullptr);
		return true;
	}

	/* The scope's: see scope.hpp. */
	spawned_base *scope_next = nullptr;
	spawned_base *scope_prev = nullptr;
	void (*leave_scope)(spawned_base &) noexcept = nullptr;
	void *of_scope = nullptr;

protected:
	~spawned_base() = default;

private:
	/* For who lists coroutines. Under the lock, and before it has finished. */
	void awaited(executor *by) noexcept
	{
		if (where().ops->awaited)
			where().ops->awaited(where(), by);
	}
	static void completed(coro &co) noexcept
	{
		auto &self = static_cast<spawned_base &>(co);
		wait_node *chain;

		{
			threads::standard::guard g(self.lock_);

			self.finished_ = true;
			chain = self.joiners_.pop_all();
		}
		fire_all(chain);
		if (self.leave_scope)
			self.leave_scope(self);
		self.put();
	}

	word refs_{1};
	word handles_{0};
	bool finished_ = false;
	threads::standard::lock lock_;
	wait_list joiners_;
	std::size_t bytes_;
	void (*destroy_)(spawned_base &) noexcept;
};

template <typename T> class spawned : public spawned_base {
public:
	spawned(executor &where, std::size_t bytes, void (*destroy)(spawned_base &) noexcept,
		task<T> &&body)
		: spawned_base(where, bytes, destroy), body(std::move(body))
	{
	}

	/* When it has finished. @moves: nobody else will ask. */
	result<T> get_result(bool moves)
	{
		if constexpr (std::is_void_v<T>) {
			return body.take();
		} else if constexpr (plain_value<T>) {
			return body.take();
		} else if constexpr (std::copy_constructible<T>) {
			if (!moves && body && !body.promise().error)
				return result<T>(body.promise().value());
			return body.take();
		} else {
			return body.take();
		}
	}

	task<T> body;
};

template <typename T, typename Data> class spawned_with final : public spawned<T> {
public:
	spawned_with(executor &where, task<T> &&body, Data &&data)
		: spawned<T>(where, sizeof(spawned_with), destroy, std::move(body)),
		  data_(std::move(data))
	{
	}
	Data &data() noexcept { return data_; }

private:
	static void destroy(spawned_base &base) noexcept
	{
		auto &self = static_cast<spawned_with &>(base);

		/* What the frame has may refer to the data. */
		self.body = {};
		self.~spawned_with();
	}

	[[no_unique_address]] Data data_;
};

} // namespace detail

template <typename T> class [[nodiscard]] join_handle {
public:
	using value_type = T;

	join_handle() noexcept = default;
	join_handle(join_handle &&other) noexcept
		: of_(std::exchange(other.of_, nullptr)), error_(other.error_)
	{
	}
	join_handle(const join_handle &other) noexcept : of_(other.of_), error_(other.error_)
	{
		if (of_)
			of_->add_handle();
	}
	join_handle &operator=(join_handle other) noexcept
	{
		std::swap(of_, other.of_);
		std::swap(error_, other.error_);
		return *this;
	}
	~join_handle()
	{
		if (of_)
			of_->drop_handle(false);
	}

	/* Is there something? False: error() says why not. */
	explicit operator bool() const noexcept { return of_; }
	/* 0, or why there is no coroutine: -ENOMEM, or what the executor's scope says. */
	int error() const noexcept { return of_ ? 0 : error_; }
	bool done() const noexcept { return !of_ || of_->finished(); }
	enum status status() const noexcept { return of_ ? of_->status() : status::killed; }

	void cancel() noexcept { stop(KCORO_STATE_CANCEL); }
	void kill() noexcept { stop(KCORO_STATE_KILL); }
	void time_out() noexcept { stop(KCORO_STATE_TIMEOUT); }
	void stop(unsigned int bits) noexcept
	{
		if (of_)
			of_->stop(bits);
	}
	/* It goes on without a handle, and nobody will know its result. */
	void detach() noexcept
	{
		if (of_)
			std::exchange(of_, nullptr)->drop_handle(true);
	}
	/* Its own while there is a handle, strong or weak; 0 without a coroutine. */
	std::uintptr_t id() const noexcept { return reinterpret_cast<std::uintptr_t>(of_); }
	/* What was given to spawn(), as its type there; null without a coroutine. */
	template <typename Data> Data *data() const noexcept
	{
		return of_ ? &static_cast<detail::spawned_with<T, Data> *>(of_)->data() : nullptr;
	}
	/* When it is done. */
	result<T> take()
	{
		if (!of_)
			return failure{error_};
		if (!of_->finished())
			return failure{err::in_progress};
		return of_->get_result(of_->handles() == 1);
	}

	struct waiter : leaf_awaiter<waiter> {
		static constexpr wait_kind kind = wait_kind::join;

		explicit waiter(join_handle &h) noexcept : handle(h) {}
		bool await_ready() noexcept { return handle.done(); }
		bool arm() noexcept { return handle.of_->add_joiner(*this); }
		static bool unhook(wait_node &w, unsigned int stop) noexcept
		{
			join_handle &h = static_cast<waiter &>(w).handle;

			if (stop && h.of_->handles() == 1) {
				h.of_->stop(stop);
				return false;
			}
			return h.of_->remove_joiner(w);
		}
		static bool disarm(wait_node &w) noexcept
		{
			return static_cast<waiter &>(w).handle.of_->remove_joiner(w);
		}
		result<T> take()
		{
			if (this->error)
				return failure{this->error};
			return handle.take();
		}

		join_handle &handle;
	};

	[[nodiscard]] waiter wait() noexcept { return waiter(*this); }
	[[nodiscard]] waiter operator co_await() noexcept { return waiter(*this); }

private:
	friend class weak_handle<T>;
	template <typename U, typename Data>
	friend join_handle<U> spawn(executor &, task<U>, Data, spawn_scope *);

	explicit join_handle(detail::spawned<T> *of) noexcept : of_(of) {}
	explicit join_handle(failure f) noexcept : error_(f.error) {}

	detail::spawned<T> *of_ = nullptr;
	int error_ = err::no_memory;
};

/* Knows a coroutine, and does not keep it alive: lock() gives a handle while others have one. */
template <typename T> class weak_handle {
public:
	weak_handle() noexcept = default;
	explicit weak_handle(const join_handle<T> &h) noexcept : of_(h.of_)
	{
		if (of_)
			of_->get();
	}
	weak_handle(const weak_handle &other) noexcept : of_(other.of_)
	{
		if (of_)
			of_->get();
	}
	weak_handle &operator=(weak_handle other) noexcept
	{
		std::swap(of_, other.of_);
		return *this;
	}
	~weak_handle()
	{
		if (of_)
			of_->put();
	}
	join_handle<T> lock() const noexcept
	{
		return of_ && of_->get_handle() ? join_handle<T>(of_) : join_handle<T>();
	}

private:
	detail::spawned<T> *of_ = nullptr;
};

/*
 * Have @body run on @where. @data stays with it, for join_handle::data<Data>(). @in: its
 * scope. Any thread.
 */
template <typename T, typename Data = no_data>
join_handle<T> spawn(executor &where, task<T> body, Data data = {}, spawn_scope *in = nullptr)
{
	using block = detail::spawned_with<T, Data>;

	static_assert(alignof(block) <= frame_alignment);
	if (!body)
		return join_handle<T>(failure{body.promise().error});
	void *memory = platform::frame_alloc(sizeof(block));
	if (!memory)
		return {};
	int error = 0;
	executor *place = where.ops->place ? where.ops->place(where, error) : &where;
	if (!place) {
		platform::frame_free(memory, sizeof(block));
		return join_handle<T>(failure{error});
	}
	auto *co = new (memory) block(*place, std::move(body), std::move(data));

	co->body.become_root(*co);
	/* The handle's; its own reference is there already. */
	co->add_handle();
	join_handle<T> handle(co);
	if (in && !in->enter(*in, *co))
		co->kill();
	co->post_start();
	return handle;
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_SPAWN_HPP
