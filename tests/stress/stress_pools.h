// SPDX-License-Identifier: GPL-2.0-only
// stress_pools.h - all pools at the end of the stress: what their counters say, beside
// what the programs and the module have seen.
#ifndef KCORO_STRESS_POOLS_H
#define KCORO_STRESS_POOLS_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

#include <linux/types.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <kcoro/abi.h>

#include "stress_bpf.h"
#include "stress_pools.skel.h"

namespace stress {

class pools {
public:
	bool load()
	{
		skeleton_.reset(stress_pools_bpf__open_and_load());
		return skeleton_ != nullptr;
	}

	// Each allocation that got nothing is counted in its pool with a reason, and nothing else
	// is: `seen` by the programs, with the pool that stayed, and `module` by the module. Of the
	// pools that came and went some had no number any more when it was used: those that got
	// nothing for that are in no counter.
	bool failures_explained(const std::array<std::uint64_t, SOURCES> &seen, std::uint64_t stays,
				std::uint64_t module)
	{
		stress_pool_read all = {}, bpf = {}, own = {};
		// What was under way on other CPUs comes in.
		sleep_ms(300);
		bpf.pool_id = id_of("bpf");
		own.pool_id = stays;
		if (!bpf.pool_id || !read(all) || !read(bpf) || !read(own)) {
			std::puts("a pool cannot be read");
			return false;
		}
		const auto others = all.failures - bpf.failures - own.failures - module;
		std::printf(
			"count failures bpf %llu seen %llu stays %llu seen %llu renewed %lld seen %llu "
			"module %llu\n",
			number(bpf.failures), number(seen[SOURCE_bpf]), number(own.failures),
			number(seen[SOURCE_stays]), static_cast<long long>(others),
			number(seen[SOURCE_renewed]), number(module));
		return bpf.failures == seen[SOURCE_bpf] && own.failures == seen[SOURCE_stays] &&
		       others <= seen[SOURCE_renewed] && all.failures == all.with_reason;
	}

	// The programs are gone, and a little later all of theirs is: two pools are left, the
	// module's default one and that of BPF, and no frame is live in them, nor in the sum that
	// has those in it which are gone.
	bool balance()
	{
		for (int tries = 0; tries < 300; tries++) {
			if (balanced(false))
				break;
			sleep_ms(100);
		}
		return balanced(true);
	}

private:
	struct destroyer {
		void operator()(stress_pools_bpf *what) const { stress_pools_bpf__destroy(what); }
	};

	static unsigned long long number(std::uint64_t n) { return n; }

	static void sleep_ms(long ms)
	{
		timespec t = {ms / 1000, ms % 1000 * 1000000};
		nanosleep(&t, nullptr);
	}

	// The one with pool.pool_id.
	bool read(stress_pool_read &pool)
	{
		bpf_test_run_opts opts = {};
		opts.sz = sizeof(opts);
		opts.ctx_in = &pool.pool_id;
		opts.ctx_size_in = sizeof(pool.pool_id);
		if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.read_pool), &opts) ||
		    opts.retval)
			return false;
		pool = skeleton_->bss->result;
		return true;
	}

	std::uint64_t id_of(const char *name)
	{
		stress_pool_read pool = {};
		while (read(pool) && pool.next_id) {
			pool.pool_id = pool.next_id;
			if (read(pool) && !std::strncmp(pool.name, name, sizeof(pool.name)))
				return pool.pool_id;
		}
		return 0;
	}

	static bool is_balanced(const stress_pool_read &pool)
	{
		return std::all_of(std::begin(pool.frames_live), std::end(pool.frames_live),
				   [](auto live) { return live == 0; }) &&
		       pool.failures == pool.with_reason && !pool.live &&
		       pool.held >= pool.reserved && (!pool.quota || pool.held_most <= pool.quota);
	}

	static void print(const stress_pool_read &pool)
	{
		std::printf(
			"pool %llu \"%.16s\": live %llu held %llu most %llu reserved %llu quota %llu "
			"failures %llu with a reason %llu, frames live by class:",
			number(pool.pool_id), pool.name, number(pool.live), number(pool.held),
			number(pool.held_most), number(pool.reserved), number(pool.quota),
			number(pool.failures), number(pool.with_reason));
		for (auto live : pool.frames_live)
			std::printf(" %lld", static_cast<long long>(live));
		std::puts("");
	}

	bool balanced(bool tell)
	{
		unsigned count = 0;
		bool good = true;
		stress_pool_read pool = {};
		// The first one is the sum.
		do {
			if (!read(pool))
				return false;
			if (tell)
				print(pool);
			good &= is_balanced(pool);
			pool.pool_id = pool.next_id;
		} while (pool.pool_id && ++count);
		return good && count == 2;
	}

	std::unique_ptr<stress_pools_bpf, destroyer> skeleton_;
};

} // namespace stress

#endif // KCORO_STRESS_POOLS_H
