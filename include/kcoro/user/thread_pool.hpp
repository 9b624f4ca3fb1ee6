/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * thread_pool.hpp - thread_pool: an executor with several threads.
 *
 * Brief:         coroutines run where a thread is free, one after the other in the order in
 *                which they were woken, and may go on on another thread after each wait.
 * Thread safety: any.
 * Allocation:    an array for timers; threads.
 * Cancellation:  the destructor waits until all coroutines that are ready have run, and ends
 *                the threads; those that still wait then are never run again: join or stop
 *                them before.
 * Traps:         thread-local variables are not those from before a wait.
 *
 *	kcoro::user::thread_pool pool(4);
 *	auto h = kcoro::spawn(pool, body());
 *	auto got = kcoro::user::sync_wait(h);
 */
#ifndef KCORO_USER_THREAD_POOL_HPP
#define KCORO_USER_THREAD_POOL_HPP

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <kcoro/coro.hpp>
#include <kcoro/user/timer_heap.hpp>

#if !KCORO_THREADS
#error "thread_pool needs KCORO_THREADS=1"
#endif

namespace kcoro::inline KCORO_ABI::user {

class thread_pool : public executor {
public:
	explicit thread_pool(unsigned int threads = std::thread::hardware_concurrency())
		: executor{&pool_ops, false, false}
	{
		threads_.reserve(threads ? threads : 1);
		do
			threads_.emplace_back([this] { work(); });
		while (threads_.size() < threads);
	}
	thread_pool(const thread_pool &) = delete;
	thread_pool &operator=(const thread_pool &) = delete;
	~thread_pool()
	{
		{
			std::lock_guard g(lock_);

			ending_ = true;
		}
		wake_.notify_all();
		for (auto &t : threads_)
			t.join();
	}

private:
	static void post(executor &e, coro &co) noexcept
	{
		auto &pool = static_cast<thread_pool &>(e);

		std::lock_guard g(pool.lock_);

		co.next = nullptr;
		(pool.last_ ? pool.last_->next : pool.first_) = &co;
		pool.last_ = &co;
		/* Under the lock: without it @co may have run already, and the pool be gone. */
		pool.wake_.notify_one();
	}
	static bool timer_start(executor &e, timer &t) noexcept
	{
		auto &pool = static_cast<thread_pool &>(e);
		bool first;

		{
			std::lock_guard g(pool.lock_);

			if (!pool.timers_.add(t))
				return false;
			first = pool.timers_.first() == &t;
		}
		if (first)
			pool.wake_.notify_one();
		return true;
	}
	static bool timer_stop(executor &e, timer &t) noexcept
	{
		auto &pool = static_cast<thread_pool &>(e);
		std::lock_guard g(pool.lock_);

		return pool.timers_.remove(t);
	}
	static constexpr executor_ops pool_ops = {post, timer_start, timer_stop};

	void work() noexcept
	{
		std::unique_lock g(lock_);

		for (;;) {
			timer *t = timers_.first();

			if (t && t->when <= platform::now()) {
				timers_.remove(*t);
				g.unlock();
				t->expired(*t);
				g.lock();
				continue;
			}
			if (coro *co = first_) {
				first_ = co->next;
				if (!first_)
					last_ = nullptr;
				g.unlock();
				co->run();
				g.lock();
				continue;
			}
			if (ending_)
				return;
			if (!t) {
				wake_.wait(g);
				continue;
			}
			std::uint64_t now = platform::now();
			if (t->when > now)
				wake_.wait_for(g, std::chrono::nanoseconds(t->when - now));
		}
	}

	std::mutex lock_;
	std::condition_variable wake_;
	coro *first_ = nullptr;
	coro *last_ = nullptr;
	timer_heap timers_;
	bool ending_ = false;
	std::vector<std::thread> threads_;
};

} // namespace kcoro::inline KCORO_ABI::user

#endif // KCORO_USER_THREAD_POOL_HPP
