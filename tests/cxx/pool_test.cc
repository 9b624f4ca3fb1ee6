// SPDX-License-Identifier: GPL-2.0-only
// pool_test.cc - many threads: events, channels, stops and joins between them.

#include <atomic>
#include <thread>
#include <vector>

#include "support.hpp"

#include <kcoro/channel.hpp>
#include <kcoro/completion.hpp>
#include <kcoro/event.hpp>
#include <kcoro/rc_ptr.hpp>
#include <kcoro/scope.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/user/sync_wait.hpp>
#include <kcoro/user/thread_pool.hpp>
#include <kcoro/when.hpp>

namespace {

using namespace kcoro;

class pool_test : public nothing_left {};

TEST_F(pool_test, channel_between_threads)
{
	constexpr int senders = 3, each = 500;
	long sum = 0;
	{
		user::thread_pool pool(3);
		channel<int, 4> ch;
		auto send = [](channel<int, 4> &c, int n) -> task<void> {
			for (int i = 1; i <= n; i++)
				(void)co_await c.send(i);
		};
		auto receive = [](channel<int, 4> &c) -> task<long> {
			long all = 0;

			for (;;) {
				auto got = co_await c.receive();
				if (!got)
					co_return all;
				all += got.value;
			}
		};
		std::vector<join_handle<void>> out;
		std::vector<join_handle<long>> in;
		for (int i = 0; i < senders; i++) {
			out.push_back(spawn(pool, send(ch, each)));
			in.push_back(spawn(pool, receive(ch)));
		}
		for (auto &h : out)
			EXPECT_EQ(user::sync_wait(h).error, 0);
		ch.close();
		for (auto &h : in)
			sum += user::sync_wait(h).value;
	}
	EXPECT_EQ(sum, 3L * each * (each + 1) / 2);
}

// Wakes, cancels and kills race with each other; each coroutine ends once, with one of them.
TEST_F(pool_test, stops_race_with_wakes)
{
	for (int round = 0; round < 100; round++) {
		user::thread_pool pool(2);
		event e, never;
		auto body = [](event &a, event &b) -> task<int> {
			counted c;
			auto got = co_await a.wait();

			if (!got)
				co_return failure{got.error};
			got = co_await b.wait();
			co_return failure{got.error};
		};
		std::vector<join_handle<int>> hs;
		for (int i = 0; i < 8; i++)
			hs.push_back(spawn(pool, body(e, never)));
		std::thread setter([&] { e.set(); });
		for (std::size_t i = 0; i < hs.size(); i++)
			if (i % 2)
				hs[i].cancel();
			else
				hs[i].kill();
		setter.join();
		for (auto &h : hs) {
			auto got = user::sync_wait(h);
			EXPECT_TRUE(got.error == err::cancelled || got.error == err::interrupted);
		}
	}
}

TEST_F(pool_test, groups_side_by_side)
{
	user::thread_pool pool(3);
	auto body = [](int n) -> task<int> {
		auto work = [](int i) -> task<int> {
			/* Some end at once, although they were told to stop. */
			if (i % 4 == 0) {
				coro &me = co_await self();

				me.cancel();
				co_return i;
			}
			(void)co_await sleep_for({static_cast<std::uint64_t>(i % 7) * 10000});
			co_return i;
		};
		int sum = 0;

		for (int round = 0; round < 20; round++) {
			std::vector<task<int>> tasks;

			for (int i = 0; i < n; i++)
				tasks.push_back(work(i));
			std::size_t some = static_cast<std::size_t>(round % 2 ? n : n / 2);
			auto got = co_await when_some(some, tasks);
			EXPECT_GE(got.count, some);
			for (std::size_t i = 0; i < tasks.size(); i++)
				if (got.is(i))
					sum += tasks[i].take().value >= 0;
		}
		co_return sum;
	};
	auto h = spawn(pool, body(10));

	EXPECT_GE(user::sync_wait(h).value, 10 * 10 + 10 * 5);
}

// The deadline comes, or not, while the scope goes.
TEST_F(pool_test, deadlines_of_scopes)
{
	user::thread_pool pool(2);
	event never;
	auto waits = [](event &e) -> task<int> {
		auto got = co_await e.wait();
		co_return got.error;
	};

	for (unsigned int i = 0; i < 200; i++) {
		scope s(pool);
		auto one = s.spawn(waits(never));

		ASSERT_EQ(s.set_deadline(duration{i * 500}), 0);
		if (i % 2)
			one.cancel();
		auto got = user::sync_wait(one);
		/* It may not even have run. */
		const int error = got ? got.value : got.error;

		EXPECT_TRUE(error == err::timed_out || (i % 2 && error == err::cancelled)) << error;
		while (s.live())
			std::this_thread::yield();
	}
}

TEST_F(pool_test, plain_code_receives)
{
	channel<int, 2> ch;
	event started;
	std::thread sender([&] {
		EXPECT_EQ(user::sync_wait(started.wait()).error, 0);
		for (int i = 1; i <= 100; i++)
			EXPECT_EQ(user::sync_wait(ch.send(i)).error, 0);
		ch.close();
	});
	int sum = 0;

	started.set();
	for (;;) {
		auto got = user::sync_wait(ch.receive());

		if (!got) {
			EXPECT_EQ(got.error, err::closed);
			break;
		}
		sum += got.value;
	}
	sender.join();
	EXPECT_EQ(sum, 5050);
}

TEST_F(pool_test, completion_from_another_thread)
{
	user::run_loop loop;
	auto body = [](user::run_loop &) -> task<int> {
		int sum = 0;

		for (int i = 0; i < 200; i++) {
			completion<int> c;
			std::thread t([&] { c.set_value(i); });
			auto got = co_await c.wait();

			t.join();
			sum += got.value;
		}
		co_return sum;
	};
	EXPECT_EQ(user::sync_wait(loop, body(loop)).value, 199 * 100);
}

TEST_F(pool_test, scope_on_a_pool)
{
	user::thread_pool pool(2);
	event never;
	auto body = [](event &e) -> task<void> { (void)co_await e.wait(); };
	auto waits = [](scope &s) -> task<void> { (void)co_await s.empty(); };
	{
		scope s(pool);

		for (int i = 0; i < 20; i++)
			s.spawn(body(never)).detach();
		s.cancel();
		(void)user::sync_wait(waits(s));
		EXPECT_EQ(s.live(), 0U);
	}
}

struct node : enable_rc_from_this<node> {
	counted c;
	int n = 0;
};

TEST_F(pool_test, rc_ptr_counts)
{
	auto p = make_rc<node>();
	weak_rc_ptr<node> w(p);

	std::vector<std::thread> ts;
	for (int t = 0; t < 3; t++)
		ts.emplace_back([p, w] {
			for (int i = 0; i < 2000; i++) {
				auto q = p;
				auto r = w.lock();
				auto s = q->rc_from_this();
				ASSERT_TRUE(q == r && r == s);
			}
		});
	for (auto &t : ts)
		t.join();
	ts.clear();
	EXPECT_EQ(p.use_count(), 1U);
	rc_ptr<int> member(p, &p->n);
	p.reset();
	EXPECT_EQ(counted::alive, 1);
	member.reset();
	EXPECT_EQ(counted::alive, 0);
	EXPECT_TRUE(w.expired());
	EXPECT_FALSE(w.lock());

	auto one = make_rc<const int, threads::one>(4);
	auto plain = const_rc_cast<int>(one);
	*plain = 5;
	EXPECT_EQ(*one, 5);
	frames::refuse_at = frames::taken + 1;
	EXPECT_FALSE(make_rc<int>(1));
	frames::refuse_at = 0;
}

} // namespace
