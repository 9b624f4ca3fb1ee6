// SPDX-License-Identifier: GPL-2.0-only
// kfuncs.cc - the kfuncs from outside: frames and the keyed table through BPF
// programs run by BPF_PROG_RUN. Runs in the VM with kcoro.ko loaded; prints
// "ok NAME" or "not ok NAME" per case and ends with 0 when all passed.
//
// With an argument "hold" it makes a table and a frame, prints "holding" and
// waits to be killed: what it held must then go by itself.

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <linux/types.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <kcoro/abi.h>

#include "bpf_case.h"
#include "kfuncs.h"
#include "kfuncs.skel.h"

namespace {

using namespace std::string_literals;

struct skeleton_deleter {
	void operator()(kfuncs_bpf *skeleton) const { kfuncs_bpf__destroy(skeleton); }
};
using skeleton = std::unique_ptr<kfuncs_bpf, skeleton_deleter>;

struct live_frames {
	__s64 live;
	__u64 allocs;
};

kcoro_table_attr good_attr()
{
	kcoro_table_attr attr = {};
	attr.key_size = TEST_KEY_SIZE;
	attr.frame_size = TEST_FRAME_SIZE;
	attr.max_entries = 4;
	std::strcpy(attr.name, "test");
	return attr;
}

class fixture {
public:
	fixture() : skeleton_(kfuncs_bpf__open_and_load()) {}
	explicit operator bool() const { return skeleton_ != nullptr; }

	__u64 create(const kcoro_table_attr &attr)
	{
		test_create call = {};
		call.attr = attr;
		run(skeleton_->progs.create, call);
		return call.table_id;
	}
	void release()
	{
		__u64 unused = 0;
		run(skeleton_->progs.release, unused);
	}
	test_call call(__u64 table, test_op op, __u32 key, __u32 flags = 0, __u64 timeout_ns = 0)
	{
		test_call c = {};
		c.op = op;
		c.flags = flags;
		c.table_id = table;
		c.timeout_ns = timeout_ns;
		std::memcpy(c.key, &key, sizeof(key));
		if (run(skeleton_->progs.call, c))
			c.error = -EIO;
		return c;
	}
	test_call read(__u64 table)
	{
		test_call c = {};
		c.table_id = table;
		run(skeleton_->progs.read_table, c);
		return c;
	}
	test_frames frame(__u32 slot, bool drop, __u32 size = 64)
	{
		test_frames f = {};
		f.data_size = size;
		f.slot = slot;
		f.drop = drop;
		run(skeleton_->progs.keep_frame, f);
		return f;
	}
	// The tracing program, on every CPU that this thread happens to be on.
	bpf_link *attach_trace() { return bpf_program__attach(skeleton_->progs.trace); }
	test_tracing trace()
	{
		bpf_test_run_opts opts = {};
		opts.sz = sizeof(opts);
		bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.trace), &opts);
		return skeleton_->bss->tracing;
	}
	int map_fd() const { return bpf_map__fd(skeleton_->maps.frames); }
	live_frames live()
	{
		live_frames l = {};
		last_ = run(skeleton_->progs.read_live, l);
		return l;
	}
	int last() const { return last_; }

private:
	skeleton skeleton_;
	int last_ = 0;
};

failure bad_attributes(fixture &f)
{
	auto attr = good_attr();
	attr.key_size = 0;
	EXPECT(!f.create(attr));
	attr.key_size = KCORO_KEY_SIZE_MAX + 1;
	EXPECT(!f.create(attr));
	attr = good_attr();
	attr.frame_size = 0;
	EXPECT(!f.create(attr));
	attr.frame_size = KCORO_FRAME_DATA_MAX + 1;
	EXPECT(!f.create(attr));
	attr = good_attr();
	attr.max_entries = 0;
	EXPECT(!f.create(attr));
	attr.max_entries = (1U << 24) + 1;
	EXPECT(!f.create(attr));
	attr = good_attr();
	attr.flags = 1;
	EXPECT(!f.create(attr));
	attr = good_attr();
	std::memset(attr.name, 'x', sizeof(attr.name));
	EXPECT(!f.create(attr));
	attr = good_attr();
	attr.reserved[23] = 1;
	EXPECT(!f.create(attr));
	attr = good_attr();
	attr.pool_id = ~0ULL; // no such pool
	EXPECT(!f.create(attr));
	EXPECT(f.create(good_attr()));
	f.release();
	return {};
}

failure life_of_an_entry(fixture &f)
{
	__u64 t = f.create(good_attr());
	EXPECT(t);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 1).error == -ENOENT);
	auto c = f.call(t, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE);
	EXPECT(c.error == 0 && c.created == 1 && c.value == 1);
	c = f.call(t, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE);
	EXPECT(c.error == 0 && c.created == 0 && c.value == 2);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 2).error == -ENOENT);
	EXPECT(f.call(t, OP_ENTER_TWICE, 1).error == -EBUSY);
	EXPECT(f.call(t, OP_DATA_TOO_LARGE, 1).value == 1);
	c = f.call(t, OP_ENTER_END, 1);
	EXPECT(c.error == 0 && c.value == 4);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 1).error == -ENOENT);
	// The state of a new entry is zero even though the frame was used before.
	c = f.call(t, OP_ENTER_END, 1, KCORO_ENTER_CREATE);
	EXPECT(c.created == 1 && c.value == 1);
	f.release();
	return {};
}

failure wrong_calls(fixture &f)
{
	__u64 t = f.create(good_attr());
	EXPECT(t);
	EXPECT(f.call(t, OP_ENTER_WRONG_KEY_SIZE, 1, KCORO_ENTER_CREATE).error == -EINVAL);
	EXPECT(f.call(t, OP_ENTER_WRONG_FLAG, 1).error == -EINVAL);
	EXPECT(f.call(0, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE).error == -ESTALE);
	EXPECT(f.call(t ^ 1ULL << 40, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE).error == -ESTALE);
	EXPECT(f.read(t ^ 1ULL << 40).error == -ESTALE);
	f.release();
	EXPECT(soon([&] { return f.call(t, OP_ENTER_LEAVE, 1).error == -ESTALE; }));
	return {};
}

failure bounded(fixture &f)
{
	__u64 t = f.create(good_attr());
	for (__u32 key = 0; key < 4; key++)
		EXPECT(f.call(t, OP_ENTER_LEAVE, key, KCORO_ENTER_CREATE).created == 1);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 4, KCORO_ENTER_CREATE).error == -ENOSPC);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 3, KCORO_ENTER_CREATE).error == 0);
	EXPECT(f.call(t, OP_ENTER_END, 0).error == 0);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 4, KCORO_ENTER_CREATE).created == 1);
	EXPECT(f.read(t).value == 4);
	f.release();
	return {};
}

failure deadlines(fixture &f)
{
	__u64 t = f.create(good_attr());
	constexpr __u64 ms = 1000000;
	f.call(t, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE, 100 * ms);
	f.call(t, OP_ENTER_LEAVE, 2, KCORO_ENTER_CREATE, 3600000 * ms);
	f.call(t, OP_ENTER_LEAVE, 3, KCORO_ENTER_CREATE);
	// A deadline that moved closer counts, not the one the timer was first set to.
	f.call(t, OP_ENTER_LEAVE, 4, KCORO_ENTER_CREATE, 3600000 * ms);
	f.call(t, OP_ENTER_LEAVE, 4, 0, 100 * ms);
	EXPECT(soon([&] { return f.read(t).flags == 2; }));
	EXPECT(f.call(t, OP_ENTER_LEAVE, 1).error == -ENOENT);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 4).error == -ENOENT);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 2).error == 0);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 3).error == 0);
	// One that moved away, or was taken back, is not kept to.
	f.call(t, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE, 1000 * ms);
	f.call(t, OP_ENTER_LEAVE, 1, 0, 3600000 * ms);
	f.call(t, OP_ENTER_LEAVE, 4, KCORO_ENTER_CREATE, 1000 * ms);
	f.call(t, OP_ENTER_LEAVE, 4, 0, 0);
	sleep_ms(1500);
	EXPECT(f.read(t).flags == 2);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 1).error == 0);
	EXPECT(f.call(t, OP_ENTER_LEAVE, 4).error == 0);
	f.release();
	return {};
}

failure table_takes_entries_along(fixture &f)
{
	EXPECT(soon([&] { return f.live().live == 0; }));
	__u64 before = f.live().allocs;
	__u64 t = f.create(good_attr());
	for (__u32 key = 0; key < 4; key++)
		f.call(t, OP_ENTER_LEAVE, key, KCORO_ENTER_CREATE, key ? 1000000000ULL * 3600 : 0);
	EXPECT(f.live().live == 4);
	EXPECT(f.live().allocs == before + 4);
	f.release();
	EXPECT(soon([&] { return f.live().live == 0; }));
	return {};
}

failure frames_in_a_map(fixture &f)
{
	EXPECT(f.frame(0, false, 0).result == 0);
	EXPECT(f.frame(0, false, KCORO_FRAME_DATA_MAX + 1).result == 0);
	EXPECT(f.live().live == 0);
	auto r = f.frame(0, false);
	EXPECT(r.result == 1 && r.dirty == 0);
	r = f.frame(0, false);
	EXPECT(r.result == 2 && r.dirty == 0);
	EXPECT(f.live().live == 1);
	r = f.frame(0, false, KCORO_FRAME_DATA_MAX);
	EXPECT(r.result == 2 && r.dirty == 0);
	EXPECT(f.frame(0, true).result == 3);
	EXPECT(f.live().live == 0);
	EXPECT(f.last() == -EINVAL); // reading a level that does not exist
	{
		// Up to 6.x the frame of a deleted element goes at once. Later it stays until
		// the element's memory goes: with the map at the latest.
		fixture other;
		EXPECT(other);
		EXPECT(other.frame(1, false).result == 1);
		__u32 key = 1;
		EXPECT(bpf_map_delete_elem(other.map_fd(), &key) == 0);
	}
	EXPECT(soon([&] { return f.live().live == 0; }));
	return {};
}

failure everything_goes_with_its_owner(fixture &f)
{
	{
		fixture other;
		EXPECT(other);
		__u64 t = other.create(good_attr());
		other.call(t, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE);
		other.call(t, OP_ENTER_LEAVE, 2, KCORO_ENTER_CREATE, 1000000000ULL * 3600);
		other.frame(0, false);
		EXPECT(f.live().live == 3);
	}
	EXPECT(soon([&] { return f.live().live == 0; }));
	return {};
}

// All races of enter, leave, end, deadline and release: afterwards nothing is left.
failure storm(fixture &f)
{
	auto attr = good_attr();
	attr.max_entries = 8;
	std::atomic<__u64> table{f.create(attr)};
	std::atomic<bool> stop{false};
	std::atomic<unsigned> strange{0}, entered{0};
	std::vector<std::thread> threads;

	for (unsigned n = 0; n < 4; n++) {
		threads.emplace_back([&, n] {
			unsigned random = n + 1;
			while (!stop) {
				random = random * 1664525 + 1013904223;
				auto op = random >> 30 ? OP_ENTER_LEAVE : OP_ENTER_END;
				// Deadlines of one to four jiffies: they expire all the time.
				auto c = f.call(table, op, random >> 8 & 15,
						random >> 16 & 3 ? KCORO_ENTER_CREATE : 0,
						(random >> 20 & 3) * 4000000ULL);
				if (!c.error)
					entered++;
				else if (c.error != -ENOENT && c.error != -EBUSY &&
					 c.error != -ENOSPC && c.error != -ESTALE)
					strange++;
			}
		});
	}
	for (int i = 0; i < 20; i++) {
		sleep_ms(100);
		table = f.create(attr); // the old one is released by this
	}
	stop = true;
	for (auto &thread : threads)
		thread.join();
	EXPECT(strange == 0);
	EXPECT(entered > 100);
	f.release();
	EXPECT(soon([&] { return f.live().live == 0; }));
	return {};
}

struct link_deleter {
	void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};

// A tracing program has the magazine alone: nothing at first, then it was filled.
failure tracing_program(fixture &f)
{
	std::unique_ptr<bpf_link, link_deleter> link(f.attach_trace());
	EXPECT(link);
	EXPECT(f.trace().missed > 0);
	EXPECT(soon([&] { return f.trace().got >= 10; }));
	auto seen = f.trace();
	EXPECT(seen.wrong == 0);
	EXPECT(seen.dirty == 0);
	EXPECT(f.live().live == 0);
	return {};
}

int hold()
{
	fixture f;
	__u64 t = f ? f.create(good_attr()) : 0;
	if (!t)
		return 1;
	f.call(t, OP_ENTER_LEAVE, 1, KCORO_ENTER_CREATE, 1000000000ULL * 3600);
	f.frame(0, false);
	if (f.live().live < 2)
		return 1;
	std::puts("holding");
	std::fflush(stdout);
	for (;;)
		pause();
}

} // namespace

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1] == "hold"s)
		return hold();

	fixture f;
	if (!f) {
		std::fprintf(stderr, "kfuncs: the programs don't load: %s\n", std::strerror(errno));
		return 1;
	}
	const test_case<fixture> cases[] = {
		{"kfuncs_bad_attributes", bad_attributes},
		{"kfuncs_life_of_an_entry", life_of_an_entry},
		{"kfuncs_wrong_calls", wrong_calls},
		{"kfuncs_bounded", bounded},
		{"kfuncs_deadlines", deadlines},
		{"kfuncs_table_takes_entries_along", table_takes_entries_along},
		{"kfuncs_frames_in_a_map", frames_in_a_map},
		{"kfuncs_everything_goes_with_its_owner", everything_goes_with_its_owner},
		{"kfuncs_tracing_program", tracing_program},
		{"kfuncs_storm", storm},
	};
	return run_cases(cases, f);
}
