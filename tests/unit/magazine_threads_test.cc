// SPDX-License-Identifier: GPL-2.0-only
// magazine_threads_test.cc - magazines with one owner each, exchanged whole under one lock, under
// the thread sanitizer.
//
// This is all that the algorithm promises: a magazine is touched by its owner alone, and changes
// its owner only inside the lock, which hands over what the last owner wrote. Each frame has
// memory that its holder writes without any lock, so that a frame with two holders is seen too.
//
// The exchange here stands for the depot's; when that is an algorithm of its own, Exchange is
// replaced by it.

#include <cstdint>
#include <cstdlib>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

using u32 = std::uint32_t;
#include "kmod/pool/magazine.h"

// The first race ends the program, with a status that nothing else gives. The sanitizer is silent
// about an access it no longer remembers: give it a long memory.
constexpr int race_status = 66;
extern "C" const char *__tsan_default_options()
{
	return "halt_on_error=1:exitcode=66:history_size=7";
}

namespace {

constexpr u32 capacity = 8;
constexpr u32 threads = 4;
constexpr u32 spares = 2 * threads;
constexpr u32 rounds = 20000;

struct frame {
	unsigned holder;
	unsigned writes;
};

struct free_deleter {
	void operator()(kcoro_magazine *m) const { std::free(m); }
};
using magazine = std::unique_ptr<kcoro_magazine, free_deleter>;

magazine make()
{
	magazine m(static_cast<kcoro_magazine *>(
		std::malloc(sizeof(kcoro_magazine) + capacity * sizeof(void *))));
	m->count = 0;
	m->capacity = capacity;
	return m;
}

// Full magazines and empty ones. Who brings one of the one kind gets one of the other.
class exchange {
public:
	explicit exchange(std::vector<frame> &frames)
	{
		for (u32 i = 0; i < spares; i++)
			empty_.push_back(make());
		for (auto &one : frames) {
			if (full_.empty() || full_.back()->count == capacity)
				full_.push_back(make());
			kcoro_magazine_push(full_.back().get(), &one);
		}
	}

	// False when there is none of that kind: then `mine` is as it was.
	bool for_full(magazine &mine) { return swap(mine, empty_, full_); }
	bool for_empty(magazine &mine) { return swap(mine, full_, empty_); }

	// When nobody runs any more.
	u32 held() const
	{
		u32 sum = 0;
		for (const auto *list : {&full_, &empty_})
			for (const auto &m : *list)
				sum += m->count;
		return sum;
	}

private:
	bool swap(magazine &mine, std::vector<magazine> &to, std::vector<magazine> &from)
	{
		std::lock_guard guard(lock_);
		if (from.empty())
			return false;
		auto other = std::move(from.back());
		from.pop_back();
		to.push_back(std::move(mine));
		mine = std::move(other);
		return true;
	}

	std::mutex lock_;
	std::vector<magazine> full_, empty_;
};

// One CPU: allocates and frees in bursts, and exchanges when its magazine is empty or full.
class owner {
public:
	owner(exchange &shared, unsigned id) : shared_(shared), id_(id), random_(id) {}

	void run()
	{
		for (u32 i = 0; i < rounds; i++) {
			random_ = random_ * 1664525 + 1013904223;
			u32 burst = (random_ >> 16) % (2 * capacity) + 1;
			while (burst-- && (random_ & 0x80000000 ? alloc() : free()))
				;
			// Else each thread might be done before the next one gets a CPU.
			if (i % 64 == 0)
				std::this_thread::yield();
		}
		while (free())
			;
	}
	u32 held() const { return mine_->count + static_cast<u32>(frames_.size()); }
	bool valid() const { return kcoro_magazine_is_valid(mine_.get()); }

private:
	bool alloc()
	{
		auto *got = static_cast<frame *>(kcoro_magazine_pop(mine_.get()));
		if (!got && shared_.for_full(mine_))
			got = static_cast<frame *>(kcoro_magazine_pop(mine_.get()));
		if (!got)
			return false;
		got->holder = id_;
		got->writes++;
		frames_.push_back(got);
		return true;
	}
	bool free()
	{
		if (frames_.empty())
			return false;
		frame *f = frames_.back();
		// Checked here: another holder would have written its own number.
		if (f->holder != id_)
			std::abort();
		if (!kcoro_magazine_push(mine_.get(), f) &&
		    !(shared_.for_empty(mine_) && kcoro_magazine_push(mine_.get(), f)))
			return false;
		frames_.pop_back();
		return true;
	}

	exchange &shared_;
	unsigned id_, random_;
	magazine mine_ = make();
	std::vector<frame *> frames_;
};

// Is every frame still somewhere when all is done?
void run_owners(u32 wanted)
{
	std::vector<frame> frames(wanted);
	exchange shared(frames);
	std::vector<std::unique_ptr<owner>> owners;
	std::vector<std::thread> running;
	// All at work at once: the sanitizer may take a thread for one that has ended before it.
	std::latch begin(threads);
	u32 sum = 0, writes = 0;

	for (u32 i = 0; i < threads; i++)
		owners.push_back(std::make_unique<owner>(shared, i + 1));
	for (auto &one : owners)
		running.emplace_back([&] {
			begin.arrive_and_wait();
			one->run();
		});
	for (auto &thread : running)
		thread.join();
	for (const auto &one : owners) {
		EXPECT_TRUE(one->valid());
		sum += one->held();
	}
	for (const auto &one : frames)
		writes += one.writes;
	EXPECT_EQ(sum + shared.held(), wanted);
	EXPECT_GT(writes, rounds);
}

TEST(MagazineThreads, ExchangedUnderALock)
{
	run_owners(threads * capacity);
	run_owners(2 * threads * capacity);
}

// What is forbidden. Push and pop stay inside the slots even so, and nothing else is shared.
void share_a_magazine()
{
	std::vector<frame> frames(capacity / 2);
	std::vector<std::thread> running;
	std::latch begin(2);
	auto shared = make();

	for (auto &one : frames)
		kcoro_magazine_push(shared.get(), &one);
	for (int i = 0; i < 2; i++)
		running.emplace_back([&] {
			begin.arrive_and_wait();
			for (u32 n = 0; n < rounds; n++) {
				if (void *got = kcoro_magazine_pop(shared.get()))
					kcoro_magazine_push(shared.get(), got);
				if (n % 64 == 0)
					std::this_thread::yield();
			}
		});
	for (auto &thread : running)
		thread.join();
}

// The test can fail: the sanitizer ends a program in which a magazine has two owners.
TEST(MagazineThreadsDeathTest, TwoOwnersAreSeen)
{
	testing::GTEST_FLAG(death_test_style) = "threadsafe";
	EXPECT_EXIT(share_a_magazine(), testing::ExitedWithCode(race_status), "data race");
}

} // namespace
