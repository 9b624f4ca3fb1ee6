// SPDX-License-Identifier: GPL-2.0-only
// frame_map.cc - frames kept in BPF maps with bpf/kcoro_frame_map.bpf.h, through
// frame_map.bpf.c: above all, elements that are deleted with their frame in them. Runs in the
// VM with kcoro.ko loaded; a line per case, status 0 when all passed.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <linux/types.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf_case.h"
#include "frame_map.h"
#include "frame_map.skel.h"

namespace {

constexpr frame_map_which maps[] = {MAP_HASH, MAP_GROWING, MAP_LRU};
constexpr __u32 keys = 8;

// A deleted element keeps its frame there until its memory goes.
bool deleted_keep_frames()
{
	utsname name{};

	return !uname(&name) && std::atoi(name.release) >= 7;
}

struct Deleter {
	void operator()(frame_map_bpf *skeleton) const { frame_map_bpf__destroy(skeleton); }
};

class fixture {
public:
	// Other programs, other maps: what was in the old ones is freed a little later.
	bool fresh()
	{
		skeleton_.reset();
		skeleton_.reset(frame_map_bpf__open_and_load());
		return skeleton_ && soon([&] { return live() == 0; });
	}

	frame_map_call call(frame_map_which which, frame_map_op op, __u32 key, __u32 other = 0)
	{
		frame_map_call c{};

		c.which = which;
		c.op = op;
		c.key = key;
		c.other_key = other;
		if (run(skeleton_->progs.frame_map, c))
			c.error = -EIO;
		return c;
	}

	// As anybody may, behind the program's back.
	bool deleted(frame_map_which which, __u32 key)
	{
		const auto *map = which == MAP_HASH	 ? skeleton_->maps.hash
				  : which == MAP_GROWING ? skeleton_->maps.growing
							 : skeleton_->maps.lru;

		return !bpf_map_delete_elem(bpf_map__fd(map), &key);
	}

	[[nodiscard]] __s64 live() const
	{
		frame_map_live out{};

		return run(skeleton_->progs.frame_map_read, out) ? -1 : out.live;
	}

private:
	std::unique_ptr<frame_map_bpf, Deleter> skeleton_;
};

failure kept_by_key(fixture &f)
{
	for (auto map : maps) {
		EXPECT(f.fresh());
		for (__u64 round = 1; round <= 3; round++) {
			for (__u32 key = 0; key < keys; key++) {
				const auto c = f.call(map, OP_PUT, key);

				EXPECT(!c.error && !c.put_error && !c.inherited);
				EXPECT(c.created == (round == 1));
				EXPECT(c.count == round && c.state_key == key);
			}
		}
		EXPECT(f.live() == keys);
	}
	return {};
}

failure taken_is_busy(fixture &f)
{
	for (auto map : maps) {
		EXPECT(f.fresh());
		for (__u64 round = 1; round <= 3; round++) {
			const auto c = f.call(map, OP_TWICE, 1);

			EXPECT(c.error == -EBUSY && !c.put_error && c.count == round);
		}
		EXPECT(f.live() == 1);
	}
	return {};
}

failure ended_leaves_nothing(fixture &f)
{
	for (auto map : maps) {
		EXPECT(f.fresh());
		for (__u32 key = 0; key < 10 * keys; key++) {
			const auto c = f.call(map, OP_END, key % keys);

			EXPECT(!c.error && c.created && c.count == 1 && !c.inherited);
			EXPECT(f.live() == 0);
		}
	}
	return {};
}

failure dropped_begins_anew(fixture &f)
{
	for (auto map : maps) {
		EXPECT(f.fresh());
		EXPECT(f.call(map, OP_PUT, 1).count == 1 && f.call(map, OP_DROP, 1).count == 2);
		EXPECT(f.live() == 0);

		const auto c = f.call(map, OP_PUT, 1);

		EXPECT(c.created && c.count == 1 && !c.inherited && f.live() == 1);
	}
	return {};
}

// Elements go with their frame in them, and other keys get their memory.
failure inherited_is_known(fixture &f)
{
	for (auto map : {MAP_HASH, MAP_GROWING}) {
		__u32 inherited = 0;

		EXPECT(f.fresh());
		for (__u32 round = 0; round < 10; round++) {
			for (__u32 key = 0; key < keys; key++) {
				const auto c = f.call(map, OP_PUT, round * keys + key);

				inherited += c.inherited;
				EXPECT(!c.error && c.created && c.count == 1);
				EXPECT(c.state_key == round * keys + key);
			}
			for (__u32 key = 0; key < keys; key++) {
				EXPECT(f.call(map, OP_PUT, round * keys + key).count == 2);
				EXPECT(f.deleted(map, round * keys + key));
			}
		}
		std::printf("# %s: %u of %u new keys inherited a frame\n",
			    map == MAP_HASH ? "preallocated" : "not preallocated", inherited,
			    9 * keys);
		// The preallocated one gives the same memory out again.
		if (map == MAP_HASH)
			EXPECT((inherited > 0) == deleted_keep_frames());
	}
	return {};
}

// The same key again is another life: not the key tells that, but the generation.
failure own_old_frame_is_not_taken(fixture &f)
{
	for (auto map : maps) {
		__u32 inherited = 0;

		EXPECT(f.fresh());
		for (int i = 0; i < 50; i++) {
			const auto c = f.call(map, OP_PUT, 5);

			inherited += c.inherited;
			EXPECT(!c.error && c.created && c.count == 1);
			EXPECT(f.deleted(map, 5));
		}
		if (map == MAP_HASH)
			EXPECT((inherited > 0) == deleted_keep_frames());
	}
	return {};
}

// Who holds an element that is another key's by now leaves that one's frame alone.
failure stale_element_is_told(fixture &f)
{
	for (auto map : {MAP_HASH, MAP_LRU}) {
		int stale = 0;

		EXPECT(f.fresh());
		for (__u32 i = 0; i < 20; i++) {
			const auto c = f.call(map, OP_STALE, 2 * i, 2 * i + 1);

			// Busy: nobody got the memory yet.
			EXPECT(c.error == -ESTALE || c.error == -EBUSY);
			stale += c.error == -ESTALE;

			const auto other = f.call(map, OP_PUT, 2 * i + 1);

			EXPECT(!other.error && !other.created && other.count == 1);
			EXPECT(!f.call(map, OP_END, 2 * i + 1).error && f.live() == 0);
		}
		EXPECT(map != MAP_HASH || stale > 0);
	}
	return {};
}

// Deleted by somebody else while it was taken.
failure put_too_late(fixture &f)
{
	for (auto map : maps) {
		EXPECT(f.fresh());
		for (int i = 0; i < 20; i++) {
			const auto c = f.call(map, OP_LATE, 3);

			EXPECT(!c.error && c.count == 1);
			if (map == MAP_HASH)
				EXPECT(c.put_error == -ESTALE);
		}
		const auto c = f.call(map, OP_PUT, 3);

		EXPECT(!c.error && c.count == 1 && c.created);
		EXPECT(f.live() <= 21);
	}
	return {};
}

// More keys than the map has room for: each key has its own state, or a new one.
failure evicted_from_lru(fixture &f)
{
	__u32 inherited = 0, created = 0;

	EXPECT(f.fresh());
	for (__u32 i = 0; i < 20 * FRAME_MAP_ENTRIES; i++) {
		// Some come often enough to stay.
		const auto key = i % 2 ? i % 8 : 8 + i * 7919 % (3 * FRAME_MAP_ENTRIES);
		const auto c = f.call(MAP_LRU, OP_PUT, key);

		EXPECT(!c.error && !c.put_error && c.state_key == key);
		EXPECT(c.created == (c.count == 1));
		inherited += c.inherited;
		created += c.created;
		EXPECT(f.live() <= FRAME_MAP_ENTRIES);
	}
	std::printf("# LRU: %u made, %u of them inherited a frame\n", created, inherited);
	EXPECT(created > FRAME_MAP_ENTRIES && created < 15 * FRAME_MAP_ENTRIES);
	EXPECT((inherited > 0) == deleted_keep_frames());
	return {};
}

// Several threads, few keys, and somebody who deletes: nothing is lost, nobody's is taken.
failure meet_in_elements(fixture &f)
{
	for (auto map : maps) {
		std::atomic<int> foreign = 0, wrong = 0, taken = 0;
		std::vector<std::thread> threads;

		EXPECT(f.fresh());
		for (__u32 n = 0; n < 3; n++) {
			threads.emplace_back([&, n] {
				for (__u32 i = 0; i < 1500; i++) {
					const auto key = (i * 31 + n) % 4;
					const auto op = i % 16 == n	  ? OP_END
							: i % 16 == 8 + n ? OP_DROP
									  : OP_PUT;
					const auto c = f.call(map, op, key);

					if (!c.error)
						taken++;
					// No element: deleted as soon as it was made.
					foreign += !c.error && c.state_key != key;
					wrong += c.error && c.error != -EBUSY &&
						 c.error != -ESTALE && c.error != NO_ELEMENT;
					if (i % 10 == 9 && n == 2)
						f.deleted(map, key);
				}
			});
		}
		for (auto &thread : threads)
			thread.join();
		std::printf(
			"# map %d: taken %d of 4500 times, %d foreign states, %d wrong errors\n",
			map, taken.load(), foreign.load(), wrong.load());
		EXPECT(!foreign && !wrong && taken > 1000);
		// Nobody is left out: each key is to be had again.
		for (__u32 key = 0; key < 4; key++)
			EXPECT(!f.call(map, OP_END, key).error);
		EXPECT(f.live() <= FRAME_MAP_ENTRIES);
	}
	return {};
}

failure all_go_with_the_map(fixture &f)
{
	EXPECT(f.fresh());
	return {};
}

constexpr test_case<fixture> cases[] = {
	{"map_kept_by_key", kept_by_key},
	{"map_taken_is_busy", taken_is_busy},
	{"map_ended_leaves_nothing", ended_leaves_nothing},
	{"map_dropped_begins_anew", dropped_begins_anew},
	{"map_inherited_is_known", inherited_is_known},
	{"map_own_old_frame_is_not_taken", own_old_frame_is_not_taken},
	{"map_stale_element_is_told", stale_element_is_told},
	{"map_put_too_late", put_too_late},
	{"map_evicted_from_lru", evicted_from_lru},
	{"map_meet_in_elements", meet_in_elements},
	{"map_all_go_with_the_map", all_go_with_the_map},
};

} // namespace

int main()
{
	fixture f;

	if (!f.fresh()) {
		std::printf("not ok map_load (the programs do not load)\n");
		return 1;
	}
	return run_cases(cases, f);
}
