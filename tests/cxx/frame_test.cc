// SPDX-License-Identifier: GPL-2.0-only
// frame_test.cc - where frames come from: pools and allocators as parameters, policies, sizes.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "support.hpp"

#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>
#include <kcoro/user/run_loop.hpp>

namespace {

using kcoro::frame_source;
using kcoro::task;
namespace err = kcoro::err;

// A pool that counts, and knows each size.
struct counting : frame_source {
	counting() : frame_source{take, give} {}

	static void *take(frame_source &s, std::size_t size) noexcept
	{
		auto &self = static_cast<counting &>(s);

		if (self.full)
			return nullptr;
		self.live++;
		self.total++;
		self.bytes += size;
		self.last = size;
		return std::aligned_alloc(64, (size + 63) & ~std::size_t{63});
	}
	static void give(frame_source &s, void *frame, std::size_t size) noexcept
	{
		auto &self = static_cast<counting &>(s);

		self.live--;
		self.bytes -= size;
		std::free(frame);
	}

	bool full = false;
	int live = 0;
	int total = 0;
	std::size_t bytes = 0;
	std::size_t last = 0;
};

struct counters {
	int live = 0;
	int refs = 0;
};

// A standard allocator with state, by value.
template <typename T> struct by_value {
	using value_type = T;

	counters *c;

	explicit by_value(counters &counts) : c(&counts) { c->refs++; }
	template <typename U> explicit by_value(const by_value<U> &other) : c(other.c)
	{
		c->refs++;
	}
	by_value(const by_value &other) : c(other.c) { c->refs++; }
	~by_value() { c->refs--; }
	T *allocate(std::size_t n)
	{
#if KCORO_EXCEPTIONS
		if (c->live < 0)
			throw std::string("no");
#endif
		c->live++;
		return static_cast<T *>(std::aligned_alloc(alignof(T), n * sizeof(T)));
	}
	void deallocate(T *p, std::size_t) noexcept
	{
		c->live--;
		std::free(p);
	}
};

// One without state: no byte is added to a frame.
template <typename T> struct stateless {
	using value_type = T;

	static inline int live = 0;
	static inline std::size_t bytes = 0;

	stateless() = default;
	template <typename U> explicit stateless(const stateless<U> &) {}
	T *allocate(std::size_t n)
	{
		live++;
		bytes = n * sizeof(T);
		return static_cast<T *>(std::aligned_alloc(alignof(T), n * sizeof(T)));
	}
	void deallocate(T *p, std::size_t) noexcept
	{
		live--;
		std::free(p);
	}
};

class frame_test : public nothing_left {};

task<int> plain(int n)
{
	co_return n;
}

task<int> pooled(frame_source &, int n)
{
	co_return n;
}

task<int> with_default(int n = 1, int m = 2)
{
	co_return n + m;
}

struct object {
	int value = 3;

	task<int> method(counting &, int n) { co_return value + n; }
	task<int> by_tag(kcoro::allocator_arg_t, by_value<int>, int n) { co_return value + n; }
};

TEST_F(frame_test, first_parameter)
{
	counting pool;

	frames::taken = 0;
	EXPECT_EQ(pooled(pool, 1).run().value, 1);
	EXPECT_EQ(pool.total, 1);
	EXPECT_EQ(pool.live, 0);
	EXPECT_EQ(pool.bytes, 0U);
	EXPECT_EQ(frames::taken, 0);
}

TEST_F(frame_test, behind_the_object)
{
	counting pool;
	object o;

	EXPECT_EQ(o.method(pool, 1).run().value, 4);
	EXPECT_EQ(pool.total, 1);
	EXPECT_EQ(pool.live, 0);
}

TEST_F(frame_test, lambda_with_a_pool)
{
	counting pool;
	auto body = [](counting &, int n) -> task<int> { co_return n; };

	EXPECT_EQ(body(pool, 2).run().value, 2);
	EXPECT_EQ(pool.total, 1);
}

TEST_F(frame_test, a_pool_for_each_coroutine)
{
	counting a, b;
	auto outer = [](counting &, counting &second) -> task<int> {
		auto child = pooled(second, 5);
		co_return (co_await child).value;
	};

	EXPECT_EQ(outer(a, b).run().value, 5);
	EXPECT_EQ(a.total, 1);
	EXPECT_EQ(b.total, 1);
}

TEST_F(frame_test, full_pool_is_enomem)
{
	counting pool;

	pool.full = true;
	auto t = pooled(pool, 1);
	EXPECT_FALSE(t);
	auto body = [](task<int> inner) -> task<int> { co_return (co_await inner).error; };
	EXPECT_EQ(body(std::move(t)).run().value, err::no_memory);
}

TEST_F(frame_test, allocator_by_value)
{
	counters c;
	{
		auto body = [](kcoro::allocator_arg_t, by_value<char>, int n) -> task<int> {
			co_return n;
		};
		auto t = body(kcoro::allocator_arg, by_value<char>(c), 4);

		EXPECT_EQ(c.live, 1);
		EXPECT_EQ(t.run().value, 4);
	}
	EXPECT_EQ(c.live, 0);
	EXPECT_EQ(c.refs, 0);
	object o;
	EXPECT_EQ(o.by_tag(kcoro::allocator_arg, by_value<int>(c), 1).run().value, 4);
	EXPECT_EQ(c.live, 0);
	EXPECT_EQ(c.refs, 0);
}

#if KCORO_EXCEPTIONS
TEST_F(frame_test, allocator_that_throws_is_enomem)
{
	counters c{-1, 0};
	auto body = [](kcoro::allocator_arg_t, by_value<char>) -> task<int> { co_return 0; };

	EXPECT_EQ(body(kcoro::allocator_arg, by_value<char>(c)).run().error, err::no_memory);
	EXPECT_EQ(c.refs, 0);
}
#endif

// What must be known to free a frame is accounted for: a pointer, or nothing.
TEST_F(frame_test, bytes_of_the_trailing_pointer)
{
	counting pool;
	auto body = [](counting &, int n) -> task<int> { co_return n; };
	auto same = [](int &, int n) -> task<int> { co_return n; };
	auto empty = [](kcoro::allocator_arg_t, stateless<char>) -> task<int> { co_return 1; };
	int other = 0;

	EXPECT_EQ(body(pool, 1).run().value, 1);
	EXPECT_EQ(same(other, 1).run().value, 1);
	EXPECT_EQ(pool.last, frames::last_size + sizeof(void *));
	EXPECT_EQ(empty(kcoro::allocator_arg, {}).run().value, 1);
	EXPECT_EQ(stateless<char>::live, 0);
}

TEST_F(frame_test, default_arguments_stay)
{
	EXPECT_EQ(with_default().run().value, 3);
	EXPECT_EQ(with_default(5).run().value, 7);
}

struct own_policy {
	static inline int live = 0;
	static void *alloc(std::size_t size) noexcept
	{
		live++;
		return std::aligned_alloc(64, (size + 63) & ~std::size_t{63});
	}
	static void free(void *frame, std::size_t) noexcept
	{
		live--;
		std::free(frame);
	}
};

TEST_F(frame_test, policy_of_the_task)
{
	auto body = [](int n) -> task<int, own_policy> {
		// Tasks with different frames await each other.
		co_return (co_await plain(n)).value + own_policy::live;
	};

	EXPECT_EQ(body(1).run().value, 2);
	EXPECT_EQ(own_policy::live, 0);
}

// An own promise with frames from a policy.
struct own_coroutine {
	struct promise_type : kcoro::frame_allocation<own_policy> {
		own_coroutine get_return_object() noexcept { return {}; }
		static own_coroutine get_return_object_on_allocation_failure() noexcept
		{
			return {};
		}
		std::suspend_never initial_suspend() noexcept { return {}; }
		std::suspend_never final_suspend() noexcept { return {}; }
		void return_void() noexcept {}
		void unhandled_exception() noexcept {}
	};
};

TEST_F(frame_test, base_of_an_own_promise)
{
	int live = 0;
	auto body = [](int &seen) -> own_coroutine {
		seen = own_policy::live;
		co_return;
	};

	body(live);
#ifdef __clang__
	// It may leave out the frame.
	EXPECT_LE(live, 1);
#else
	EXPECT_EQ(live, 1);
#endif
	EXPECT_EQ(own_policy::live, 0);
}

// A 64-byte aligned local is aligned, because the frame is.
TEST_F(frame_test, alignment_of_locals)
{
	auto body = [](int n) -> task<std::uintptr_t> {
		struct alignas(64) line {
			char c[64];
		};
		line l{};

		l.c[0] = static_cast<char>((co_await plain(n)).value);
		co_return reinterpret_cast<std::uintptr_t>(&l) % 64;
	};
	EXPECT_EQ(body(1).run().value, 0U);
}

#ifndef __SANITIZE_ADDRESS__
TEST_F(frame_test, size_of_a_leaf)
{
	counting pool;

	// By a pool: the pointer to it is behind.
	EXPECT_EQ(pooled(pool, 1).run().value, 1);
	EXPECT_LE(pool.last, 64U + 8U + 8U);
}
#endif

// Parameters with the frame, then the spawner's data, then the block; before, only the body's
// frame is made before the block is.
TEST_F(frame_test, order_in_which_a_spawned_task_goes)
{
	struct note {
		explicit note(long *at) : live(at) {}
		note(note &&other) noexcept : live(std::exchange(other.live, nullptr)) {}
		note &operator=(note &&) = delete;
		~note()
		{
			if (live)
				*live = frames::live;
		}
		long *live;
	};
	auto body = [](note) -> task<int> { co_return 1; };
	kcoro::user::run_loop loop;
	long at_parameter = -1, at_data = -1;
	{
		auto h = kcoro::spawn(loop, body(note(&at_parameter)), note(&at_data));

		EXPECT_EQ(frames::live, 2);
		EXPECT_NE(h.id(), 0U);
		loop.run_until_idle();
		EXPECT_EQ(at_parameter, -1);
		EXPECT_EQ(h.take().value, 1);
	}
	EXPECT_EQ(at_parameter, 2);
	EXPECT_EQ(at_data, 1);
	EXPECT_EQ(frames::live, 0);
}

} // namespace
