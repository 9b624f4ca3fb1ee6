// SPDX-License-Identifier: GPL-2.0-only
// resource_test.cc - std::pmr and standard allocators as sources of frames; the current resource.

#include <memory_resource>
#include <new>

#include "support.hpp"

#include <kcoro/event.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/mapped.hpp>
#include <kcoro/user/recycling.hpp>
#include <kcoro/user/resource.hpp>
#include <kcoro/user/run_loop.hpp>
#include <kcoro/when.hpp>

namespace {

using namespace kcoro;

class resource_test : public nothing_left {};

// Counts, and refuses when it is told to.
class counting final : public std::pmr::memory_resource {
public:
	int live = 0;
	int total = 0;
	bool full = false;
	std::size_t alignment = 0;

private:
	void *do_allocate(std::size_t bytes, std::size_t align) override
	{
#if KCORO_EXCEPTIONS
		if (full)
			throw std::bad_alloc();
#endif
		live++;
		total++;
		alignment = align;
		return std::pmr::new_delete_resource()->allocate(bytes, align);
	}
	void do_deallocate(void *p, std::size_t bytes, std::size_t align) override
	{
		live--;
		std::pmr::new_delete_resource()->deallocate(p, bytes, align);
	}
	bool do_is_equal(const memory_resource &other) const noexcept override
	{
		return this == &other;
	}
};

task<int> by_resource(std::pmr::memory_resource *, int n)
{
	co_return n;
}

user::inherited_task<int> inherits(int n)
{
	if (!n)
		co_return 0;
	auto below = co_await inherits(n - 1);
	if (!below)
		co_return below;
	co_return below.value + n;
}

TEST_F(resource_test, as_the_first_parameter)
{
	counting r;

	EXPECT_EQ(by_resource(&r, 3).run().value, 3);
	EXPECT_EQ(r.total, 1);
	EXPECT_EQ(r.live, 0);
	EXPECT_EQ(r.alignment, 64U);
	struct object {
		task<int> method(counting *, int n) { co_return n; }
	} o;
	EXPECT_EQ(o.method(&r, 4).run().value, 4);
	EXPECT_EQ(r.total, 2);
}

#if KCORO_EXCEPTIONS
TEST_F(resource_test, what_throws_is_enomem)
{
	counting r;

	r.full = true;
	EXPECT_EQ(by_resource(&r, 3).run().error, err::no_memory);
	user::with_resource use(&r);
	EXPECT_EQ(inherits(3).run().error, err::no_memory);
}
#endif

TEST_F(resource_test, standard_allocator_by_value)
{
	counting r;
	auto body = [](std::allocator_arg_t, std::pmr::polymorphic_allocator<>,
		       int n) -> task<int> { co_return n; };
	auto plain = [](std::allocator_arg_t, std::allocator<char>, int n) -> task<int> {
		co_return n;
	};
	EXPECT_EQ(body(std::allocator_arg, &r, 5).run().value, 5);
	EXPECT_EQ(r.total, 1);
	EXPECT_EQ(r.live, 0);
	EXPECT_EQ(plain(std::allocator_arg, {}, 6).run().value, 6);
}

TEST_F(resource_test, current_resource_is_inherited)
{
	counting r, other;

	EXPECT_EQ(inherits(3).run().value, 6);
	EXPECT_EQ(r.total, 0);
	{
		user::with_resource use(&r);
		auto kept = inherits(3);

		EXPECT_EQ(r.total, 1);
		{
			user::with_resource inner(&other);
			EXPECT_EQ(inherits(2).run().value, 3);
		}
		EXPECT_EQ(other.total, 3);
		EXPECT_EQ(kept.run().value, 6);
		EXPECT_EQ(r.total, 4);
	}
	EXPECT_EQ(r.live, 0);
	EXPECT_EQ(other.live, 0);
	EXPECT_EQ(user::current_resource(), nullptr);
}

user::inherited_task<int> waits(event &e)
{
	auto got = co_await e.wait();

	co_return got.error;
}

// How often it does not find its own where it has awaited something.
user::inherited_task<int> looks_around(event &e, std::pmr::memory_resource &inner)
{
	auto *own = co_await user::frame_resource();
	int wrong = user::current_resource() != own;

	for (int i = 0; i < 2; i++) {
		user::make_current(&inner);
		auto below = co_await waits(e);
		wrong += !below || user::current_resource() != own;
		(void)co_await e.wait();
		wrong += user::current_resource() != own;
		auto member = waits(e);
		auto leaf = e.wait();
		auto got = co_await when_all(member, leaf);
		wrong += got.count != 2 || user::current_resource() != own;
	}
	co_return wrong;
}

task<int> runs_it(user::inherited_task<int> of)
{
	co_return co_await of;
}

// Two in turn on one loop, each with its resource; the thread has its own between.
TEST_F(resource_test, own_resource_behind_each_wait)
{
	counting r, other, inner;
	user::run_loop loop(user::run_loop::alone);
	event e;
	join_handle<int> a, b;
	{
		user::with_resource use(&r);
		a = spawn(loop, runs_it(looks_around(e, inner)));
		user::with_resource instead(&other);
		b = spawn(loop, runs_it(looks_around(e, inner)));
	}
	for (int i = 0; i < 20 && !(a.done() && b.done()); i++) {
		loop.run_until_idle();
		EXPECT_EQ(user::current_resource(), nullptr);
		e.set();
		loop.run_until_idle();
		EXPECT_EQ(user::current_resource(), nullptr);
		e.reset();
	}
	EXPECT_EQ(a.take().value, 0);
	EXPECT_EQ(b.take().value, 0);
	// Its own frame, and those of the members; the others were made with inner current.
	EXPECT_EQ(r.total, 3);
	EXPECT_EQ(other.total, 3);
	EXPECT_EQ(inner.total, 4);
	a = b = {};
	EXPECT_EQ(r.live + other.live + inner.live, 0);
}

TEST_F(resource_test, thread_has_its_own_behind_run)
{
	counting r, other;
	auto sets = [](counting &to) -> user::inherited_task<int> {
		user::make_current(&to);
		co_return 1;
	};
	user::with_resource use(&r);

	EXPECT_EQ(sets(other).run().value, 1);
	EXPECT_EQ(user::current_resource(), &r);
	event never;
	EXPECT_EQ(waits(never).run().error, err::deadlock);
	EXPECT_EQ(user::current_resource(), &r);
	EXPECT_EQ(r.live, 0);
}

// The base of a promise of one's own.
struct once {
	struct promise_type : frame_allocation<user::current_frames>, user::keeps_resource {
		static once get_return_object_on_allocation_failure() noexcept { return {}; }
		once get_return_object() noexcept
		{
			return {std::coroutine_handle<promise_type>::from_promise(*this)};
		}
		std::suspend_always final_suspend() const noexcept { return {}; }
		void return_void() const noexcept {}
		void unhandled_exception() const noexcept {}
	};
	std::coroutine_handle<promise_type> frame;
};

TEST_F(resource_test, base_of_an_own_promise)
{
	counting r, other;
	std::pmr::memory_resource *seen[2] = {};
	auto body = [](std::pmr::memory_resource **to) -> once {
		to[0] = user::current_resource();
		co_await std::suspend_always();
		to[1] = user::current_resource();
	};
	user::with_resource use(&r);
	auto c = body(seen);
	{
		user::with_resource changed(&other);
		c.frame.resume();
		EXPECT_EQ(seen[0], &r);
		EXPECT_EQ(c.frame.promise().resource(), &r);
		c.frame.promise().set_resource(nullptr);
		c.frame.resume();
		EXPECT_EQ(seen[1], nullptr);
	}
	EXPECT_EQ(r.live, 1);
	c.frame.destroy();
	EXPECT_EQ(r.live, 0);
}

// Pages of its own: between the ends of malloc's blocks there is none of ours.
TEST_F(resource_test, mapped_pages)
{
	user::mapped_resource pages;
	{
		std::pmr::unsynchronized_pool_resource pool(&pages);
		user::with_resource use(&pool);

		EXPECT_EQ(inherits(100).run().value, 5050);
		EXPECT_GT(pages.pages(), 0U);
		void *frame = pool.allocate(64, 64);
		EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % 64, 0U);
		pool.deallocate(frame, 64, 64);
	}
	EXPECT_EQ(pages.pages(), 0U);
#if KCORO_EXCEPTIONS
	EXPECT_THROW((void)pages.allocate(~std::size_t{0}, 64), std::bad_alloc);
	EXPECT_THROW((void)pages.allocate(64, 8192), std::bad_alloc);
#endif
}

// Blocks are used again, at most so many bytes are kept, and the size not used the longest goes
// first.
TEST_F(resource_test, recycling)
{
	counting up;
	{
		user::recycling_resource r(&up, 4096);
		user::with_resource use(&r);

		for (int i = 0; i < 100; i++)
			EXPECT_EQ(inherits(5).run().value, 15);
		EXPECT_LE(up.total, 6);
		EXPECT_LE(r.kept(), 4096U);
		void *small = r.allocate(64, 64);
		void *large = r.allocate(4000, 64);
		r.deallocate(small, 64, 64);
		// It leaves room for nothing else.
		r.deallocate(large, 4000, 64);
		EXPECT_LE(r.kept(), 4096U);
		int before = up.total;
		large = r.allocate(4000, 64);
		EXPECT_EQ(up.total, before);
		r.deallocate(large, 4000, 64);
		// What does not fit at all is not kept.
		void *huge = r.allocate(100000, 64);
		r.deallocate(huge, 100000, 64);
		EXPECT_LE(r.kept(), 4096U);
	}
	EXPECT_EQ(up.live, 0);
}

} // namespace
