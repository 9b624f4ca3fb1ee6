// SPDX-License-Identifier: GPL-2.0-only
// magazine_test.cc - the magazine and the depot's room, compiled for user space from the
// kernel's source. Exchanges have a model of their own: tests/fuzz/depot_fuzz.cc.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

using u32 = std::uint32_t;
#include "kmod/pool/exchange.h"

namespace {

struct free_deleter {
	void operator()(kcoro_magazine *m) const { std::free(m); }
};
using magazine = std::unique_ptr<kcoro_magazine, free_deleter>;

// Exactly as large as the kernel makes it, so that the address sanitizer sees one slot too far.
magazine make(u32 capacity)
{
	magazine m(static_cast<kcoro_magazine *>(
		std::malloc(sizeof(kcoro_magazine) + capacity * sizeof(void *))));
	m->count = 0;
	m->capacity = capacity;
	return m;
}

void *frame(std::uintptr_t n)
{
	return reinterpret_cast<void *>(n * 64 + 64);
}

TEST(Magazine, TheNoneMagazineIsEmptyAndFull)
{
	auto m = make(0);
	EXPECT_EQ(kcoro_magazine_pop(m.get()), nullptr);
	EXPECT_FALSE(kcoro_magazine_push(m.get(), frame(0)));
	void *out[4];
	EXPECT_EQ(kcoro_magazine_take(m.get(), out, 4), 0u);
	void *in[1] = {frame(0)};
	EXPECT_EQ(kcoro_magazine_put(m.get(), in, 1), 0u);
	EXPECT_TRUE(kcoro_magazine_is_valid(m.get()));
}

TEST(Magazine, LastInFirstOut)
{
	auto m = make(8);
	for (int i = 0; i < 8; i++)
		EXPECT_TRUE(kcoro_magazine_push(m.get(), frame(i)));
	EXPECT_FALSE(kcoro_magazine_push(m.get(), frame(8)));
	EXPECT_TRUE(kcoro_magazine_is_valid(m.get()));
	for (int i = 8; i-- > 0;)
		EXPECT_EQ(kcoro_magazine_pop(m.get()), frame(i));
	EXPECT_EQ(kcoro_magazine_pop(m.get()), nullptr);
}

TEST(Magazine, BatchesStopAtTheEnds)
{
	auto m = make(5);
	void *in[4] = {frame(0), frame(1), frame(2), frame(3)};
	EXPECT_EQ(kcoro_magazine_put(m.get(), in, 4), 4u);
	EXPECT_EQ(kcoro_magazine_put(m.get(), in, 4), 1u);
	EXPECT_EQ(kcoro_magazine_put(m.get(), in, 0), 0u);
	void *out[8] = {};
	EXPECT_EQ(kcoro_magazine_take(m.get(), out, 0), 0u);
	EXPECT_EQ(kcoro_magazine_take(m.get(), out, 2), 2u);
	EXPECT_EQ(out[0], frame(0)); // the one put by the second batch
	EXPECT_EQ(out[1], frame(3));
	EXPECT_EQ(out[2], nullptr);
	EXPECT_EQ(kcoro_magazine_take(m.get(), out, 8), 3u);
}

TEST(Magazine, ValidityIsSeen)
{
	auto m = make(2);
	kcoro_magazine_push(m.get(), frame(1));
	EXPECT_TRUE(kcoro_magazine_is_valid(m.get()));
	m->slots[0] = nullptr;
	EXPECT_FALSE(kcoro_magazine_is_valid(m.get()));
	m->slots[0] = frame(1);
	m->count = 3;
	EXPECT_FALSE(kcoro_magazine_is_valid(m.get()));
}

// Random operations beside a plain model: no frame is lost, doubled or made up.
TEST(Magazine, AgreesWithAModel)
{
	std::mt19937 random(20);
	for (u32 capacity : {1u, 2u, 4u, 31u, 64u}) {
		auto m = make(capacity);
		std::vector<void *> model, ours;
		for (int i = 0; i < 100; i++)
			ours.push_back(frame(i));
		for (int step = 0; step < 20000; step++) {
			void *batch[32];
			u32 n = random() % 33, done;
			switch (random() % 4) {
			case 0:
				if (ours.empty())
					break;
				if (kcoro_magazine_push(m.get(), ours.back())) {
					model.push_back(ours.back());
					ours.pop_back();
				} else {
					ASSERT_EQ(model.size(), capacity);
				}
				break;
			case 1:
				if (void *got = kcoro_magazine_pop(m.get())) {
					ASSERT_EQ(got, model.back());
					model.pop_back();
					ours.push_back(got);
				} else {
					ASSERT_TRUE(model.empty());
				}
				break;
			case 2:
				n = std::min<u32>(n, ours.size());
				std::copy(ours.end() - n, ours.end(), batch);
				done = kcoro_magazine_put(m.get(), batch, n);
				ASSERT_EQ(done, std::min<u32>(n, capacity - model.size()));
				ours.resize(ours.size() - n);
				model.insert(model.end(), batch, batch + done);
				ours.insert(ours.end(), batch + done, batch + n);
				break;
			case 3:
				done = kcoro_magazine_take(m.get(), batch, n);
				ASSERT_EQ(done, std::min<u32>(n, model.size()));
				for (u32 k = 0; k < done; k++) {
					ASSERT_EQ(batch[k], model.back());
					model.pop_back();
					ours.push_back(batch[k]);
				}
				break;
			}
			ASSERT_EQ(m->count, model.size());
			ASSERT_TRUE(kcoro_magazine_is_valid(m.get()));
		}
		std::set<void *> all(ours.begin(), ours.end());
		all.insert(model.begin(), model.end());
		ASSERT_EQ(all.size(), 100u);
		ASSERT_EQ(ours.size() + model.size(), 100u);
	}
}

// A burst that comes once is no reason to keep more, one that comes again is.
TEST(Room, GrowsByWhatCameBack)
{
	kcoro_room room{};

	kcoro_room_missed(&room, 200, 1000);
	EXPECT_EQ(room.extra, 0u);
	kcoro_room_sent(&room, 150);
	EXPECT_EQ(room.extra, 0u);
	kcoro_room_missed(&room, 100, 1000);
	EXPECT_EQ(room.extra, 100u);
	kcoro_room_missed(&room, 100, 1000);
	EXPECT_EQ(room.extra, 150u);
	kcoro_room_missed(&room, 100, 1000);
	EXPECT_EQ(room.extra, 150u);
}

TEST(Room, HasALimit)
{
	kcoro_room room{};

	for (int i = 0; i < 10; i++) {
		kcoro_room_sent(&room, 100);
		kcoro_room_missed(&room, 100, 250);
	}
	EXPECT_EQ(room.extra, 250u);
	// Fewer CPUs are online now: what is there already is trimmed in time.
	kcoro_room_sent(&room, 10);
	kcoro_room_missed(&room, 10, 125);
	EXPECT_EQ(room.extra, 250u);
	// No overflow makes many into few.
	for (int i = 0; i < 3; i++)
		kcoro_room_sent(&room, ~u32{0} - 1);
	EXPECT_EQ(room.sent, ~u32{0});
}

TEST(Room, ShrinksByWhatIsTrimmed)
{
	kcoro_room room{.extra = 100, .sent = 0};

	kcoro_room_trimmed(&room, 64);
	EXPECT_EQ(room.extra, 36u);
	kcoro_room_trimmed(&room, 64);
	EXPECT_EQ(room.extra, 0u);
	// Bursts that are farther apart than two looks are not served from a depot.
	kcoro_room_sent(&room, 64);
	kcoro_room_look(&room);
	kcoro_room_missed(&room, 64, 1000);
	EXPECT_EQ(room.extra, 0u);
}

} // namespace
