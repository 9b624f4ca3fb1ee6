/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * scope.hpp - scope: owns coroutines; they are stopped together and waited for, and none
 * outlives its scope.
 *
 * Brief:         s.spawn(body()) runs a body in it; `co_await s.empty()` waits until nobody
 *                is in it; s.stop() stops all; s.set_deadline(5_s) does so with -ETIMEDOUT then.
 * Thread safety: any; the destructor when nobody is in it. set_deadline(), clear_deadline()
 *                and a destructor behind them: on its executor, or before anything runs there.
 * Allocation:    none beside spawn()'s; a deadline has a block of its own.
 * Cancellation:  who waits for empty() and is stopped passes the stop on to all in the scope,
 *                and goes on when they have ended.
 * Traps:         a scope with somebody in it must not be destroyed: that ends the program.
 *                A body that has one and can be killed keeps it in what outlives the body.
 *                In the kernel the scope of the core that is behind its executor has a
 *                deadline; set_deadline() of this one gives -ENOMEM there.
 *
 *	kcoro::scope s(loop);
 *	s.spawn(body(1)).detach();
 *	s.cancel();
 *	co_await s.empty();
 */
#ifndef KCORO_SCOPE_HPP
#define KCORO_SCOPE_HPP

#include <cstdint>
#include <new>
#include <utility>

#include <kcoro/event.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>

namespace kcoro::inline KCORO_ABI {

class scope : public spawn_scope {
public:
	explicit scope(executor &where) noexcept : spawn_scope{enter}, where_(where) {}
	scope(const scope &) = delete;
	scope &operator=(const scope &) = delete;
	~scope()
	{
		if (live())
			platform::panic("a scope was destroyed with coroutines in it");
		clear_deadline();
	}

	/* As kcoro::spawn(); after close() and with a stop its first act is to end. */
	template <typename T, typename Data = no_data>
	join_handle<T> spawn(task<T> body, Data data = {})
	{
		return kcoro::spawn(where_, std::move(body), std::move(data), this);
	}

	unsigned int live() noexcept
	{
		guard g(lock_);

		return live_;
	}
	/* Nobody can be spawned into it any more: the handle is that of a killed one. */
	void close() noexcept
	{
		guard g(lock_);

		closed_ = true;
	}
	void cancel() noexcept { stop(KCORO_STATE_CANCEL); }
	void kill() noexcept { stop(KCORO_STATE_KILL); }
	void time_out() noexcept { stop(KCORO_STATE_TIMEOUT); }
	/* Those that are in it now; those that come later are not asked. */
	void stop(unsigned int bits) noexcept
	{
		guard g(lock_);

		/* A wake only queues, so that nobody leaves meanwhile. */
		for (detail::spawned_base *co = first_; co; co = co->scope_next)
			co->stop(bits);
	}

	/*
	 * In @d all that are in it are told -ETIMEDOUT, and it is closed. In the place of the
	 * deadline before, if there was one. 0, or -ENOMEM and no deadline.
	 */
	int set_deadline(duration d) noexcept
	{
		clear_deadline();
		void *memory = platform::frame_alloc(sizeof(deadline));
		if (!memory)
			return err::no_memory;
		deadline_ = new (memory) deadline(*this, platform::now() + d.ns);
		if (where_.ops->timer_start(where_, *deadline_))
			return 0;
		deadline_->put();
		std::exchange(deadline_, nullptr)->put();
		return err::no_memory;
	}
	void clear_deadline() noexcept
	{
		deadline *d = std::exchange(deadline_, nullptr);

		if (!d)
			return;
		if (where_.ops->timer_stop(where_, *d))
			d->put();
		d->forget();
		d->put();
	}

	struct waiter : leaf_awaiter<waiter> {
		static constexpr wait_kind kind = wait_kind::join;

		explicit waiter(scope &s) noexcept : of(s) {}
		bool await_ready() noexcept { return !of.live(); }
		bool arm() noexcept
		{
			guard g(of.lock_);

			if (!of.live_)
				return false;
			of.waits_.push(*this);
			return true;
		}
		static bool unhook(wait_node &w, unsigned int stop) noexcept
		{
			if (!stop)
				return disarm(w);
			static_cast<waiter &>(w).of.stop(stop);
			return false;
		}
		static bool disarm(wait_node &w) noexcept
		{
			scope &s = static_cast<waiter &>(w).of;
			guard g(s.lock_);

			return s.waits_.remove(w);
		}
		result<void> take() noexcept
		{
			return this->error ? result<void>(failure{this->error}) : result<void>();
		}

		scope &of;
	};

	[[nodiscard]] waiter empty() noexcept { return waiter(*this); }

private:
	using guard = threads::standard::guard;

	/* Its timer's and the scope's: on another thread the one may go while the other does. */
	class deadline final : public timer {
	public:
		deadline(scope &s, std::uint64_t at) noexcept : of_(&s)
		{
			when = at;
			expired = has_come;
		}
		void forget() noexcept
		{
			guard g(lock_);

			of_ = nullptr;
		}
		void put() noexcept
		{
			if (refs_.sub(1))
				return;
			this->~deadline();
			platform::frame_free(this, sizeof(deadline));
		}

	private:
		static void has_come(timer &t) noexcept
		{
			auto &self = static_cast<deadline &>(t);

			{
				guard g(self.lock_);

				if (self.of_) {
					self.of_->close();
					self.of_->time_out();
				}
			}
			self.put();
		}

		threads::standard::lock lock_;
		scope *of_;
		word refs_{2};
	};

	static bool enter(spawn_scope &s, detail::spawned_base &co) noexcept
	{
		auto &self = static_cast<scope &>(s);
		guard g(self.lock_);

		if (self.closed_)
			return false;
		co.of_scope = &self;
		co.leave_scope = leave;
		co.scope_prev = self.last_;
		(self.last_ ? self.last_->scope_next : self.first_) = &co;
		self.last_ = &co;
		self.live_++;
		return true;
	}
	static void leave(detail::spawned_base &co) noexcept
	{
		auto &self = *static_cast<scope *>(co.of_scope);
		wait_node *chain = nullptr;

		{
			guard g(self.lock_);

			(co.scope_prev ? co.scope_prev->scope_next : self.first_) = co.scope_next;
			(co.scope_next ? co.scope_next->scope_prev : self.last_) = co.scope_prev;
			if (!--self.live_)
				chain = self.waits_.pop_all();
		}
		/* The scope may be gone as soon as the first has been fired. */
		fire_all(chain);
	}

	executor &where_;
	threads::standard::lock lock_;
	detail::spawned_base *first_ = nullptr;
	detail::spawned_base *last_ = nullptr;
	unsigned int live_ = 0;
	bool closed_ = false;
	deadline *deadline_ = nullptr;
	wait_list waits_;
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_SCOPE_HPP
