/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * run_loop.hpp - run_loop: an executor that one thread runs, alone or inside of another
 * event loop.
 *
 * Brief:         spawn onto it, then run(), run_until_idle() or run_until(). In somebody
 *                else's loop (epoll, Asio, ae): watch poll_fd() for reading, and call poll()
 *                when it is readable.
 * Thread safety: one thread at a time runs it. Wakes, stops and spawns come from any thread,
 *                unless it was made with run_loop::alone, which spares atomic operations.
 * Allocation:    an array for timers, and file descriptors: one for wakes, two more with the
 *                first poll_fd().
 * Cancellation:  stop() ends run() after the coroutine that runs; those in it stay.
 * Traps:         it outlives what is spawned onto it. Without a descriptor for wakes
 *                error() is set, and the loop looks every millisecond instead.
 *
 *	kcoro::user::run_loop loop;
 *	auto h = kcoro::spawn(loop, body());
 *	loop.run_until([&] { return h.done(); });
 */
#ifndef KCORO_USER_RUN_LOOP_HPP
#define KCORO_USER_RUN_LOOP_HPP

#include <cerrno>
#include <cstdint>
#include <ctime>

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <kcoro/coro.hpp>
#include <kcoro/user/timer_heap.hpp>

namespace kcoro::inline KCORO_ABI::user {

class run_loop : public executor {
public:
	enum kind { shared, alone };

	explicit run_loop(kind k = shared) noexcept
		: executor{&loop_ops, true, k == alone || !KCORO_THREADS},
		  wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
	{
		if (wake_fd_ < 0)
			error_ = -errno;
	}
	run_loop(const run_loop &) = delete;
	run_loop &operator=(const run_loop &) = delete;
	~run_loop()
	{
		/* Who has woken the last coroutine may not be out of post() yet. */
		while (kicking_.load())
			sched_yield();
		for (int fd : {wake_fd_, timer_fd_, poll_fd_})
			if (fd >= 0)
				close(fd);
	}

	/* 0, or the errno of what could not be had. */
	int error() const noexcept { return error_; }

	/* Until stop(). */
	void run() noexcept
	{
		run_until([] { return false; });
	}
	/* Until @done() or stop(); it is asked between coroutines. */
	template <typename F> void run_until(F done)
	{
		entered inside(*this);

		while (!done() && !take_stop())
			if (!run_one())
				wait();
	}
	/* What is ready now and becomes so by it. Does not wait. How many runs that were. */
	unsigned int run_until_idle() noexcept
	{
		entered inside(*this);
		unsigned int n = 0;

		while (run_one())
			n++;
		return n;
	}
	/* Any thread. */
	void stop() noexcept
	{
		kicking_.add(1);
		__atomic_store_n(&stop_, true, __ATOMIC_RELEASE);
		kick();
		kicking_.sub(1);
	}

	/*
	 * Readable when poll() has something to do; the loop's own, for its life. Or a negative
	 * errno.
	 */
	int poll_fd() noexcept
	{
		if (poll_fd_ >= 0)
			return poll_fd_;
		if (wake_fd_ < 0)
			return error_;
		if (timer_fd_ < 0)
			timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		int fd = timer_fd_ < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
		if (fd < 0)
			return -errno;
		for (int watched : {wake_fd_, timer_fd_}) {
			epoll_event e{};

			e.events = EPOLLIN;
			e.data.fd = watched;
			if (epoll_ctl(fd, EPOLL_CTL_ADD, watched, &e)) {
				int err = -errno;

				close(fd);
				return err;
			}
		}
		poll_fd_ = fd;
		/* What was posted before somebody watched. */
		kick();
		return poll_fd_;
	}
	/* Do what is to be done, and arm the descriptor for the next time. */
	void poll() noexcept
	{
		drain(wake_fd_);
		drain(timer_fd_);
		run_until_idle();
		arm_timer_fd();
	}

private:
	/* Marks the thread that runs the loop; a loop may be run inside of another one's. */
	class entered {
	public:
		explicit entered(run_loop &loop) noexcept : outer_(current) { current = &loop; }
		~entered() { current = outer_; }
		entered(const entered &) = delete;
		entered &operator=(const entered &) = delete;

	private:
		run_loop *outer_;
	};

	static void post(executor &e, coro &co) noexcept
	{
		auto &loop = static_cast<run_loop &>(e);

		if (loop.executor::alone || current == &loop) {
			loop.push(co);
			/* Somebody else's loop must come back. */
			if (current != &loop && loop.poll_fd_ >= 0)
				loop.kick();
			return;
		}
		coro *head = __atomic_load_n(&loop.remote_, __ATOMIC_RELAXED);
		bool counted = false;

		do {
			/* The loop may run it, and go, as soon as it is on the list. */
			if (!head && !counted) {
				loop.kicking_.add(1);
				counted = true;
			}
			co.next = head;
		} while (!__atomic_compare_exchange_n(&loop.remote_, &head, &co, true,
						      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
		if (!counted)
			return;
		if (!head)
			loop.kick();
		loop.kicking_.sub(1);
	}
	static bool timer_start(executor &e, timer &t) noexcept
	{
		return static_cast<run_loop &>(e).timers_.add(t);
	}
	static bool timer_stop(executor &e, timer &t) noexcept
	{
		return static_cast<run_loop &>(e).timers_.remove(t);
	}
	static constexpr executor_ops loop_ops = {post, timer_start, timer_stop};

	void push(coro &co) noexcept
	{
		co.next = nullptr;
		(last_ ? last_->next : first_) = &co;
		last_ = &co;
	}
	/* What other threads posted, in their order. */
	void take_remote() noexcept
	{
		if (!__atomic_load_n(&remote_, __ATOMIC_RELAXED))
			return;
		coro *co = __atomic_exchange_n(&remote_, nullptr, __ATOMIC_ACQUIRE);
		coro *in_order = nullptr;

		while (co) {
			coro *next = co->next;

			co->next = in_order;
			in_order = co;
			co = next;
		}
		while (in_order) {
			coro *next = in_order->next;

			push(*in_order);
			in_order = next;
		}
	}
	bool run_one() noexcept
	{
		if (!first_ || ++since_look_ >= 64) {
			since_look_ = 0;
			take_remote();
			expire();
		}
		coro *co = first_;

		if (!co)
			return false;
		first_ = co->next;
		if (!first_)
			last_ = nullptr;
		co->run();
		return true;
	}
	void expire() noexcept
	{
		if (timers_.empty())
			return;
		std::uint64_t now = platform::now();

		while (timer *t = timers_.first()) {
			if (t->when > now)
				break;
			timers_.remove(*t);
			t->expired(*t);
		}
	}
	void wait() noexcept
	{
		timespec limit{};
		timespec *timeout = nullptr;
		std::uint64_t ns = 0;

		if (timer *t = timers_.first()) {
			std::uint64_t now = platform::now();

			ns = t->when > now ? t->when - now : 0;
			timeout = &limit;
		}
		if (wake_fd_ < 0 && (!timeout || ns > 1000000)) {
			ns = 1000000;
			timeout = &limit;
		}
		limit.tv_sec = static_cast<time_t>(ns / 1000000000U);
		limit.tv_nsec = static_cast<long>(ns % 1000000000U);
		pollfd fd = {wake_fd_, POLLIN, 0};

		if (ppoll(&fd, 1, timeout, nullptr) > 0)
			drain(wake_fd_);
	}
	void kick() noexcept
	{
		const std::uint64_t one = 1;

		/* It can only fail when it is readable anyway. */
		if (wake_fd_ >= 0)
			(void)!write(wake_fd_, &one, sizeof(one));
	}
	static void drain(int fd) noexcept
	{
		std::uint64_t count;

		if (fd >= 0)
			(void)!read(fd, &count, sizeof(count));
	}
	void arm_timer_fd() noexcept
	{
		itimerspec spec{};

		if (timer_fd_ < 0)
			return;
		if (timer *t = timers_.first()) {
			/* 0 would disarm it. */
			std::uint64_t when = t->when ? t->when : 1;

			spec.it_value.tv_sec = static_cast<time_t>(when / 1000000000U);
			spec.it_value.tv_nsec = static_cast<long>(when % 1000000000U);
		}
		timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &spec, nullptr);
	}
	bool take_stop() noexcept
	{
		return __atomic_load_n(&stop_, __ATOMIC_RELAXED) &&
		       __atomic_exchange_n(&stop_, false, __ATOMIC_ACQUIRE);
	}

	static inline thread_local run_loop *current = nullptr;

	coro *first_ = nullptr;
	coro *last_ = nullptr;
	unsigned int since_look_ = 0;
	timer_heap timers_;
	coro *remote_ = nullptr;
	bool stop_ = false;
	word kicking_; /* threads that will touch the descriptor yet */
	int error_ = 0;
	int wake_fd_;
	int timer_fd_ = -1;
	int poll_fd_ = -1;
};

} // namespace kcoro::inline KCORO_ABI::user

#endif // KCORO_USER_RUN_LOOP_HPP
