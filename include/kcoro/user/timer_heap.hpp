/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * timer_heap.hpp - the timers of an executor in user space, the next one first.
 *
 * Brief:         a binary heap; a timer knows its place, so that it is taken out at once.
 * Thread safety: none; the executor locks if it must.
 * Allocation:    an array that grows; add() says false when it can't.
 */
#ifndef KCORO_USER_TIMER_HEAP_HPP
#define KCORO_USER_TIMER_HEAP_HPP

#include <cstddef>
#include <cstdlib>

#include <kcoro/executor.hpp>

namespace kcoro::inline KCORO_ABI::user {

class timer_heap {
public:
	timer_heap() noexcept = default;
	timer_heap(const timer_heap &) = delete;
	timer_heap &operator=(const timer_heap &) = delete;
	~timer_heap() { std::free(at_); }

	bool empty() const noexcept { return !count_; }
	timer *first() const noexcept { return count_ ? at_[0] : nullptr; }

	bool add(timer &t) noexcept
	{
		if (count_ == room_) {
			std::size_t room = room_ ? 2 * room_ : 16;
			void *more = std::realloc(at_, room * sizeof(timer *));

			if (!more)
				return false;
			at_ = static_cast<timer **>(more);
			room_ = room;
		}
		up(count_++, t);
		return true;
	}

	/* False: it is not in there. */
	bool remove(timer &t) noexcept
	{
		if (!t.place)
			return false;
		std::size_t hole = t.place - 1;
		timer *last = at_[--count_];

		t.place = 0;
		if (last == &t)
			return true;
		if (hole && last->when < at_[(hole - 1) / 2]->when)
			up(hole, *last);
		else
			down(hole, *last);
		return true;
	}

private:
	void put(std::size_t i, timer &t) noexcept
	{
		at_[i] = &t;
		t.place = i + 1;
	}
	void up(std::size_t i, timer &t) noexcept
	{
		for (; i && t.when < at_[(i - 1) / 2]->when; i = (i - 1) / 2)
			put(i, *at_[(i - 1) / 2]);
		put(i, t);
	}
	void down(std::size_t i, timer &t) noexcept
	{
		for (std::size_t child; (child = 2 * i + 1) < count_; i = child) {
			if (child + 1 < count_ && at_[child + 1]->when < at_[child]->when)
				child++;
			if (t.when <= at_[child]->when)
				break;
			put(i, *at_[child]);
		}
		put(i, t);
	}

	timer **at_ = nullptr;
	std::size_t count_ = 0;
	std::size_t room_ = 0;
};

} // namespace kcoro::inline KCORO_ABI::user

#endif // KCORO_USER_TIMER_HEAP_HPP
