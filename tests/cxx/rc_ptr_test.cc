// SPDX-License-Identifier: GPL-2.0-only
// rc_ptr_test.cc - counted objects: destroyed once, watched, aliased, and never there half.

#include <cstdint>
#include <cstdlib>
#include <string>
#ifndef __KERNEL__
#include <thread>
#endif
#include <vector>

#include "support.hpp"

#include <kcoro/rc_ptr.hpp>

namespace {

using kcoro::allocate_rc;
using kcoro::enable_rc_from_this;
using kcoro::frame_source;
using kcoro::make_rc;
using kcoro::rc_ptr;
using kcoro::weak_rc_ptr;
namespace threads = kcoro::threads;

// All cases with and without atomic operations.
template <typename Threads> class rc_test : public nothing_left {};
using policies = testing::Types<threads::many, threads::one>;
TYPED_TEST_SUITE(rc_test, policies);

TYPED_TEST(rc_test, destroyed_once_with_the_last_owner)
{
	auto a = make_rc<counted, TypeParam>(3);

	ASSERT_TRUE(a);
	EXPECT_EQ(a->value, 3);
	EXPECT_EQ((*a).value, 3);
	EXPECT_EQ(a.use_count(), 1U);
	{
		rc_ptr<counted, TypeParam> b = a, c;

		c = b;
		EXPECT_EQ(a.use_count(), 3U);
		EXPECT_EQ(a, c);
		EXPECT_TRUE(a.same_owner(b));
		auto d = static_cast<rc_ptr<counted, TypeParam> &&>(b);
		EXPECT_EQ(b, nullptr);
		EXPECT_EQ(b.use_count(), 0U);
		EXPECT_EQ(d.use_count(), 3U);
		a.reset();
		EXPECT_EQ(counted::alive, 1);
	}
	EXPECT_EQ(counted::alive, 0);
	EXPECT_EQ(counted::copies, 0);
}

TYPED_TEST(rc_test, assignment_to_itself_and_back_and_forth)
{
	auto a = make_rc<counted, TypeParam>(1);
	auto b = make_rc<counted, TypeParam>(2);
	auto &same = a;

	a = same;
	EXPECT_EQ(a.use_count(), 1U);
	a.swap(b);
	EXPECT_EQ(a->value, 2);
	a = b;
	EXPECT_EQ(counted::alive, 1);
	a = nullptr;
	b = static_cast<rc_ptr<counted, TypeParam> &&>(b);
	EXPECT_EQ(b->value, 1);
}

// What is assigned to may be owned by what it held.
TYPED_TEST(rc_test, list_is_cut_from_its_head)
{
	struct node {
		counted c;
		rc_ptr<node, TypeParam> next;
	};
	auto head = make_rc<node, TypeParam>();

	head->next = make_rc<node, TypeParam>();
	head->next->next = make_rc<node, TypeParam>();
	EXPECT_EQ(counted::alive, 3);
	head = head->next;
	EXPECT_EQ(counted::alive, 2);
	head->next.reset();
	EXPECT_EQ(counted::alive, 1);
}

TYPED_TEST(rc_test, weak_sees_the_end)
{
	weak_rc_ptr<counted, TypeParam> none, weak;

	EXPECT_FALSE(none.lock());
	EXPECT_TRUE(none.expired());
	{
		auto a = make_rc<counted, TypeParam>(4);

		weak = a;
		auto copy = weak;
		EXPECT_EQ(a.use_count(), 1U);
		EXPECT_EQ(copy.lock()->value, 4);
		EXPECT_FALSE(weak.expired());
	}
	// The object has gone, and its memory waits for who watches.
	EXPECT_EQ(counted::alive, 0);
	EXPECT_EQ(frames::live, 1);
	EXPECT_TRUE(weak.expired());
	EXPECT_FALSE(weak.lock());
	weak.reset();
	EXPECT_EQ(frames::live, 0);
}

TYPED_TEST(rc_test, cycle_by_a_weak_pointer_is_none)
{
	struct child;
	struct parent {
		counted c;
		rc_ptr<child, TypeParam> down;
	};
	struct child {
		counted c;
		weak_rc_ptr<parent, TypeParam> up;
	};
	auto top = make_rc<parent, TypeParam>();

	top->down = make_rc<child, TypeParam>();
	top->down->up = top;
	EXPECT_TRUE(top->down->up.lock() == top);
	EXPECT_EQ(counted::alive, 2);
	// An object that watches itself.
	struct watcher {
		counted c;
		weak_rc_ptr<watcher, TypeParam> self;
	};
	auto w = make_rc<watcher, TypeParam>();
	w->self = w;
}

TYPED_TEST(rc_test, alias_keeps_the_whole)
{
	struct whole {
		counted c;
		int part = 7;
	};
	rc_ptr<int, TypeParam> part;
	{
		auto all = make_rc<whole, TypeParam>();

		part = rc_ptr<int, TypeParam>(all, &all->part);
		EXPECT_EQ(all.use_count(), 2U);
		EXPECT_TRUE(part.same_owner(all));
		auto moved = rc_ptr<int, TypeParam>(static_cast<rc_ptr<whole, TypeParam> &&>(all),
						    &*part);
		EXPECT_EQ(moved.use_count(), 2U);
		EXPECT_FALSE(all);
	}
	EXPECT_EQ(counted::alive, 1);
	EXPECT_EQ(*part, 7);
	weak_rc_ptr<int, TypeParam> weak = part;
	EXPECT_EQ(*weak.lock(), 7);
	part.reset();
	EXPECT_EQ(counted::alive, 0);
	EXPECT_FALSE(weak.lock());
}

struct left {
	virtual ~left() = default;
	int l = 1;
};
struct right {
	virtual ~right() = default;
	int r = 2;
};
struct both : left, right {
	counted c;
};

TYPED_TEST(rc_test, casts)
{
	auto object = make_rc<both, TypeParam>();
	rc_ptr<right, TypeParam> base = object;
	rc_ptr<const right, TypeParam> constant = base;
	rc_ptr<void, TypeParam> anything = object;

	EXPECT_EQ(base->r, 2);
	EXPECT_NE(static_cast<void *>(base.get()), static_cast<void *>(object.get()));
	EXPECT_EQ(kcoro::static_rc_cast<both>(base), object);
	EXPECT_EQ(kcoro::const_rc_cast<right>(constant), base);
	EXPECT_EQ(kcoro::static_rc_cast<both>(anything), object);
	EXPECT_EQ(object.use_count(), 4U);
	// Moved through, no count is touched.
	auto back = kcoro::static_rc_cast<both>(static_cast<decltype(base) &&>(base));
	EXPECT_FALSE(base);
	EXPECT_EQ(object.use_count(), 4U);
	EXPECT_FALSE(kcoro::static_rc_cast<both>(rc_ptr<right, TypeParam>()));
	weak_rc_ptr<both, TypeParam> weak = object;
	weak_rc_ptr<right, TypeParam> weak_base = weak;
	EXPECT_EQ(weak_base.lock()->r, 2);
	EXPECT_TRUE((object <=> back) == 0);
	static_assert(!std::is_convertible_v<rc_ptr<right>, rc_ptr<both>>);
	static_assert(!std::is_convertible_v<rc_ptr<const int>, rc_ptr<int>>);
	static_assert(sizeof(rc_ptr<int>) == 2 * sizeof(void *));
}

template <typename Threads> struct session : enable_rc_from_this<session<Threads>, Threads> {
	counted c;
	bool nobody_at_first = !this->rc_from_this();
};

TYPED_TEST(rc_test, self)
{
	weak_rc_ptr<session<TypeParam>, TypeParam> weak;
	{
		auto s = make_rc<session<TypeParam>, TypeParam>();

		EXPECT_TRUE(s->nobody_at_first);
		EXPECT_EQ(s->rc_from_this(), s);
		EXPECT_EQ(s.use_count(), 1U);
		const auto &constant = *s;
		rc_ptr<const session<TypeParam>, TypeParam> other = constant.rc_from_this();
		EXPECT_EQ(s.use_count(), 2U);
		// A copy is somebody else.
		session<TypeParam> copy(*s);
		EXPECT_FALSE(copy.rc_from_this());
		*s = copy;
		EXPECT_EQ(s->rc_from_this(), s);
		weak = s->weak_from_this();
	}
	EXPECT_TRUE(weak.expired());
	// By a class that derives from it.
	struct derived : session<TypeParam> {
		int more = 5;
	};
	auto d = make_rc<derived, TypeParam>();
	EXPECT_EQ(d->rc_from_this(), d);
	session<TypeParam> unowned;
	EXPECT_FALSE(unowned.rc_from_this());
}

TYPED_TEST(rc_test, over_aligned_and_large)
{
	struct alignas(64) line {
		char c[64];
	};
	struct large {
		char c[20000] = {};
		counted alive;
	};
	auto a = make_rc<line, TypeParam>();
	auto b = make_rc<large, TypeParam>();

	EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.get()) % 64, 0U);
	EXPECT_EQ(b->c[19999], 0);
}

// Each block refused in turn: the pointer is empty, and what is there goes.
TYPED_TEST(rc_test, refused_blocks)
{
	int refusals = 0;

	frames::refuse_each([&] {
		auto a = make_rc<counted, TypeParam>(1);
		auto b = make_rc<std::string, TypeParam>("longer than what fits into the object");
		auto c = make_rc<session<TypeParam>, TypeParam>();

		if (!a || !b || !c) {
			refusals++;
			EXPECT_EQ(counted::alive, !!a + !!c);
		}
		weak_rc_ptr<counted, TypeParam> weak = a;
		EXPECT_EQ(weak.expired(), !a);
	});
	EXPECT_EQ(refusals, 3);
}

struct counting : frame_source {
	counting() : frame_source{take, give} {}

	static void *take(frame_source &s, std::size_t size) noexcept
	{
		auto &self = static_cast<counting &>(s);

		if (self.full)
			return nullptr;
		self.bytes += size;
		return std::aligned_alloc(64, (size + 63) & ~std::size_t{63});
	}
	static void give(frame_source &s, void *block, std::size_t size) noexcept
	{
		static_cast<counting &>(s).bytes -= size;
		std::free(block);
	}

	bool full = false;
	std::size_t bytes = 0;
};

TYPED_TEST(rc_test, from_a_source)
{
	counting pool;
	{
		auto a = allocate_rc<counted, TypeParam>(pool, 9);
		weak_rc_ptr<counted, TypeParam> weak = a;

		EXPECT_EQ(a->value, 9);
		EXPECT_GT(pool.bytes, 0U);
		EXPECT_EQ(frames::live, 0);
		a.reset();
		EXPECT_GT(pool.bytes, 0U);
	}
	EXPECT_EQ(pool.bytes, 0U);
	pool.full = true;
	EXPECT_FALSE((allocate_rc<counted, TypeParam>(pool, 9)));
}

struct counters {
	int live = 0;
	int refs = 0;
};

// An allocator with state, by value.
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
		if (c->live < 0)
			return nullptr;
		c->live++;
		return static_cast<T *>(std::aligned_alloc(alignof(T), n * sizeof(T)));
	}
	void deallocate(T *p, std::size_t) noexcept
	{
		c->live--;
		std::free(p);
	}
};

TYPED_TEST(rc_test, from_an_allocator_by_value)
{
	counters c;
	{
		const by_value<char> from(c);
		auto a = allocate_rc<counted, TypeParam>(from, 9);

		EXPECT_EQ(a->value, 9);
		EXPECT_EQ(c.live, 1);
		EXPECT_EQ(c.refs, 2);
	}
	EXPECT_EQ(c.live, 0);
	EXPECT_EQ(c.refs, 0);
	c.live = -1;
	EXPECT_FALSE((allocate_rc<counted, TypeParam>(by_value<char>(c), 9)));
	EXPECT_EQ(c.refs, 0);
}

#if KCORO_EXCEPTIONS
TYPED_TEST(rc_test, constructor_that_throws)
{
	struct thrower {
		counted c;
		explicit thrower(int) { throw std::string("no"); }
	};
	counters c;

	EXPECT_THROW((void)(make_rc<thrower, TypeParam>(1)), std::string);
	EXPECT_THROW((void)(allocate_rc<thrower, TypeParam>(by_value<char>(c), 1)), std::string);
	EXPECT_EQ(c.live, 0);
	EXPECT_EQ(c.refs, 0);
}
#endif

#if KCORO_THREADS && !defined(__KERNEL__)
class rc_threads_test : public nothing_left {};

struct guarded {
	counted c;
	int value = 42;
	~guarded() { value = 0; }
};

// Many promote while the last owner goes: each gets the whole object or nothing, and it is
// destroyed once. The thread sanitizer sees whether the end comes after the last reading.
TEST_F(rc_threads_test, promotion_against_the_last_drop)
{
	constexpr int rounds = 2000, racers = 3;
	std::atomic<int> round{0}, ready{0}, done{0}, got{0}, bad{0};
	weak_rc_ptr<guarded, threads::many> shared;
	std::vector<std::thread> crew;

	for (int i = 0; i < racers; i++)
		crew.emplace_back([&, i] {
			for (int n = 1; n <= rounds; n++) {
				while (round.load() < n)
					std::this_thread::yield();
				auto weak = shared;

				++ready;
				for (int tries = 0; tries < 20 + i; tries++)
					if (auto there = weak.lock()) {
						++got;
						if (there->value != 42)
							++bad;
					}
				weak.reset();
				++done;
			}
		});
	for (int n = 1; n <= rounds; n++) {
		auto owner = make_rc<guarded, threads::many>();

		shared = owner;
		ready = 0;
		done = 0;
		round = n;
		while (ready.load() < 1 + n % racers)
			std::this_thread::yield();
		owner.reset();
		while (done.load() < racers)
			std::this_thread::yield();
		EXPECT_TRUE(shared.expired());
		EXPECT_EQ(counted::alive, 0) << "in round " << n;
	}
	for (auto &t : crew)
		t.join();
	EXPECT_EQ(bad, 0);
	EXPECT_GT(got, 0);
}

// Owners come and go on many threads; what they wrote before is seen by who destroys.
TEST_F(rc_threads_test, owners_on_many_threads)
{
	struct cells {
		counted c;
		int cell[4] = {};
		int *sum;
		explicit cells(int *s) : sum(s) {}
		~cells() { *sum = cell[0] + cell[1] + cell[2] + cell[3]; }
	};
	int sum = 0;
	auto all = make_rc<cells, threads::many>(&sum);
	std::vector<std::thread> crew;

	for (int i = 0; i < 4; i++)
		crew.emplace_back([owner = all, i]() mutable {
			for (int n = 0; n < 5000; n++) {
				auto copy = owner;

				copy->cell[i]++;
			}
			owner.reset();
		});
	all.reset();
	for (auto &t : crew)
		t.join();
	EXPECT_EQ(sum, 20000);
	EXPECT_EQ(counted::alive, 0);
}
#endif

} // namespace
