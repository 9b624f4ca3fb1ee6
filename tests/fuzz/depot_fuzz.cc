// SPDX-License-Identifier: GPL-2.0-only
//
// depot_fuzz - random operations on slots and one depot beside a plain model.
//
// The world: slots (one CPU at one level each) with a loaded and a spare magazine or none, a
// depot of full and empty magazines, and frames that are with the user. The operations are
// those of kmod/pool/depot.c and trim.c, without their locks. The model has the magazines of a
// stack in a vector and their frames in another. After every operation:
//
//   - each frame is in exactly one place, and each magazine, too;
//   - slots, stacks and magazines are as the model says, in that order, and linked both ways;
//   - magazines with frames are in "full", those without in "empty", and the shared one that
//     stands for none is nowhere and untouched;
//   - what a look calls idle was in the depot, untouched, since the look before;
//   - the depot's room is as the model says, never above its most, and grew by no more than
//     went to the slab for want of it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "tests/fuzz/fuzz.h"

using u32 = std::uint32_t;
using u64 = std::uint64_t;
#include "kmod/pool/exchange.h"

namespace {

constexpr u32 frames = 96;
constexpr u32 most_magazines = 24;
constexpr u32 most_room = 40;
constexpr std::array<u32, 4> capacities{1, 2, 7, 16};

struct FreeDeleter {
	void operator()(kcoro_magazine *m) const { std::free(m); }
};

using Real = std::unique_ptr<kcoro_magazine, FreeDeleter>;

// Exactly as large as the kernel makes it: the address sanitizer sees one slot too far.
Real make_real(u32 capacity)
{
	Real made(static_cast<kcoro_magazine *>(
		std::malloc(sizeof(kcoro_magazine) + capacity * sizeof(void *))));

	*made = {.count = 0, .capacity = capacity, .above = nullptr, .below = nullptr};
	return made;
}

struct Magazine {
	Real real;
	std::vector<void *> model;
	u32 looks = 0; // of its stack since it came there
};

struct Slot {
	kcoro_magazine *loaded, *spare; // the real one's
	Magazine *model_loaded = nullptr, *model_spare = nullptr;

	kcoro_pair pair() { return {&loaded, &spare}; }
};

// One of the depot's two stacks.
struct Stack {
	kcoro_stack real{};
	std::vector<Magazine *> model; // from the bottom
	std::size_t least = 0;

	void push(Magazine *m)
	{
		m->looks = 0;
		model.push_back(m);
	}
	Magazine *pop()
	{
		Magazine *m = model.back();

		model.pop_back();
		least = std::min(least, model.size());
		return m;
	}
	Magazine *pop_bottom()
	{
		Magazine *m = model.front();

		model.erase(model.begin());
		least -= least > 0;
		return m;
	}
};

class World {
public:
	explicit World(fuzz::Bytes program) : program_(program)
	{
		slots_.resize(4, Slot{none_.get(), none_.get()});
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

	Slot &slot() { return slots_[number() % slots_.size()]; }
	Stack &stack(bool full) { return full ? full_ : empty_; }

	Magazine *make()
	{
		const u32 capacity = capacities[number() % capacities.size()];

		if (magazines_.size() == most_magazines)
			return nullptr;
		magazines_.push_back(std::make_unique<Magazine>());
		magazines_.back()->real = make_real(capacity);
		return magazines_.back().get();
	}

	// To the slab: its frames are the user's again.
	void destroy(Magazine *m)
	{
		user_.insert(user_.end(), m->model.begin(), m->model.end());
		std::erase_if(magazines_, [m](const auto &other) { return other.get() == m; });
	}

	// A slot's magazine for one of the depot.
	void rotate(Slot &s, Stack &from, Stack &to)
	{
		Magazine *out = s.model_spare;

		s.model_spare = s.model_loaded;
		s.model_loaded = from.pop();
		if (out)
			to.push(out);
	}

	// kcoro_depot_alloc()
	void alloc()
	{
		auto &s = slot();
		void *got = kcoro_pair_pop(s.pair());
		const bool exchanged =
			!got && kcoro_pair_get_full(s.pair(), &full_.real, &empty_.real);

		if (exchanged)
			got = kcoro_magazine_pop(s.loaded);
		if (is_empty(s.model_loaded) && !is_empty(s.model_spare))
			std::swap(s.model_loaded, s.model_spare);
		const bool must = is_empty(s.model_loaded) && !full_.model.empty();
		FUZZ_CHECK(exchanged == must);
		if (must)
			rotate(s, full_, empty_);
		FUZZ_CHECK(got ==
			   (is_empty(s.model_loaded) ? nullptr : s.model_loaded->model.back()));
		if (got) {
			s.model_loaded->model.pop_back();
			user_.push_back(got);
		}
	}

	// kcoro_depot_free()
	void free()
	{
		auto &s = slot();

		if (user_.empty())
			return;
		bool done = kcoro_pair_push(s.pair(), user_.back());
		const bool exchanged =
			!done && kcoro_pair_get_empty(s.pair(), &full_.real, &empty_.real);

		if (exchanged)
			done = kcoro_magazine_push(s.loaded, user_.back());
		if (is_full(s.model_loaded) && !is_full(s.model_spare))
			std::swap(s.model_loaded, s.model_spare);
		const bool must = is_full(s.model_loaded) && !empty_.model.empty();
		FUZZ_CHECK(exchanged == must);
		if (must)
			rotate(s, empty_, full_);
		FUZZ_CHECK(done == !is_full(s.model_loaded));
		if (done) {
			s.model_loaded->model.push_back(user_.back());
			user_.pop_back();
		}
	}

	// magazine_add(): one of the depot's, or a new one; for the slot, or for the depot.
	void add()
	{
		auto &s = slot();
		auto *real = kcoro_stack_pop_bottom(&empty_.real);
		Magazine *m = empty_.model.empty() ? nullptr : empty_.pop_bottom();

		FUZZ_CHECK(real == (m ? m->real.get() : nullptr));
		if (!m)
			m = make();
		if (!m)
			return;
		const bool fits = !s.model_loaded || !s.model_spare;
		FUZZ_CHECK(kcoro_pair_load(s.pair(), m->real.get()) == fits);
		if (!fits)
			give(m);
		else
			(s.model_loaded ? s.model_spare : s.model_loaded) = m;
	}

	// kcoro_depot_give()
	void give(Magazine *m)
	{
		Stack &to = stack(!m->model.empty());

		kcoro_stack_push(&to.real, m->real.get());
		to.push(m);
	}

	// drain(): the depot has enough, and a batch of the slot's goes to the slab.
	void drain()
	{
		auto &s = slot();
		std::array<void *, 8> out;
		const u32 n =
			kcoro_magazine_take(s.loaded, out.data(), number() % (out.size() + 1));

		for (u32 i = 0; i < n; i++) {
			FUZZ_CHECK(out[i] == s.model_loaded->model.back());
			s.model_loaded->model.pop_back();
			user_.push_back(out[i]);
		}
		kcoro_room_sent(&room_, n);
		sent_ += n;
		all_sent_ += n;
	}

	// from_slab(): more than were sent may come.
	void miss()
	{
		const u32 n = number() % 33;
		const u64 grow = std::min<u64>(std::min<u64>(n, sent_), most_room - extra_);

		kcoro_room_missed(&room_, n, most_room);
		sent_ -= std::min<u64>(n, sent_);
		extra_ += grow;
		grown_ += grow;
	}

	// The worker's magazine.
	void fill()
	{
		Magazine *m = make();

		while (m && !user_.empty() && kcoro_magazine_push(m->real.get(), user_.back())) {
			m->model.push_back(user_.back());
			user_.pop_back();
		}
		if (m)
			give(m);
	}

	// A CPU that is gone: what its slot has is the depot's.
	void dead()
	{
		auto &s = slot();
		Magazine *loaded = std::exchange(s.model_loaded, nullptr);
		Magazine *spare = std::exchange(s.model_spare, nullptr);

		s.loaded = s.spare = none_.get();
		if (loaded)
			give(loaded);
		if (spare)
			give(spare);
	}

	// The shrinker's: the magazine that waited longest goes.
	void trim()
	{
		Stack &from = stack(number() % 2);
		auto *real = kcoro_stack_pop_bottom(&from.real);
		Magazine *m = from.model.empty() ? nullptr : from.pop_bottom();

		FUZZ_CHECK(real == (m ? m->real.get() : nullptr));
		if (m)
			trimmed(m);
	}

	void trimmed(Magazine *m)
	{
		kcoro_room_trimmed(&room_, m->real->count);
		extra_ -= std::min<u64>(extra_, m->model.size());
		destroy(m);
	}

	// The idle work's: all go that nobody needed since the look before.
	void idle()
	{
		const bool full = number() % 2;
		Stack &of = stack(full);
		u32 idle = kcoro_stack_look(&of.real);

		FUZZ_CHECK(idle == of.least);
		if (full) {
			kcoro_room_look(&room_);
			sent_ = 0;
		}
		for (auto *m : of.model)
			m->looks++;
		for (of.least = of.model.size(); idle; idle--) {
			auto *real = kcoro_stack_pop_bottom(&of.real);
			Magazine *m = of.pop_bottom();

			FUZZ_CHECK(real == m->real.get());
			// It was there at the look before, too.
			FUZZ_CHECK(m->looks >= 2);
			trimmed(m);
		}
	}

	static bool is_empty(const Magazine *m) { return !m || m->model.empty(); }
	static bool is_full(const Magazine *m)
	{
		return !m || m->model.size() == m->real->capacity;
	}

	static constexpr std::array<Operation, 10> operations{
		&World::alloc, &World::free, &World::add,   &World::fill,  &World::dead,
		&World::trim,  &World::idle, &World::alloc, &World::drain, &World::miss};

	kcoro_magazine *real_of(const Magazine *m) { return m ? m->real.get() : none_.get(); }

	static void check(const Stack &s, bool full)
	{
		const kcoro_magazine *below = nullptr, *at = s.real.bottom;

		FUZZ_CHECK(s.real.length == s.model.size());
		FUZZ_CHECK(s.real.least == s.least && s.real.least <= s.real.length);
		for (const auto *m : s.model) {
			FUZZ_CHECK(at == m->real.get() && at->below == below);
			FUZZ_CHECK((at->count > 0) == full);
			below = at;
			at = at->above;
		}
		FUZZ_CHECK(!at && s.real.top == below);
	}

	void check()
	{
		std::size_t in_places = full_.model.size() + empty_.model.size();
		auto seen = user_;

		for (const auto &s : slots_) {
			FUZZ_CHECK(s.loaded == real_of(s.model_loaded));
			FUZZ_CHECK(s.spare == real_of(s.model_spare));
			in_places += !!s.model_loaded + !!s.model_spare;
		}
		check(full_, true);
		check(empty_, false);
		FUZZ_CHECK(in_places == magazines_.size());
		for (const auto &m : magazines_) {
			const auto &real = *m->real;

			FUZZ_CHECK(kcoro_magazine_is_valid(&real));
			FUZZ_CHECK(real.count == m->model.size());
			FUZZ_CHECK(std::equal(m->model.begin(), m->model.end(), real.slots));
			seen.insert(seen.end(), real.slots, real.slots + real.count);
		}
		FUZZ_CHECK(room_.extra == extra_ && room_.sent == sent_);
		FUZZ_CHECK(extra_ <= most_room && grown_ <= all_sent_);
		FUZZ_CHECK(!none_->count && !none_->capacity && !none_->above && !none_->below);
		std::sort(seen.begin(), seen.end());
		FUZZ_CHECK(seen == everything_);
	}

	fuzz::Bytes program_;
	const Real none_ = make_real(0);
	std::vector<std::unique_ptr<Magazine>> magazines_;
	std::vector<Slot> slots_;
	Stack full_, empty_;
	kcoro_room room_{};
	u64 extra_ = 0, sent_ = 0, grown_ = 0, all_sent_ = 0; // the model of it
	std::vector<void *> user_, everything_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	World(fuzz::Bytes(data, size)).run();
	return 0;
}
