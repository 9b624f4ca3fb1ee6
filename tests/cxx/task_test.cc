// SPDX-License-Identifier: GPL-2.0-only
// task_test.cc - task and result: values, errors, refused frames, chains without end.

#include <memory>
#include <string>

#include "support.hpp"

#include <kcoro/task.hpp>

namespace {

using kcoro::failure;
using kcoro::result;
using kcoro::task;
namespace err = kcoro::err;

class task_test : public nothing_left {};

task<int> leaf(int n)
{
	co_return n;
}

task<int> root(int n)
{
	auto got = co_await leaf(n);

	if (!got)
		co_return failure{got.error};
	co_return got.value + 1;
}

TEST_F(task_test, value)
{
	auto got = root(1).run();

	EXPECT_EQ(got.error, 0);
	EXPECT_EQ(got.value, 2);
}

TEST_F(task_test, never_awaited_never_runs)
{
	int runs = 0;
	auto body = [](int &count) -> task<void> {
		count++;
		co_return;
	};
	{
		auto t = body(runs);
		EXPECT_TRUE(t);
		EXPECT_FALSE(t.done());
	}
	EXPECT_EQ(runs, 0);
	EXPECT_EQ(body(runs).run().error, 0);
	EXPECT_EQ(runs, 1);
}

TEST_F(task_test, empty_is_invalid)
{
	task<int> none;

	EXPECT_FALSE(none);
	EXPECT_EQ(none.run().error, err::invalid);
	auto body = []() -> task<int> {
		task<int> t;
		co_return (co_await t).error;
	};
	EXPECT_EQ(body().run().value, err::invalid);
}

TEST_F(task_test, failure_goes_up)
{
	auto fails = []() -> task<int> { co_return failure{err::busy}; };
	auto outer = [](task<int> inner) -> task<std::string> {
		auto got = co_await inner;

		if (!got)
			co_return failure{got.error};
		co_return "no";
	};
	EXPECT_EQ(outer(fails()).run().error, err::busy);
}

// Each frame refused in turn: -ENOMEM comes up, and nothing is left.
TEST_F(task_test, refused_frames)
{
	int refusals = 0;
	struct local {
		static task<int> sum(int depth)
		{
			counted c(depth);

			if (!depth)
				co_return 0;
			auto below = co_await sum(depth - 1);
			if (!below)
				co_return below;
			auto here = co_await leaf(depth);
			if (!here)
				co_return here;
			co_return below.value + here.value;
		}
	};
	frames::refuse_each([&] {
		auto got = local::sum(10).run();

		if (got.error) {
			EXPECT_EQ(got.error, err::no_memory);
			refusals++;
		} else {
			EXPECT_EQ(got.value, 55);
		}
		EXPECT_EQ(counted::alive, 0);
	});
	EXPECT_EQ(refusals, 21);
}

TEST_F(task_test, values_that_are_not_plain)
{
	auto make = [](int n) -> task<counted> {
		if (n < 0)
			co_return failure{err::invalid};
		co_return counted(n);
	};
	auto use = [](task<counted> t) -> task<int> {
		auto got = co_await t;
		co_return got ? got.value.value : got.error;
	};
	EXPECT_EQ(use(make(5)).run().value, 5);
	EXPECT_EQ(use(make(-1)).run().value, err::invalid);
	EXPECT_EQ(counted::copies, 0);
	// A result that nobody takes is destroyed with its task.
	{
		auto t = make(3);
		auto got = t.run();
		EXPECT_EQ(got.value.value, 3);
	}
	auto move_only = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
	EXPECT_EQ(*move_only().run().value, 7);
	struct alignas(64) wide {
		char c[64];
	};
	auto aligned = []() -> task<wide> {
		wide w{};

		w.c[0] = static_cast<char>(reinterpret_cast<std::uintptr_t>(&w) % 64);
		co_return w;
	};
	EXPECT_EQ(aligned().run().value.c[0], 0);
}

TEST_F(task_test, result_copies_and_moves)
{
	{
		result<counted> a(counted(1)), b(failure{err::busy});
		result<counted> c(a);

		b = a;
		EXPECT_EQ(b.value.value, 1);
		a = result<counted>(failure{err::again});
		EXPECT_EQ(a.error, err::again);
		b = static_cast<result<counted> &&>(c);
		EXPECT_EQ(b.value.value, 1);
		a = b;
		EXPECT_EQ(counted::alive, 3);
	}
	EXPECT_EQ(kcoro::value_or_status(result<int>(failure{err::busy})), err::busy);
	EXPECT_EQ(kcoro::value_or_status(result<int>(4)), 4);
	EXPECT_EQ(kcoro::value_or_status(result<std::string>(failure{err::busy})), "");
	EXPECT_EQ(sizeof(result<int>), 8U);
}

// Ten million awaits that complete at once do not grow the stack, whatever the compiler does.
TEST_F(task_test, millions_of_inline_completions)
{
	auto many = [](int n) -> task<unsigned> {
		unsigned sum = 0;

		for (int i = 0; i < n; i++)
			sum += static_cast<unsigned>((co_await leaf(i)).value);
		co_return sum;
	};
	unsigned want = 0;
	for (unsigned i = 0; i < many_awaits; i++)
		want += i;
	EXPECT_EQ(many(many_awaits).run().value, want);
}

// Nor does a deep chain, on its way down and up.
TEST_F(task_test, deep_chain)
{
	struct local {
		static task<int> chain(int depth)
		{
			if (!depth)
				co_return 0;
			auto below = co_await chain(depth - 1);
			co_return below.value + 1;
		}
	};
	// Destroying is recursive where the caller destroys; here each child ends before.
	EXPECT_EQ(local::chain(many_frames / 5).run().value, many_frames / 5);
}

// A stop is told by a wait; who has none comes to its end.
TEST_F(task_test, stops_itself_and_waits_for_nothing)
{
	auto body = []() -> task<int> {
		kcoro::coro &me = co_await kcoro::self();

		me.cancel();
		EXPECT_EQ(me.stopping(), err::cancelled);
		co_return 6;
	};
	auto t = body();

	EXPECT_EQ(t.run().value, 6);
	EXPECT_TRUE(t.done());
}

TEST_F(task_test, one_that_has_ended_is_not_run_again)
{
	int runs = 0;
	auto body = [](int &count) -> task<int> { co_return ++count; };
	auto t = body(runs);
	auto again = [](task<int> &of) -> task<int> { co_return co_await of; };

	EXPECT_EQ(t.run().value, 1);
	EXPECT_EQ(t.run().value, 1);
	EXPECT_EQ(again(t).run().value, 1);
	EXPECT_EQ(t.take().value, 1);
	EXPECT_EQ(runs, 1);
}

TEST_F(task_test, self_is_the_whole_chain)
{
	struct local {
		static task<kcoro::coro *> inner() { co_return &co_await kcoro::self(); }
		static task<bool> outer()
		{
			kcoro::coro &me = co_await kcoro::self();
			auto below = co_await inner();
			co_return &me == below.value &&me.status() == kcoro::status::running;
		}
	};
	EXPECT_TRUE(local::outer().run().value);
}

#if KCORO_EXCEPTIONS
TEST_F(task_test, exceptions_pass_up_the_chain)
{
	struct local {
		static task<int> thrower(int n)
		{
			counted c;

			if (n > 0)
				throw std::string("thrown");
			co_return n;
		}
		static task<int> middle(int n)
		{
			counted c;
			auto got = co_await thrower(n);
			co_return got.value;
		}
		static task<int> catcher(int n)
		{
			std::string what;

			try {
				co_return (co_await middle(n)).value;
			} catch (const std::string &s) {
				what = s;
			}
			// Another one after that.
			try {
				(void)co_await middle(n);
			} catch (const std::string &) {
				co_return static_cast<int>(what.size());
			}
			co_return -1;
		}
	};
	EXPECT_EQ(local::catcher(0).run().value, 0);
	EXPECT_EQ(local::catcher(1).run().value, 6);
	EXPECT_THROW((void)local::middle(1).run(), std::string);
}
#endif

} // namespace
