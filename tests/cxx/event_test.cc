// SPDX-License-Identifier: GPL-2.0-only
// event_test.cc - event, completion, channel: their rules on one thread.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop.hpp"

#include <kcoro/channel.hpp>
#include <kcoro/completion.hpp>
#include <kcoro/event.hpp>
#include <kcoro/slot.hpp>

namespace {

using namespace kcoro;

class event_test : public on_loop {};
ON_BOTH_LOOPS(event_test);

template <typename E> task<int> count_waits(E &e, int &n, int times)
{
	for (int i = 0; i < times; i++) {
		auto got = co_await e.wait();

		if (!got)
			co_return failure{got.error};
		n++;
	}
	co_return n;
}

TEST_P(event_test, latched_lets_all_go)
{
	event e;
	int n = 0;
	auto a = spawn(loop, count_waits(e, n, 2)), b = spawn(loop, count_waits(e, n, 1));

	settle();
	EXPECT_EQ(n, 0);
	e.set();
	settle();
	EXPECT_EQ(n, 3);
	EXPECT_TRUE(e.is_set());
	EXPECT_TRUE(e.reset());
	EXPECT_FALSE(e.reset());
}

TEST_P(event_test, pulse_lets_one_go)
{
	basic_event<threads::one> e(true);
	int n = 0;
	auto a = spawn(loop, count_waits(e, n, 2)), b = spawn(loop, count_waits(e, n, 2));

	settle();
	e.set();
	settle();
	EXPECT_EQ(n, 1);
	for (int i = 2; i <= 4; i++) {
		e.set();
		settle();
		EXPECT_EQ(n, i);
	}
	// One is remembered, not two.
	e.set();
	e.set();
	auto c = spawn(loop, count_waits(e, n, 2));
	settle();
	EXPECT_EQ(n, 5);
	// A pulse is not lost by a stop that comes first.
	c.cancel();
	settle();
	e.set();
	EXPECT_TRUE(e.is_set());
}

template <typename C> task<int> value_of(C &c)
{
	auto got = co_await c.wait();

	co_return got;
}

TEST_P(event_test, completion_before_and_after)
{
	completion<int> c;

	EXPECT_TRUE(c.set_value(1));
	EXPECT_FALSE(c.set_value(2));
	EXPECT_TRUE(c.is_ready());
	auto h = spawn(loop, value_of(c));
	settle();
	EXPECT_EQ(h.take().value, 1);
	EXPECT_FALSE(c.is_ready());
	h = spawn(loop, value_of(c));
	settle();
	EXPECT_TRUE(c.is_pending());
	auto second = spawn(loop, value_of(c));
	settle();
	EXPECT_EQ(second.take().error, err::busy);
	c.fail(err::closed);
	settle();
	EXPECT_EQ(h.take().error, err::closed);
}

TEST_P(event_test, completion_that_goes_ends_the_wait)
{
	std::optional<completion<int>> c;

	c.emplace();
	auto h = spawn(loop, value_of(*c));
	settle();
	c.reset();
	settle();
	EXPECT_EQ(h.take().error, err::interrupted);
	c.emplace();
	h = spawn(loop, value_of(*c));
	settle();
	c->reset();
	settle();
	EXPECT_EQ(h.take().error, err::interrupted);
}

TEST_P(event_test, killing_a_waiter_leaves_the_completion)
{
	completion<std::string> c;
	auto body = [](completion<std::string> &of) -> task<std::string> {
		auto got = co_await of.wait();
		co_return got;
	};
	auto h = spawn(loop, body(c));

	settle();
	h.kill();
	settle();
	EXPECT_FALSE(c.is_pending());
	EXPECT_TRUE(c.set_value("later"));
	h = spawn(loop, body(c));
	settle();
	EXPECT_EQ(h.take().value, "later");
}

TEST_P(event_test, callbacks_of_each_weight)
{
	struct seen {
		int suspends = 0, resumes = 0;
	} s;
	static_assert(sizeof(completion<int, no_callback, threads::one>) <
		      sizeof(completion<int, fn_callback, threads::one>));
	fn_callback fn = {[](void *data, phase p) noexcept {
				  auto *to = static_cast<seen *>(data);
				  (p == phase::suspend ? to->suspends : to->resumes)++;
			  },
			  &s};
	completion<int, fn_callback> c(fn);
	auto h = spawn(loop, value_of(c));

	settle();
	EXPECT_EQ(s.suspends, 1);
	EXPECT_EQ(s.resumes, 0);
	c.set_value(1);
	settle();
	EXPECT_EQ(s.resumes, 1);

	// A callable that sets the value while the await is under way.
	struct sets {
		completion<int, sets> **at;
		void operator()(phase p) const
		{
			if (p == phase::suspend)
				(*at)->set_value(7);
		}
	};
	completion<int, sets> *at;
	completion<int, sets> inside(sets{&at});
	at = &inside;
	auto again = spawn(loop, value_of(inside));
	settle();
	EXPECT_EQ(again.take().value, 7);
}

template <typename Ch> task<int> send_all(Ch &ch, int n)
{
	for (int i = 0; i < n; i++) {
		auto got = co_await ch.send(i);

		if (!got)
			co_return failure{got.error};
	}
	co_return n;
}

template <typename Ch> task<int> receive_all(Ch &ch, std::vector<int> &into)
{
	for (;;) {
		auto got = co_await ch.receive();

		if (!got)
			co_return got.error;
		into.push_back(got.value);
	}
}

template <typename Ch> void in_order(user::run_loop &loop)
{
	Ch ch;
	std::vector<int> got;
	auto s = spawn(loop, send_all(ch, 50));
	auto r = spawn(loop, receive_all(ch, got));

	loop.run_until_idle();
	EXPECT_TRUE(s.done());
	ASSERT_EQ(got.size(), 50U);
	for (int i = 0; i < 50; i++)
		EXPECT_EQ(got[i], i);
	EXPECT_FALSE(r.done());
	ch.close();
	loop.run_until_idle();
	EXPECT_EQ(r.take().value, err::closed);
	auto late = spawn(loop, send_all(ch, 1));
	loop.run_until_idle();
	EXPECT_EQ(late.take().error, err::closed);
}

TEST_P(event_test, channel_keeps_the_order)
{
	in_order<channel<int, 0>>(loop);
	in_order<channel<int, 1>>(loop);
	in_order<channel<int, 7>>(loop);
	in_order<channel<int, 0, threads::one>>(loop);
	in_order<channel<int, 64, threads::one>>(loop);
}

TEST_P(event_test, channel_from_plain_code)
{
	channel<counted, 2> ch;
	counted a(1), b(2), c(3);

	EXPECT_EQ(ch.try_receive().error, err::again);
	EXPECT_EQ(ch.try_send(a), 0);
	EXPECT_EQ(ch.try_send(b), 0);
	EXPECT_EQ(ch.try_send(c), err::again);
	EXPECT_EQ(c.value, 3);
	EXPECT_EQ(ch.size(), 2U);
	EXPECT_EQ(ch.try_receive().value.value, 1);
	EXPECT_EQ(ch.try_send(c), 0);
	ch.close();
	EXPECT_EQ(ch.try_receive().value.value, 2);
	// What is left goes with the channel.
}

TEST_P(event_test, channel_stopped)
{
	channel<int, 1> ch;
	std::vector<int> got;
	auto s = spawn(loop, send_all(ch, 2));

	settle();
	s.cancel();
	settle();
	EXPECT_EQ(s.status(), status::cancelled);
	EXPECT_EQ(ch.size(), 1U);
	auto r = spawn(loop, receive_all(ch, got));
	settle();
	r.kill();
	settle();
	EXPECT_EQ(got.size(), 1U);
	int v = 5;
	EXPECT_EQ(ch.try_send(v), 0);
	EXPECT_EQ(ch.size(), 1U);
}

TEST_P(event_test, move_only_values)
{
	channel<std::unique_ptr<int>, 1> ch;
	auto s = [](channel<std::unique_ptr<int>, 1> &c) -> task<void> {
		for (int i = 0; i < 3; i++)
			(void)co_await c.send(std::make_unique<int>(i));
	};
	auto r = [](channel<std::unique_ptr<int>, 1> &c) -> task<int> {
		int sum = 0;

		for (int i = 0; i < 3; i++) {
			auto got = co_await c.receive();
			sum += *got.value;
		}
		co_return sum;
	};
	auto a = spawn(loop, s(ch));
	auto b = spawn(loop, r(ch));
	settle();
	EXPECT_EQ(b.take().value, 3);
}

TEST_P(event_test, slot_gives_to_all)
{
	slot<int> s;
	auto a = spawn(loop, value_of(s)), b = spawn(loop, value_of(s));

	settle();
	EXPECT_TRUE(s.is_pending());
	EXPECT_FALSE(s.is_ready());
	s.set(3);
	settle();
	EXPECT_EQ(a.take().value, 3);
	EXPECT_EQ(b.take().value, 3);
	EXPECT_TRUE(s.is_ready());
	EXPECT_EQ(s.get().value, 3);
	// Who sends waits until it is reset.
	auto puts = [](slot<int> &to) -> task<int> {
		auto got = co_await to.put(4);
		co_return got.error;
	};
	auto p = spawn(loop, puts(s));
	settle();
	EXPECT_FALSE(p.done());
	s.reset();
	settle();
	EXPECT_TRUE(p.done());
	EXPECT_EQ(s.get().value, 4);
	s.reset();
	EXPECT_EQ(s.get().error, err::again);
	auto c = spawn(loop, value_of(s));
	settle();
	c.cancel();
	settle();
	EXPECT_EQ(c.take().error, err::cancelled);
	auto d = spawn(loop, value_of(s));
	settle();
	s.resume_all(err::closed);
	settle();
	EXPECT_EQ(d.take().error, err::closed);
}

} // namespace
