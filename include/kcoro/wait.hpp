/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.hpp - how an await is made: lists of waits, firing, and the base of leaf awaiters.
 *
 * Brief:         for who writes an own awaitable. Derive from leaf_awaiter<Derived>, and give it
 *
 *	bool await_ready()	is it there already? then nothing waits
 *	bool arm()		put *this onto the source's list, under the source's lock.
 *				False: it has happened meanwhile. After true has been decided
 *				the wait may fire at any moment: do not touch it any more
 *	static bool disarm(wait_node &)	take it off again. False: it was not there any more
 *	T take()		what the await gives; error is set if it was stopped
 *	static constexpr wait_kind kind
 *
 *                The source takes a wait off its list and calls fire(), outside of its lock.
 * Thread safety: see coro.hpp, "Who wakes whom".
 * Allocation:    none: the wait lies in the frame that awaits.
 * Cancellation:  a stop disarms; take() then sees error.
 */
#ifndef KCORO_WAIT_HPP
#define KCORO_WAIT_HPP

#include <coroutine>
#include <utility>

#include <kcoro/coro.hpp>

namespace kcoro::inline KCORO_ABI {

/* Who waits at a source, the oldest first. Under the source's lock. */
class wait_list {
public:
	bool empty() const noexcept { return !first_; }
	wait_node *first() const noexcept { return first_; }

	void push(wait_node &w) noexcept
	{
		w.next = nullptr;
		w.prev = last_;
		(last_ ? last_->next : first_) = &w;
		last_ = &w;
	}
	wait_node *pop() noexcept
	{
		wait_node *w = first_;

		if (w)
			unlink(*w);
		return w;
	}
	/* False: it is not on the list. */
	bool remove(wait_node &w) noexcept
	{
		if (!w.prev && first_ != &w)
			return false;
		unlink(w);
		return true;
	}
	/* All of them, as a chain by next; each must be read before it is fired. */
	wait_node *pop_all() noexcept
	{
		wait_node *w = first_;

		for (wait_node *i = w; i; i = i->next)
			i->prev = nullptr;
		first_ = last_ = nullptr;
		return w;
	}

private:
	void unlink(wait_node &w) noexcept
	{
		(w.prev ? w.prev->next : first_) = w.next;
		(w.next ? w.next->prev : last_) = w.prev;
		w.next = w.prev = nullptr;
	}

	wait_node *first_ = nullptr;
	wait_node *last_ = nullptr;
};

/* Several waits of one coroutine: when.hpp. */
class group_base {
public:
	void (*fired)(group_base &, wait_node &) noexcept;
};

inline void fire(wait_node &w) noexcept
{
	if (w.group)
		w.group->fired(*w.group, w);
	else
		w.owner->wake(state_fired);
}

/* Fire a chain by next, outside of the lock. */
inline void fire_all(wait_node *chain) noexcept
{
	while (wait_node *w = chain) {
		chain = w->next;
		w->next = nullptr;
		fire(*w);
	}
}

/* Base of what is awaited at a source, alone or as a member of a group. */
template <typename Derived> struct leaf_awaiter : wait_node {
	static constexpr bool is_leaf = true;

	bool await_suspend(chained_handle auto h) noexcept
	{
		Derived &self = static_cast<Derived &>(*this);

		prepare(*h.promise().owner);
		owner->suspend_at(h, *this);
		if (self.arm())
			return true;
		owner->unsuspend();
		return false;
	}
	decltype(auto) await_resume() { return static_cast<Derived &>(*this).take(); }

	void prepare(coro &who) noexcept
	{
		static constexpr wait_ops leaf_ops = {
			[](wait_node &w, [[maybe_unused]] unsigned int stop) noexcept {
				/* What can pass a stop on has its own way. */
				if constexpr (requires { Derived::unhook(w, stop); })
					return Derived::unhook(w, stop);
				else
					return Derived::disarm(w);
			},
			nullptr,
			Derived::kind,
		};

		owner = &who;
		ops = &leaf_ops;
	}
};

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_WAIT_HPP
