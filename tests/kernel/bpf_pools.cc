// SPDX-License-Identifier: GPL-2.0-only
// bpf_pools.cc - pools of BPF programs from outside: quota, reserve, statistics, and that
// a pool lives exactly as long as something of it. Runs in the VM with kcoro.ko loaded;
// prints "ok NAME" or "not ok NAME" per case and ends with 0 when all passed.
//
//   bpf_pools [GROUP]
//
// With the folder of a memory cgroup: what a pool does whose creator was in that group, and
// the group is at its limit.

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <linux/types.h>
#include <sched.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <kcoro/abi.h>

#include "bpf_case.h"
#include "bpf_pools.h"
#include "bpf_pools.skel.h"

namespace {

struct skeleton_deleter {
	void operator()(bpf_pools_bpf *skeleton) const { bpf_pools_bpf__destroy(skeleton); }
};
using skeleton = std::unique_ptr<bpf_pools_bpf, skeleton_deleter>;

constexpr __u64 kib = 1024;
constexpr __u32 class_1k = KCORO_CLASS_1024B;

kcoro_bpf_pool_attr good_attr(__u64 quota = 64 * kib)
{
	kcoro_bpf_pool_attr attr = {};
	attr.quota = quota;
	std::strcpy(attr.name, "test");
	return attr;
}

class fixture {
public:
	fixture() : skeleton_(bpf_pools_bpf__open_and_load()) {}
	explicit operator bool() const { return skeleton_ != nullptr; }

	// The pool before it is released. 0: not made, and error() tells why.
	__u64 create(const kcoro_bpf_pool_attr &attr, bool wrong_size = false, __u32 slot = 0)
	{
		test_pool call = {};
		call.attr = attr;
		call.wrong_size = wrong_size;
		call.slot = slot;
		if (run(skeleton_->progs.pool_create, call))
			return 0;
		error_ = call.attr.error;
		return call.id;
	}
	int error() const { return error_; }
	void release(__u32 slot = 0)
	{
		test_pool call = {};
		call.slot = slot;
		run(skeleton_->progs.pool_release, call);
	}
	// Beside it.
	__u64 create_second(__u64 quota) { return create(good_attr(quota), false, 1); }
	void release_second() { release(1); }
	__u64 create_table(__u64 pool)
	{
		test_pool_table call = {pool, 0};
		run(skeleton_->progs.table_create, call);
		return call.id;
	}
	void release_table()
	{
		__u64 unused = 0;
		run(skeleton_->progs.table_release, unused);
	}
	int enter(__u64 table, __u64 key)
	{
		test_enter call = {table, key, 0};
		run(skeleton_->progs.table_enter, call);
		return call.error;
	}
	int keep(__u64 pool, __u32 slot, __u32 size = TEST_STATE)
	{
		test_frame call = {pool, slot, 0, size, 0};
		run(skeleton_->progs.frame_keep, call);
		return call.result;
	}
	int drop(__u32 slot)
	{
		test_frame call = {0, slot, 1, 0, 0};
		run(skeleton_->progs.frame_keep, call);
		return call.result;
	}
	// Takes until there is no more; how many.
	__u32 take_all(__u64 pool, __u32 size = TEST_STATE)
	{
		__u32 n = 0;
		while (n < TEST_SLOTS && keep(pool, n, size) == 1)
			n++;
		return n;
	}
	void drop_all(__u32 n)
	{
		while (n)
			drop(--n);
	}
	int reserve(__u64 pool, __u32 size, __u32 count)
	{
		test_reserve call = {pool, size, count};
		return run(skeleton_->progs.reserve, call);
	}
	// 0 as the pool: the sum of all.
	int read(__u64 pool, test_read &out)
	{
		out = {};
		out.pool_id = pool;
		return run(skeleton_->progs.read, out);
	}
	test_read read(__u64 pool)
	{
		test_read out;
		read(pool, out);
		return out;
	}
	bool gone(__u64 pool)
	{
		test_read unused;
		return read(pool, unused) == -ENOENT;
	}
	// No frame is to be had from it any more.
	bool closed(__u64 pool)
	{
		if (!keep(pool, TEST_SLOTS - 1))
			return true;
		drop(TEST_SLOTS - 1);
		return false;
	}
	__u64 next(__u64 pool)
	{
		run(skeleton_->progs.next, pool);
		return pool;
	}
	// The tracing program, run so many times.
	bool trace(__u64 pool, unsigned times)
	{
		auto *bss = skeleton_->bss;
		bss->traced_pool = pool;
		bss->traced_got = bss->traced_missed = bss->traced_wrong = 0;
		bpf_link *link = bpf_program__attach(skeleton_->progs.trace);
		if (!link)
			return false;
		for (unsigned i = 0; i < times; i++) {
			bpf_test_run_opts opts = {};
			opts.sz = sizeof(opts);
			bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.trace), &opts);
		}
		bpf_link__destroy(link);
		return !bss->traced_wrong;
	}
	__u32 traced_got() const { return skeleton_->bss->traced_got; }
	__u32 traced_missed() const { return skeleton_->bss->traced_missed; }

private:
	skeleton skeleton_;
	int error_ = 0;
};

failure bad_attributes(fixture &f)
{
	auto attr = good_attr(0); // never unlimited
	EXPECT(!f.create(attr) && f.error() == -EINVAL);
	attr = good_attr(1ULL << 63);
	EXPECT(!f.create(attr) && f.error() == -EINVAL);
	attr = good_attr();
	attr.flags = 1;
	EXPECT(!f.create(attr) && f.error() == -EINVAL);
	attr = good_attr();
	attr.name[0] = 0;
	EXPECT(!f.create(attr) && f.error() == -EINVAL);
	std::memset(attr.name, 'x', sizeof(attr.name));
	EXPECT(!f.create(attr) && f.error() == -EINVAL);
	attr = good_attr();
	attr.reserved[31] = 1;
	EXPECT(!f.create(attr) && f.error() == -EINVAL);
	EXPECT(!f.create(good_attr(), true) && f.error() == -EINVAL);
	EXPECT(f.create(good_attr()) && f.error() == 0);
	f.release();
	return {};
}

failure wrong_numbers(fixture &f)
{
	__u64 pool = f.create(good_attr());
	EXPECT(pool);
	EXPECT(f.keep(pool + 1000, 0) == 0);
	EXPECT(f.keep(f.next(0), 0) == 0); // the default pool, which is not one of BPF
	EXPECT(f.keep(pool, 0, 0) == 0);
	EXPECT(f.keep(pool, 0, KCORO_FRAME_DATA_MAX + 1) == 0);
	EXPECT(!f.create_table(pool + 1000));
	EXPECT(!f.create_table(f.next(0)));
	EXPECT(f.gone(pool + 1000));
	EXPECT(f.reserve(pool + 1000, 100, 1) == -ENOENT);
	EXPECT(f.read(pool).counters.allocs == 0);
	f.release();
	EXPECT(soon([&] { return f.gone(pool); }));
	EXPECT(f.keep(pool, 0) == 0);
	return {};
}

failure quota(fixture &f)
{
	__u64 pool = f.create(good_attr());
	EXPECT(pool);
	EXPECT(f.take_all(pool) == 64);
	auto r = f.read(pool);
	EXPECT(!std::strcmp(r.info.name, "test") && r.info.id == pool);
	EXPECT(r.info.quota == 64 * kib && r.info.held == 64 * kib && r.info.live == 64 * kib);
	EXPECT(r.counters.failures == 1 && r.counters.failed_quota == 1);
	// It is this pool's alone.
	EXPECT(f.keep(0, 100) == 1);
	EXPECT(f.drop(100) == 3);
	// So is a table of it out of memory, and says so.
	__u64 table = f.create_table(pool);
	EXPECT(table);
	EXPECT(f.enter(table, 1) == -ENOMEM);
	EXPECT(f.drop(0) == 3);
	EXPECT(f.enter(table, 1) == 0);
	EXPECT(f.enter(table, 2) == -ENOMEM);
	r = f.read(pool);
	EXPECT(r.counters.failed_quota == 3 && r.counters.failed_slab == 0);
	f.drop_all(64);
	f.release_table();
	EXPECT(soon([&] { return f.read(pool).info.live == 0; }));
	f.release();
	EXPECT(soon([&] { return f.gone(pool); }));
	return {};
}

failure reserve(fixture &f)
{
	constexpr __u32 size = TEST_STATE + KCORO_FRAME_HEADER;
	__u64 pool = f.create(good_attr());
	EXPECT(pool);
	EXPECT(f.reserve(pool, 0, 1) == -EINVAL);
	EXPECT(f.reserve(pool, KCORO_FRAME_SIZE_MAX + 1, 1) == -EINVAL);
	EXPECT(f.reserve(pool, size, 65) == -EDQUOT);
	EXPECT(f.reserve(pool, size, 8) == 0);
	auto r = f.read(pool);
	EXPECT(r.info.reserve_there[class_1k] == 8 && r.info.reserve_wanted[class_1k] == 8);
	EXPECT(r.info.reserved == 8 * kib && r.info.live == 0);
	EXPECT(f.take_all(pool) == 64);
	r = f.read(pool);
	EXPECT(r.counters.reserve == 8 && r.counters.failures == 1);
	f.drop_all(64);
	// Filled up again in the background.
	EXPECT(soon([&] { return f.read(pool).info.reserve_there[class_1k] == 8; }));
	EXPECT(f.reserve(pool, size, 0) == 0);
	EXPECT(f.read(pool).info.reserved == 0);
	f.release();
	EXPECT(soon([&] { return f.gone(pool); }));
	return {};
}

failure tracing(fixture &f)
{
	__u64 pool = f.create(good_attr());
	EXPECT(pool);
	EXPECT(f.reserve(pool, TEST_TRACING_STATE + KCORO_FRAME_HEADER, 1) == 0);
	// Without the reserve the first one of a class fails.
	EXPECT(f.trace(pool, 1));
	EXPECT(f.traced_got() > 0 && f.traced_missed() == 0);
	EXPECT(f.read(pool).counters.reserve > 0);
	f.release();
	EXPECT(soon([&] { return f.gone(pool); }));
	EXPECT(f.trace(pool, 1));
	EXPECT(f.traced_got() == 0 && f.traced_missed() > 0);
	return {};
}

failure outlives_owner(fixture &f)
{
	auto before = f.read(0).counters;
	__u64 pool = f.create(good_attr());
	EXPECT(pool);
	EXPECT(f.keep(pool, 0) == 1);
	f.release();
	// Its number stops working for new ones; the frame is still one of the pool.
	EXPECT(soon([&] { return f.closed(pool); }));
	sleep_ms(200);
	EXPECT(f.read(pool).info.live == kib);
	EXPECT(f.drop(0) == 3);
	EXPECT(soon([&] { return f.gone(pool); }));

	// A table holds its pool, and goes on allocating from it.
	pool = f.create(good_attr());
	__u64 table = f.create_table(pool);
	EXPECT(table);
	f.release();
	EXPECT(soon([&] { return f.closed(pool); }));
	EXPECT(f.enter(table, 1) == 0);
	EXPECT(f.enter(table, 2) == 0);
	EXPECT(f.read(pool).info.live == 2 * kib);
	f.release_table();
	EXPECT(soon([&] { return f.gone(pool); }));

	// What pools that are gone have counted stays in the sum.
	auto after = f.read(0).counters;
	EXPECT(after.allocs >= before.allocs + 3 && after.frees >= before.frees + 3);
	EXPECT(after.allocs - after.frees == before.allocs - before.frees);
	return {};
}

failure goes_with_its_maps(fixture &f)
{
	__u64 pool;
	{
		fixture other;
		EXPECT(other);
		pool = other.create(good_attr());
		EXPECT(pool);
		EXPECT(other.keep(pool, 0) == 1);
		__u64 table = other.create_table(pool);
		EXPECT(other.enter(table, 1) == 0);
		EXPECT(f.read(pool).info.live == 2 * kib);
		// By number it is for everybody.
		EXPECT(f.keep(pool, 2) == 1);
	}
	EXPECT(soon([&] { return f.read(pool).info.live == kib; }));
	EXPECT(f.drop(2) == 3);
	EXPECT(soon([&] { return f.gone(pool); }));
	return {};
}

// All races of create, release, alloc, free and tables: afterwards no pool is left.
failure storm(fixture &f)
{
	std::atomic<__u64> pool{f.create(good_attr())}, table{0};
	std::atomic<bool> stop{false};
	std::atomic<unsigned> kept{0};
	std::vector<std::thread> threads;

	for (unsigned n = 0; n < 3; n++) {
		threads.emplace_back([&, n] {
			unsigned random = n + 1;
			while (!stop) {
				random = random * 1664525 + 1013904223;
				__u32 slot = random >> 8 & 31;
				if (random >> 31)
					kept += f.keep(pool, slot, 1 + (random >> 16 & 2047)) > 0;
				else if (random >> 30)
					f.drop(slot);
				else
					f.enter(table, random >> 16 & 255);
			}
		});
	}
	for (int i = 0; i < 40; i++) {
		sleep_ms(50);
		pool = f.create(good_attr()); // the old one is released by this
		if (i % 4 == 0)
			table = f.create_table(pool);
	}
	stop = true;
	for (auto &thread : threads)
		thread.join();
	EXPECT(kept > 100);
	f.release();
	f.release_table();
	f.drop_all(32);
	// Two stay: the default one, and that of BPF.
	EXPECT(soon([&] { return f.next(f.next(f.next(0))) == 0; }));
	EXPECT(f.next(f.next(0)) != 0);
	auto sum = f.read(0).counters;
	EXPECT(sum.allocs == sum.frees);
	return {};
}

// A file of the memory cgroup.
bool write(const std::string &path, const std::string &text)
{
	const std::unique_ptr<std::FILE, int (*)(std::FILE *)> f(std::fopen(path.c_str(), "w"),
								 std::fclose);
	return f && std::fputs(text.c_str(), f.get()) >= 0 && !std::fflush(f.get());
}

// Made by this process while it is in the group; it is not there when the limit comes, so
// that all that is charged there is the pool's.
__u64 create_in(fixture &f, const std::string &group, const kcoro_bpf_pool_attr &attr)
{
	const std::string self = std::to_string(getpid());
	if (!write(group + "/cgroup.procs", self))
		return 0;
	const __u64 pool = f.create(attr);
	return write(group + "/../cgroup.procs", self) ? pool : 0;
}

// Frames of 8 KiB: 2 MiB in all slots, and the limit is half of that. The quota is not in the
// way.
failure at_the_limit(fixture &f, const std::string &group)
{
	constexpr __u32 size = KCORO_FRAME_DATA_MAX, spare = 8;
	constexpr __u64 quota = 64 * 1024 * kib;
	const __u64 pool = create_in(f, group, good_attr(quota)), other = f.create_second(quota);
	EXPECT(pool && other);
	EXPECT(f.reserve(pool, size + KCORO_FRAME_HEADER, spare) == 0);
	EXPECT(write(group + "/memory.max", "1M"));
	const __u32 n = f.take_all(pool, size);
	auto r = f.read(pool);
	std::printf("%u frames of 8 KiB in 1 MiB, %llu of them of the reserve\n", n,
		    static_cast<unsigned long long>(r.counters.reserve));
	EXPECT(n > 64 && n <= 128);
	// The reserve was charged before, and served to the last frame.
	EXPECT(r.counters.reserve >= spare);
	EXPECT(r.counters.failures == 1 && r.counters.failed_slab == 1);
	EXPECT(r.info.live == n * 8 * kib);
	EXPECT(f.reserve(pool, size + KCORO_FRAME_HEADER, 128) == -ENOMEM);
	// So is a table of it out of memory, and says so; and tracing programs get nothing.
	const __u64 table = f.create_table(pool);
	EXPECT(table);
	int err = 0;
	for (__u64 key = 0; key < 1000 && !err; key++)
		err = f.enter(table, key);
	EXPECT(err == -ENOMEM);
	r = f.read(pool);
	EXPECT(r.counters.failures == 2 && r.counters.failed_slab == 2);
	EXPECT(f.trace(pool, 1));
	EXPECT(f.traced_got() == 0 && f.traced_missed() > 0);
	EXPECT(f.read(pool).counters.failed_context > 0);
	// It is this group's alone: others have theirs.
	EXPECT(f.keep(0, TEST_SLOTS - 1, size) == 1 && f.drop(TEST_SLOTS - 1) == 3);
	EXPECT(f.keep(other, TEST_SLOTS - 1, size) == 1 && f.drop(TEST_SLOTS - 1) == 3);
	// What comes back serves, and the reserve is filled up again.
	f.release_table();
	f.drop_all(n);
	EXPECT(soon([&] { return f.read(pool).info.live == 0; }));
	EXPECT(soon([&] { return f.read(pool).info.reserve_there[KCORO_CLASS_8192B] == spare; }));
	EXPECT(f.keep(pool, 0, size) == 1 && f.drop(0) == 3);
	// With a higher limit there is more.
	EXPECT(write(group + "/memory.max", "max"));
	EXPECT(f.take_all(pool, size) == TEST_SLOTS);
	f.drop_all(TEST_SLOTS);
	f.release();
	f.release_second();
	EXPECT(soon([&] { return f.gone(pool) && f.gone(other); }));
	return {};
}

} // namespace

int main(int argc, char **argv)
{
	// A quota is reached to the frame only if no other CPU caches any.
	cpu_set_t first, all;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_getaffinity(0, sizeof(all), &all) ||
	    sched_setaffinity(0, sizeof(first), &first)) {
		std::perror("bpf_pools: affinity");
		return 1;
	}
	fixture f;
	if (!f) {
		std::fprintf(stderr, "bpf_pools: the programs don't load: %s\n",
			     std::strerror(errno));
		return 1;
	}
	if (argc > 1) {
		const failure result = at_the_limit(f, argv[1]);
		std::printf("%s bpf_pools_at_the_limit (line %d)\n", result.line ? "not ok" : "ok",
			    result.line);
		return result.line ? 1 : 0;
	}
	const test_case<fixture> cases[] = {
		{"bpf_pools_bad_attributes", bad_attributes},
		{"bpf_pools_wrong_numbers", wrong_numbers},
		{"bpf_pools_quota", quota},
		{"bpf_pools_reserve", reserve},
		{"bpf_pools_tracing", tracing},
		{"bpf_pools_outlives_owner", outlives_owner},
		{"bpf_pools_goes_with_its_maps", goes_with_its_maps},
	};
	const test_case<fixture> everywhere[] = {
		{"bpf_pools_storm", storm},
	};
	int failed = run_cases(cases, f);
	sched_setaffinity(0, sizeof(all), &all);
	return run_cases(everywhere, f) || failed ? 1 : 0;
}
