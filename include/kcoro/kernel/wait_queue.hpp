/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait_queue.hpp - kernel::wait_event: a body in C++ waits at a wait queue of the kernel, as
 * wait_event() does.
 *
 * Brief:         `co_await wait_event(head, condition)` waits until condition() is true. It is
 *                asked in the coroutine's own context, before the wait and at each wake of
 *                the queue. A third argument is the longest time for all of it: -ETIMEDOUT.
 * Thread safety: for the body. The queue is woken in any context but NMI.
 * Allocation:    none. The wait lies in the frame that awaits.
 * Cancellation:  the wait ends with the errno of the stop; when the condition is true meanwhile,
 *                that counts.
 * Traps:         the queue must stay, or be woken with POLLFREE and go a grace period later: then
 *                the wait gives -ENOENT. No member of a group: put it into a task.
 *
 *	auto got = co_await kcoro::kernel::wait_event(queue, [=] { return can_receive(sock); });
 */
#ifndef KCORO_KERNEL_WAIT_QUEUE_HPP
#define KCORO_KERNEL_WAIT_QUEUE_HPP

#include <kcoro/kernel/wait.hpp>
#include <kcoro/sleep.hpp>

namespace kcoro::inline KCORO_ABI::kernel {

namespace detail {

/* No timeout. */
struct no_limit {
	static constexpr bool limits = false;

	void start(kcoro::executor &, void *, void (*)(void *) noexcept) noexcept {}
	bool stop(kcoro::executor &) noexcept { return true; }
};

struct time_limit : private timer {
	static constexpr bool limits = true;

	explicit time_limit(duration d) noexcept { when = platform::now() + d.ns; }

	/* Unless it is stopped, @over is called in a step of the coroutine. */
	void start(kcoro::executor &where, void *whose, void (*over)(void *) noexcept) noexcept
	{
		expired = told;
		of_ = whose;
		over_ = over;
		where.ops->timer_start(where, *this);
	}
	/* False: it is over, and the call is to come. */
	bool stop(kcoro::executor &where) noexcept { return where.ops->timer_stop(where, *this); }

private:
	static void told(timer &t) noexcept
	{
		auto &self = static_cast<time_limit &>(t);

		self.over_(self.of_);
	}

	void *of_;
	void (*over_)(void *) noexcept;
};

template <typename Condition, typename Limit>
struct [[nodiscard]] queue_wait : core_awaiter<queue_wait<Condition, Limit>> {
	static constexpr wait_kind kind = wait_kind::queue;
	static constexpr bool is_leaf = false;

	queue_wait(wait_queue_head *queue, Condition c, auto... longest) noexcept
		: head(queue), condition(c), limit(longest...)
	{
	}
	queue_wait(const queue_wait &) = delete;
	queue_wait &operator=(const queue_wait &) = delete;

	bool await_ready() noexcept { return condition(); }
	bool await_suspend(chained_handle auto h) noexcept
	{
		this->owner = h.promise().owner;
		this->ops = &queue_ops;
		if (!this->aim())
			return false;
		this->owner->suspend_at(h, *this);
		if (!join()) {
			this->owner->unsuspend();
			return false;
		}
		timed = Limit::limits;
		limit.start(this->owner->where(), this, time_is_up);
		return true;
	}
	result<void> await_resume() const noexcept
	{
		return this->error ? result<void>(failure{this->error}) : result<void>();
	}

private:
	/* Onto the queue. False: the condition is true, and the queue does not know the wait. */
	bool join() noexcept
	{
		kcoro_cxx_queue_wait(head, room, this);
		/* If it was woken before it could leave, it goes on by that. */
		return !condition() || !leave();
	}
	bool leave() noexcept { return kcoro_cxx_queue_leave(room, this); }

	/* Off the queue, and over but for the timer. True: that is stopped. Else it fires. */
	bool end() noexcept
	{
		ending = timed && !limit.stop(this->owner->where());
		return !ending;
	}
	/* It has fired. True: it is over. */
	static bool settle(wait_node &w) noexcept
	{
		auto &self = static_cast<queue_wait &>(w);

		if (self.ending)
			return true;
		if (self.flags & KCORO_CXX_WAIT_BROKEN) {
			self.error = err::no_entry;
		} else if (!self.condition()) {
			self.off = self.owner->stops();
			if (Limit::limits && !self.timed)
				self.error = err::timed_out;
			else if (self.off || self.join())
				return false;
		}
		return self.end();
	}
	/* A stop. What is set here as the error is for the case that the timer was first. */
	static bool unhook(wait_node &w, unsigned int) noexcept
	{
		auto &self = static_cast<queue_wait &>(w);

		if (self.ending || (!self.off && !self.leave()))
			return false;
		self.off = true;
		self.error = err::timed_out;
		return self.end();
	}
	static void time_is_up(void *whose) noexcept
	{
		auto &self = *static_cast<queue_wait *>(whose);

		self.timed = false;
		if (!self.ending) {
			/* Woken, it will see that no time is left. */
			if (!self.off && !self.leave())
				return;
			self.error = self.condition() ? 0 : err::timed_out;
			self.ending = true;
		}
		fire(self);
	}
	static constexpr wait_ops queue_ops = {unhook, settle, wait_kind::queue};

	wait_queue_head *head;
	[[no_unique_address]] Condition condition;
	[[no_unique_address]] Limit limit;
	bool timed = false;  /* the limit's timer runs, or its call is to come */
	bool off = false;    /* the queue, because of a stop that is to be told */
	bool ending = false; /* it fires once more, and is over */
	alignas(8) unsigned char room[KCORO_CXX_QUEUE_ROOM];
};

} // namespace detail

template <typename Condition> auto wait_event(wait_queue_head *head, Condition condition) noexcept
{
	return detail::queue_wait<Condition, detail::no_limit>(head, condition);
}

/* And not longer than that. */
template <typename Condition>
auto wait_event(wait_queue_head *head, Condition condition, duration longest) noexcept
{
	return detail::queue_wait<Condition, detail::time_limit>(head, condition, longest);
}

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_WAIT_QUEUE_HPP
