// SPDX-License-Identifier: GPL-2.0-only
//
// magazine_fuzz - random operations on magazines beside a plain model.
//
// The world: some slots (one CPU at one level each, of several capacities) that hold a
// magazine, a store of spare magazines, and frames that are with the user. The model knows
// where each frame is and in which order a magazine got its own. After every operation:
//
//   - each frame is in exactly one place: with the user, or once in one magazine;
//   - each magazine holds what the model says, in that order, and is valid.
//
// To add an operation: write a method of World that does it to the real thing and to the
// model, and name it in World::operations. `store_` is no more than a place to swap whole
// magazines with; the depot is in depot_fuzz.cc.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "tests/fuzz/fuzz.h"

using u32 = std::uint32_t;
#include "kmod/pool/magazine.h"

namespace {

constexpr u32 frames = 96;
constexpr u32 largest_batch = 40;
constexpr std::array<u32, 6> slot_capacities{0, 1, 2, 7, 16, 32};
constexpr std::array<u32, 4> spare_capacities{1, 7, 16, 32};

struct FreeDeleter {
	void operator()(kcoro_magazine *m) const { std::free(m); }
};

struct Magazine {
	std::unique_ptr<kcoro_magazine, FreeDeleter> real;
	std::vector<void *> model;
};

// Exactly as large as the kernel makes it: the address sanitizer sees one slot too far.
Magazine make(u32 capacity)
{
	Magazine made;

	made.real.reset(static_cast<kcoro_magazine *>(
		std::malloc(sizeof(kcoro_magazine) + capacity * sizeof(void *))));
	made.real->count = 0;
	made.real->capacity = capacity;
	return made;
}

class World {
public:
	explicit World(fuzz::Bytes program) : program_(program)
	{
		for (const auto capacity : slot_capacities)
			slots_.push_back(make(capacity));
		for (const auto capacity : spare_capacities)
			store_.push_back(make(capacity));
		for (std::uintptr_t i = 0; i < frames; i++)
			user_.push_back(reinterpret_cast<void *>((i + 1) * 64));
		everything_ = user_;
	}

	void run()
	{
		while (!program_.empty()) {
			const auto operation = operations[number() % operations.size()];

			(this->*operation)();
			check();
		}
	}

private:
	using Operation = void (World::*)();

	u32 number()
	{
		if (program_.empty())
			return 0;
		const u32 value = program_.front();
		program_ = program_.subspan(1);
		return value;
	}

	Magazine &slot() { return slots_[number() % slots_.size()]; }
	Magazine &spare() { return store_[number() % store_.size()]; }

	static u32 room(const Magazine &m)
	{
		return m.real->capacity - static_cast<u32>(m.model.size());
	}

	void pop()
	{
		auto &m = slot();
		void *got = kcoro_magazine_pop(m.real.get());

		FUZZ_CHECK(got == (m.model.empty() ? nullptr : m.model.back()));
		if (got) {
			m.model.pop_back();
			user_.push_back(got);
		}
	}

	void push()
	{
		auto &m = slot();

		if (user_.empty())
			return;
		const bool fits = room(m) > 0;
		FUZZ_CHECK(kcoro_magazine_push(m.real.get(), user_.back()) == fits);
		if (fits) {
			m.model.push_back(user_.back());
			user_.pop_back();
		}
	}

	void take()
	{
		auto &m = slot();
		const u32 want = number() % (largest_batch + 1);
		// As large as it is asked for, so that one too many is seen.
		const auto out = std::make_unique<void *[]>(want);
		const u32 done = kcoro_magazine_take(m.real.get(), out.get(), want);

		FUZZ_CHECK(done == std::min<std::size_t>(want, m.model.size()));
		for (u32 i = 0; i < done; i++) {
			FUZZ_CHECK(out[i] == m.model.back());
			m.model.pop_back();
			user_.push_back(out[i]);
		}
	}

	void put()
	{
		auto &m = slot();
		const u32 have = std::min<u32>(number() % (largest_batch + 1),
					       static_cast<u32>(user_.size()));
		const auto in = std::make_unique<void *[]>(have);
		const u32 fit = std::min(have, room(m));

		std::copy_n(user_.end() - have, have, in.get());
		FUZZ_CHECK(kcoro_magazine_put(m.real.get(), in.get(), have) == fit);
		user_.resize(user_.size() - have);
		m.model.insert(m.model.end(), in.get(), in.get() + fit);
		user_.insert(user_.end(), in.get() + fit, in.get() + have);
	}

	// A whole magazine for another one.
	void exchange() { std::swap(slot(), spare()); }

	// What one magazine hands to another, by way of a batch: a refill, or a drain.
	void move()
	{
		auto &from = slot();
		auto &to = slot();
		std::array<void *, largest_batch> batch{};

		if (&from == &to)
			return;
		const u32 want = std::min(number() % (largest_batch + 1), room(to));
		const u32 got = kcoro_magazine_take(from.real.get(), batch.data(), want);
		FUZZ_CHECK(kcoro_magazine_put(to.real.get(), batch.data(), got) == got);
		for (u32 i = 0; i < got; i++) {
			FUZZ_CHECK(batch[i] == from.model.back());
			to.model.push_back(from.model.back());
			from.model.pop_back();
		}
	}

	static constexpr std::array<Operation, 6> operations{&World::pop,      &World::push,
							     &World::take,     &World::put,
							     &World::exchange, &World::move};

	void check()
	{
		auto seen = user_;

		for (const auto *list : {&slots_, &store_}) {
			for (const auto &m : *list) {
				const auto &real = *m.real;

				FUZZ_CHECK(kcoro_magazine_is_valid(&real));
				FUZZ_CHECK(real.count == m.model.size());
				FUZZ_CHECK(std::equal(m.model.begin(), m.model.end(), real.slots));
				seen.insert(seen.end(), real.slots, real.slots + real.count);
			}
		}
		std::sort(seen.begin(), seen.end());
		FUZZ_CHECK(seen == everything_);
	}

	fuzz::Bytes program_;
	std::vector<Magazine> slots_, store_;
	std::vector<void *> user_, everything_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	World(fuzz::Bytes(data, size)).run();
	return 0;
}
