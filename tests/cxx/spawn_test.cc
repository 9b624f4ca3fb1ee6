// SPDX-License-Identifier: GPL-2.0-only
// spawn_test.cc - spawned tasks: handles, data, stops at each place, scopes.

#include <string>
#include <utility>
#include <vector>

#include "loop.hpp"

#include <kcoro/event.hpp>
#include <kcoro/scope.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/stop.hpp>
#include <kcoro/user/sync_wait.hpp>

namespace {

using namespace kcoro;

class spawn_test : public on_loop {};
ON_BOTH_LOOPS(spawn_test);

task<int> wait_for(event &e, int value)
{
	counted c;
	auto got = co_await e.wait();

	co_return got ? result<int>(value) : result<int>(failure{got.error});
}

task<int> deeper(event &e, int depth)
{
	counted c;

	if (!depth)
		co_return co_await wait_for(e, 1);
	co_return co_await deeper(e, depth - 1);
}

TEST_P(spawn_test, runs_and_is_joined)
{
	event e;
	auto h = spawn(loop, wait_for(e, 5));
	auto joins = [](join_handle<int> of) -> task<int> { co_return co_await of; };
	auto j = spawn(loop, joins(h));

	EXPECT_EQ(h.status(), status::ready);
	settle();
	EXPECT_EQ(h.status(), status::suspended);
	EXPECT_FALSE(h.done());
	EXPECT_EQ(h.take().error, err::in_progress);
	e.set();
	settle();
	EXPECT_EQ(h.status(), status::done);
	EXPECT_EQ(h.take().value, 5);
	EXPECT_EQ(j.take().value, 5);
}

TEST_P(spawn_test, cancel_reaches_a_deep_leaf)
{
	event never;
	auto h = spawn(loop, deeper(never, 20));

	settle();
	EXPECT_EQ(counted::alive, 22);
	h.cancel();
	settle();
	EXPECT_EQ(h.status(), status::cancelled);
	EXPECT_EQ(h.take().error, err::cancelled);
	EXPECT_EQ(counted::alive, 0);
	h.cancel();
	settle();
}

TEST_P(spawn_test, kill_unwinds)
{
	event never;
	auto h = spawn(loop, deeper(never, 20));

	settle();
	h.kill();
	settle();
	EXPECT_EQ(h.status(), status::killed);
	EXPECT_EQ(h.take().error, err::interrupted);
	EXPECT_EQ(counted::alive, 0);
	// The event lives on, without a waiter.
	never.set();
}

TEST_P(spawn_test, time_out_is_a_status)
{
	event never;
	auto h = spawn(loop, deeper(never, 2));

	settle();
	h.time_out();
	settle();
	EXPECT_EQ(h.status(), status::timed_out);
	EXPECT_EQ(status_errno(h.status()), err::timed_out);
}

TEST_P(spawn_test, stopped_before_it_ran)
{
	event never;
	auto h = spawn(loop, wait_for(never, 1));

	h.cancel();
	settle();
	EXPECT_EQ(h.status(), status::cancelled);
	EXPECT_EQ(h.take().error, err::cancelled);
}

// However long the chain is, and the innermost one first: it may refer to what outer ones have.
task<int> chain_link(int depth, event &e, std::vector<int> &order)
{
	struct note {
		std::vector<int> &order;
		int depth;
		~note() { order.push_back(depth); }
	} here{order, depth};

	if (!depth) {
		auto waited = co_await e.wait();
		co_return waited ? 0 : 1;
	}
	auto below = co_await chain_link(depth - 1, e, order);
	co_return below ? below.value + 1 : below.error;
}

TEST_P(spawn_test, kill_of_a_long_chain)
{
	event never;
	std::vector<int> order;
	auto h = spawn(loop, chain_link(many_frames, never, order));

	settle();
	h.kill();
	settle();
	EXPECT_EQ(h.status(), status::killed);
	ASSERT_EQ(order.size(), many_frames + 1u);
	for (int i = 0; i <= many_frames; i++)
		ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
}

// Told once; then accepted and waits more, or killed.
TEST_P(spawn_test, waits_again_after_a_cancel)
{
	event never, bye;
	auto body = [](event &first, event &second, bool accepts, int &told) -> task<int> {
		counted c;
		auto got = co_await first.wait();

		told = got.error;
		EXPECT_EQ(co_await stopping(), err::cancelled);
		if (accepts) {
			co_await accept_stop();
			EXPECT_EQ(co_await stopping(), 0);
		}
		(void)co_await second.wait();
		co_return 7;
	};
	int told = 0;
	auto rude = spawn(loop, body(never, bye, false, told));

	settle();
	rude.cancel();
	settle();
	EXPECT_EQ(told, err::cancelled);
	EXPECT_EQ(rude.status(), status::killed);

	told = 0;
	auto polite = spawn(loop, body(never, bye, true, told));
	settle();
	polite.cancel();
	settle();
	EXPECT_EQ(told, err::cancelled);
	EXPECT_EQ(polite.status(), status::suspended);
	bye.set();
	settle();
	EXPECT_EQ(polite.status(), status::done);
	EXPECT_EQ(polite.take().value, 7);
}

// A body with many waits is stopped in each of them; nothing is left, objects go once.
TEST_P(spawn_test, stop_at_each_suspension_point)
{
	constexpr int points = 20;
	auto body = [](std::vector<event> &es) -> task<int> {
		counted outer;
		int n = 0;

		for (auto &e : es) {
			counted inner;
			auto got = co_await deeper(e, 1);

			if (!got)
				co_return failure{got.error};
			n++;
		}
		co_return n;
	};
	for (int how = 0; how < 3; how++)
		for (int at = 0; at < points; at++) {
			std::vector<event> es(points);
			auto h = spawn(loop, body(es));

			settle();
			for (int i = 0; i < at; i++) {
				es[i].set();
				settle();
			}
			if (how == 0)
				h.cancel();
			else if (how == 1)
				h.kill();
			else
				h.time_out();
			settle();
			EXPECT_TRUE(h.done());
			EXPECT_EQ(h.take().error, how == 0   ? err::cancelled
						  : how == 1 ? err::interrupted
							     : err::timed_out);
			EXPECT_EQ(counted::alive, 0);
		}
}

TEST_P(spawn_test, last_handle_kills)
{
	event never;

	{
		auto h = spawn(loop, deeper(never, 3));
		auto second = h;

		settle();
		EXPECT_EQ(counted::alive, 5);
		h = {};
		settle();
		EXPECT_EQ(counted::alive, 5);
	}
	settle();
	EXPECT_EQ(counted::alive, 0);
}

// Its move into the frame drops the last handle of the coroutine that returns it.
struct dropper {
	explicit dropper(join_handle<dropper> *h) noexcept : own(h) {}
	dropper(dropper &&other) noexcept : own(std::exchange(other.own, nullptr))
	{
		if (own)
			*own = {};
	}
	dropper &operator=(dropper &&) = default;

	counted c;
	join_handle<dropper> *own;
};

// Nothing may be destroyed under a body that is at its return.
TEST_P(spawn_test, last_handle_goes_in_the_return_value)
{
	event e;
	auto body = [](event &start, join_handle<dropper> &own) -> task<dropper> {
		counted c;
		(void)co_await start.wait();
		co_return dropper(&own);
	};
	join_handle<dropper> h;

	h = spawn(loop, body(e, h));
	settle();
	EXPECT_EQ(counted::alive, 1);
	e.set();
	settle();
	EXPECT_FALSE(h);
	EXPECT_EQ(counted::alive, 0);
}

TEST_P(spawn_test, detached_goes_on)
{
	event e;

	spawn(loop, deeper(e, 3)).detach();
	settle();
	EXPECT_EQ(counted::alive, 5);
	e.set();
	settle();
	EXPECT_EQ(counted::alive, 0);
}

TEST_P(spawn_test, weak_handle)
{
	event e;
	auto h = spawn(loop, wait_for(e, 1));
	weak_handle<int> weak(h);

	EXPECT_TRUE(weak.lock());
	e.set();
	settle();
	EXPECT_EQ(weak.lock().take().value, 1);
	h = {};
	EXPECT_FALSE(weak.lock());
}

TEST_P(spawn_test, private_data)
{
	event e;
	auto h = spawn(loop, wait_for(e, 1), std::string("mine"));

	EXPECT_EQ(*h.data<std::string>(), "mine");
	e.set();
	settle();
	EXPECT_EQ(*h.data<std::string>(), "mine");
}

// Moved if one handle is there, copied if many.
TEST_P(spawn_test, result_is_moved_or_copied)
{
	event e;
	auto body = [](event &ev) -> task<counted> {
		(void)co_await ev.wait();
		co_return counted(9);
	};
	auto joins = [](join_handle<counted> of) -> task<int> {
		auto got = co_await of;
		co_return got.value.value;
	};
	{
		auto h = spawn(loop, body(e));
		auto one = spawn(loop, joins(h)), two = spawn(loop, joins(h));

		settle();
		e.set();
		settle();
		EXPECT_EQ(one.take().value, 9);
		EXPECT_EQ(two.take().value, 9);
		EXPECT_EQ(counted::copies, 2);
		counted::copies = 0;
		EXPECT_EQ(h.take().value.value, 9);
	}
	settle();
	counted::copies = 0;
	auto alone = spawn(loop, joins(spawn(loop, body(e))));
	settle();
	EXPECT_EQ(alone.take().value, 9);
	EXPECT_EQ(counted::copies, 0);
}

// Who joins and has the last handle passes a stop on; others stop waiting.
TEST_P(spawn_test, stop_passes_through_a_join)
{
	event never;
	auto joins = [](join_handle<int> of) -> task<int> {
		counted c;
		auto got = co_await of;
		co_return got;
	};
	auto outer = spawn(loop, joins(spawn(loop, deeper(never, 2))));

	settle();
	outer.cancel();
	settle();
	EXPECT_EQ(outer.status(), status::cancelled);
	EXPECT_EQ(counted::alive, 0);

	auto inner = spawn(loop, deeper(never, 2));
	auto one = spawn(loop, joins(inner));
	settle();
	one.kill();
	settle();
	EXPECT_EQ(one.status(), status::killed);
	EXPECT_EQ(inner.status(), status::suspended);
	inner.kill();
	settle();
}

TEST_P(spawn_test, scope_owns)
{
	event never;
	scope s(loop);
	auto waits = [](scope &of) -> task<int> {
		counted c;
		auto got = co_await of.empty();
		co_return got.error;
	};

	for (int i = 0; i < 3; i++)
		s.spawn(deeper(never, i)).detach();
	settle();
	EXPECT_EQ(s.live(), 3U);
	auto w = spawn(loop, waits(s));
	settle();
	EXPECT_FALSE(w.done());
	s.cancel();
	settle();
	EXPECT_EQ(s.live(), 0U);
	EXPECT_EQ(w.take().value, 0);

	// A stop of who waits is passed on.
	s.spawn(deeper(never, 1)).detach();
	w = spawn(loop, waits(s));
	settle();
	w.kill();
	settle();
	EXPECT_EQ(s.live(), 0U);
	EXPECT_EQ(w.status(), status::killed);

	s.close();
	auto late = s.spawn(deeper(never, 1));
	settle();
	EXPECT_EQ(late.status(), status::killed);
}

TEST_P(spawn_test, scope_has_a_deadline)
{
	event never;
	{
		scope s(loop);
		auto in = s.spawn(deeper(never, 2));

		// The second one counts; one that goes with its scope, too.
		EXPECT_EQ(s.set_deadline(duration{0}), 0);
		EXPECT_EQ(s.set_deadline(3600_s), 0);
		settle();
		EXPECT_FALSE(in.done());
		EXPECT_EQ(s.set_deadline(2_ms), 0);
		loop.run_until([&] { return in.done(); });
		EXPECT_EQ(in.status(), status::timed_out);
		EXPECT_EQ(in.take().error, err::timed_out);
		auto late = s.spawn(deeper(never, 1));
		settle();
		EXPECT_EQ(late.status(), status::killed);
	}
	{
		scope s(loop);

		EXPECT_EQ(s.set_deadline(1_ms), 0);
		s.clear_deadline();
		auto in = s.spawn([](event &e) -> task<int> {
			auto slept = co_await sleep_for(3_ms);
			e.set();
			co_return slept.error;
		}(never));
		loop.run_until([&] { return in.done(); });
		EXPECT_EQ(in.take().error, 0);
		EXPECT_EQ(s.set_deadline(3600_s), 0);
	}
	// No memory for it: there is none, and it can be had later.
	frames::refuse_each([&] {
		scope s(loop);

		if (s.set_deadline(3600_s)) {
			EXPECT_EQ(s.set_deadline(3600_s), 0);
		}
	});
}

TEST_P(spawn_test, refused_memory)
{
	frames::refuse_each([&] {
		event e;
		auto h = spawn(loop, deeper(e, 3));

		settle();
		e.set();
		settle();
		auto got = h.take();
		if (got.error)
			EXPECT_EQ(got.error, err::no_memory);
		else
			EXPECT_EQ(got.value, 1);
		h = {};
		settle();
	});
}

TEST_P(spawn_test, a_late_stop_finds_it_finished)
{
	// The stop is queued while the coroutine runs to its end.
	auto body = [](join_handle<void> &own) -> task<void> {
		own.kill();
		co_return;
	};
	join_handle<void> h;
	h = spawn(loop, body(h));
	settle();
	EXPECT_TRUE(h.done());
	EXPECT_EQ(h.status(), status::killed);
}

TEST_P(spawn_test, sleeps_and_sync_wait)
{
	auto body = [](int n) -> task<int> {
		auto before = platform::now();

		for (int i = 0; i < n; i++)
			(void)co_await sleep_for(1_ms);
		co_return platform::now() - before >= static_cast<unsigned>(n) * 1000000;
	};
	EXPECT_EQ(user::sync_wait(loop, body(3)).value, 1);
	EXPECT_EQ(user::sync_wait(body(0)).value, 1);
	// A sleep is cut short.
	auto sleeper = []() -> task<int> { co_return (co_await sleep_for(3600_s)).error; };
	auto h = spawn(loop, sleeper());
	settle();
	h.cancel();
	settle();
	EXPECT_EQ(h.take().value, err::cancelled);
}

TEST_P(spawn_test, signal_wakes_in_the_place)
{
	light_event s;
	auto body = [](light_event &sig, int &n) -> task<int> {
		counted c;

		for (;; n++)
			co_await sig;
	};
	int n = 0;
	auto h = spawn(loop, body(s, n));

	settle();
	for (int i = 0; i < 100; i++)
		s.wake();
	EXPECT_EQ(n, 100);
	// It can't be told of a cancel there.
	h.cancel();
	settle();
	EXPECT_EQ(h.status(), status::killed);
	h = spawn(loop, body(s, n));
	settle();
	s.wake();
	h.kill();
	settle();
	EXPECT_EQ(h.status(), status::killed);
}

#if KCORO_EXCEPTIONS
TEST_P(spawn_test, exception_is_rethrown_from_join)
{
	auto thrower = []() -> task<int> {
		counted c;
		throw std::string("thrown");
		co_return 0;
	};
	auto joins = [](join_handle<int> of) -> task<int> {
		try {
			auto got = co_await of;
			co_return got.value;
		} catch (const std::string &s) {
			co_return static_cast<int>(s.size());
		}
	};
	EXPECT_EQ(user::sync_wait(loop, joins(spawn(loop, thrower()))).value, 6);
	EXPECT_THROW((void)user::sync_wait(loop, thrower()), std::string);
}
#endif

} // namespace
