// SPDX-License-Identifier: GPL-2.0-only
// resource_test.cc - std::pmr and standard allocators as sources of frames; the current resource.

#include <memory_resource>
#include <new>

#include "support.hpp"

#include <kcoro/user/recycling.hpp>
#include <kcoro/user/resource.hpp>

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
	EXPECT_EQ(user::current_resource, nullptr);
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
