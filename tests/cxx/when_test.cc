// SPDX-License-Identifier: GPL-2.0-only
// when_test.cc - groups, timeouts, then: which are ready, and what becomes of the rest.

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "loop.hpp"

#include <kcoro/channel.hpp>
#include <kcoro/event.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/stop.hpp>
#include <kcoro/then.hpp>
#include <kcoro/timeout.hpp>
#include <kcoro/user/sync_wait.hpp>
#include <kcoro/when.hpp>

namespace {

using namespace kcoro;

class when_test : public on_loop {};
ON_BOTH_LOOPS(when_test);

task<int> leaf(int n)
{
	counted c;

	co_return n;
}

task<int> waits(event &e, int n)
{
	counted c;
	auto got = co_await e.wait();

	co_return got ? result<int>(n) : result<int>(failure{got.error});
}

TEST_P(when_test, all_of_mixed_kinds)
{
	event a, b;
	channel<int, 1> ch;
	auto body = [](user::run_loop &on, event &e, event &f, channel<int, 1> &c) -> task<int> {
		auto one = waits(e, 1);
		auto two = leaf(2);
		auto three = f.wait();
		auto four = c.receive();
		auto five = spawn(on, leaf(5));
		auto got = co_await when_all(one, two, three, four, five);

		EXPECT_EQ(got.count, 5U);
		EXPECT_EQ(got.mask, 31U);
		co_return one.take().value + two.take().value + four.take().value +
			five.take().value;
	};
	auto h = spawn(loop, body(loop, a, b, ch));

	settle();
	int v = 4;
	EXPECT_EQ(ch.try_send(v), 0);
	settle();
	a.set();
	settle();
	EXPECT_FALSE(h.done());
	b.set();
	settle();
	EXPECT_EQ(h.take().value, 12);
}

TEST_P(when_test, any_tells_which_and_ends_the_rest)
{
	event a, b;
	channel<int, 1> ch;
	auto body = [](event &e, event &f, channel<int, 1> &c) -> task<int> {
		auto one = waits(e, 1);
		auto two = f.wait();
		auto three = c.receive();
		auto four = sleep_for(3600_s);
		auto got = co_await when_any(one, two, three, four);

		EXPECT_EQ(got.error, 0);
		EXPECT_EQ(got.count, 1U);
		EXPECT_EQ(three.take().error, got.is(2) ? 0 : err::cancelled);
		co_return static_cast<int>(got.first);
	};
	auto h = spawn(loop, body(a, b, ch));
	settle();
	EXPECT_EQ(counted::alive, 1);
	b.set();
	settle();
	EXPECT_EQ(h.take().value, 1);
	EXPECT_EQ(counted::alive, 0);
	b.reset();
	// No value is lost: nobody receives any more.
	int v = 1;
	EXPECT_EQ(ch.try_send(v), 0);
	EXPECT_EQ(ch.size(), 1U);
	h = spawn(loop, body(a, b, ch));
	settle();
	EXPECT_EQ(h.take().value, 2);
	h = spawn(loop, body(a, b, ch));
	settle();
	a.set();
	settle();
	EXPECT_EQ(h.take().value, 0);
}

TEST_P(when_test, some_over_containers)
{
	std::deque<event> es(10);
	auto body = [](std::deque<event> &of, std::size_t some) -> task<int> {
		std::vector<task<int>> tasks;

		for (auto &e : of)
			tasks.push_back(waits(e, 1));
		auto got = co_await when_some(some, tasks);
		int sum = 0;

		for (std::size_t i = 0; i < tasks.size(); i++)
			if (got.is(i))
				sum += tasks[i].take().value;
			else
				EXPECT_EQ(tasks[i].take().error, err::cancelled);
		EXPECT_EQ(static_cast<unsigned>(sum), got.count);
		co_return sum;
	};
	auto h = spawn(loop, body(es, 3));
	settle();
	for (int i : {7, 2, 5}) {
		EXPECT_FALSE(h.done());
		es[static_cast<std::size_t>(i)].set();
		settle();
	}
	EXPECT_EQ(h.take().value, 3);
	EXPECT_EQ(counted::alive, 0);
	// More than there are is all.
	h = spawn(loop, body(es, 100));
	settle();
	EXPECT_FALSE(h.done());
	for (auto &e : es)
		e.set();
	settle();
	EXPECT_EQ(h.take().value, 10);
}

TEST_P(when_test, inline_completions_and_leaf_ranges)
{
	auto body = []() -> task<int> {
		std::vector<task<int>> tasks;

		for (int i = 0; i < 50; i++)
			tasks.push_back(leaf(i));
		auto got = co_await when_all(tasks);
		int sum = 0;

		EXPECT_EQ(got.count, 50U);
		for (auto &t : tasks)
			sum += t.take().value;
		std::vector<sleep_until> sleeps;
		for (int i = 0; i < 5; i++)
			sleeps.push_back(sleep_for(1_us));
		got = co_await when_all(sleeps);
		EXPECT_EQ(got.count, 5U);
		std::vector<task<int>> none;
		got = co_await when_all(none);
		EXPECT_EQ(got.count, 0U);
		co_return sum;
	};
	EXPECT_EQ(user::sync_wait(loop, body()).value, 49 * 25);
}

TEST_P(when_test, stops_go_down_and_nothing_is_left)
{
	auto body = [](event &a, event &b) -> task<int> {
		counted c;
		std::vector<task<int>> tasks;

		tasks.push_back(waits(a, 1));
		tasks.push_back(waits(b, 1));
		auto more = waits(a, 1);
		auto inner = [](std::vector<task<int>> &of) -> task<int> {
			auto got = co_await when_all(of);
			co_return failure{got.error};
		};
		auto deep = inner(tasks);
		auto got = co_await when_all(more, deep);

		co_return failure{got.error};
	};
	for (int how = 0; how < 3; how++) {
		event a, b;
		auto h = spawn(loop, body(a, b));

		settle();
		EXPECT_EQ(counted::alive, 4);
		if (how == 2)
			a.set();
		if (how == 0)
			h.cancel();
		else
			h.kill();
		settle();
		EXPECT_TRUE(h.done());
		EXPECT_EQ(h.status(), how ? status::killed : status::cancelled);
		EXPECT_EQ(counted::alive, 0);
	}
}

TEST_P(when_test, refused_memory)
{
	frames::refuse_each([&] {
		event e;
		auto body = [](event &ev) -> task<int> {
			std::array<task<int>, 4> tasks{waits(ev, 1), leaf(1), waits(ev, 1),
						       waits(ev, 1)};
			auto got = co_await when_all(tasks);

			if (got.error)
				co_return failure{got.error};
			int sum = 0;
			for (auto &t : tasks) {
				auto one = t.take();
				if (!one)
					co_return one;
				sum += one.value;
			}
			co_return sum;
		};
		auto h = spawn(loop, body(e));
		settle();
		e.set();
		settle();
		auto got = h.take();
		if (got.error)
			EXPECT_EQ(got.error, err::no_memory);
		else
			EXPECT_EQ(got.value, 4);
		h = {};
		settle();
		EXPECT_EQ(counted::alive, 0);
	});
}

// The coro that starts members is used for one after the other; one that was stopped is not.
TEST_P(when_test, members_that_stop_themselves)
{
	auto member = [](int n) -> task<int> {
		counted c;
		coro &me = co_await self();

		EXPECT_EQ(me.stopping(), 0) << n;
		EXPECT_EQ(me.status(), status::running) << n;
		if (n % 2)
			me.cancel();
		co_return n;
	};
	auto body = [&]() -> task<int> {
		std::vector<task<int>> members;
		int sum = 0;

		for (int i = 0; i < 7; i++)
			members.push_back(member(i));
		auto got = co_await when_all(members);
		EXPECT_EQ(got.count, 7U);
		for (auto &t : members)
			sum += t.take().value;
		auto a = member(1), b = member(2);
		got = co_await when_all(a, b);
		EXPECT_EQ(got.count, 2U);
		co_return sum + a.take().value + b.take().value;
	};
	auto h = spawn(loop, body());

	settle();
	EXPECT_EQ(h.status(), status::done);
	EXPECT_EQ(h.take().value, 24);
}

TEST_P(when_test, timeouts)
{
	event never, set;
	auto body = [](event &n, event &s) -> task<int> {
		auto late = waits(n, 1);
		auto got = co_await timeout(late, 1_ms);
		EXPECT_EQ(got.error, err::timed_out);
		auto in_time = waits(s, 2);
		got = co_await timeout(in_time, 3600_s);
		EXPECT_EQ(got.value, 2);
		auto w = n.wait();
		EXPECT_EQ((co_await timeout(w, 1_ms)).error, err::timed_out);
		auto at_once = leaf(3);
		got = co_await timeout(at_once, 0_ns);
		EXPECT_EQ(got.value, 3);
		// What a late task still gives is not lost.
		auto stubborn = [](event &e) -> task<int> {
			EXPECT_EQ((co_await e.wait()).error, err::timed_out);
			co_return 9;
		};
		auto nine = stubborn(n);
		got = co_await timeout(nine, 1_ms);
		co_return got.value;
	};
	set.set();
	EXPECT_EQ(user::sync_wait(loop, body(never, set)).value, 9);
}

TEST_P(when_test, then_of_values_tasks_and_data)
{
	auto twice = then(leaf(4), [](result<int> n) { return n.value * 2; });
	EXPECT_EQ(twice.run().value, 8);
	auto next = then(leaf(4), [](result<int> n) { return leaf(n.value + 1); });
	EXPECT_EQ(next.run().value, 5);
	auto data = then(leaf(4), std::string("abc"), [](std::string &s, result<int> n) {
		return n.value + static_cast<int>(s.size());
	});
	EXPECT_EQ(data.run().value, 7);
	int seen = 0;
	auto nothing = then(then(leaf(1), [](result<int>) {}),
			    [&](result<void> r) { seen = r.error + 1; });
	EXPECT_EQ(nothing.run().error, 0);
	EXPECT_EQ(seen, 1);
}

#if KCORO_EXCEPTIONS
TEST_P(when_test, what_members_threw)
{
	auto body = [](event &ev) -> task<int> {
		auto thrower = [](event &e, int n) -> task<int> {
			(void)co_await e.wait();
			throw n;
			co_return 0;
		};
		auto a = thrower(ev, 4), b = thrower(ev, 4);
		auto got = co_await when_all(a, b);
		int caught = 0, lost = 0;

		EXPECT_EQ(got.count, 2U);
		for (auto *t : {&a, &b})
			try {
				lost += t->take().error == err::threw;
			} catch (int n) {
				caught += n;
			}
		co_return caught * 10 + lost;
	};
	event e;
	auto h = spawn(loop, body(e));
	settle();
	e.set();
	settle();
	EXPECT_EQ(h.take().value, 41);
}
#endif

} // namespace
