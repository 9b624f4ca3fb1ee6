// SPDX-License-Identifier: GPL-2.0-only
// pools.h - the module's pools: read one after the other, found by name or number.
#ifndef KCORO_USER_POOLS_H
#define KCORO_USER_POOLS_H

#include "user/bpf.h"
#include "user/output.h"
#include "user/result.h"

#include <linux/types.h>

#include <kcoro/abi.h>
#include <inspect/stats.h>
#include <inspect/pools.h>

#include "pools.skel.h"

#include <string>
#include <vector>

namespace kcoro {

// Reads pools with a program of its own: needs nothing pinned, and no capability once opened.
class pool_reader {
public:
	static result<pool_reader> open();

	// All pools, the oldest first.
	result<std::vector<pool_row>> read() const;

	// The pool of that number.
	result<pool_row> read(__u64 id) const;

	// The pool of that name, or of that number if none is called so. Several of one name
	// are told by their numbers.
	result<pool_row> find(const std::string &word) const;

	// Sets frames of `size` bytes aside: see `kcoro pool reserve`.
	outcome reserve(const pool_row &pool, unsigned long long size, unsigned count) const;

private:
	skeleton<pools_bpf, pools_bpf::destroy> object_;
};

// The pool of that number, with a reader of its own.
result<pool_row> read_pool(__u64 id);

// All levels and classes together.
kcoro_frame_counters pool_sum(const pool_row &pool);

// What it is, has and holds; failures by reason.
json pool_json(const pool_row &pool);

// A line of `kcoro status` on a filter's pool.
std::string pool_status(const pool_row &pool);

// A line in a list of pools, and the line above the first one. Failures have a second line.
std::string pool_heading();
std::string pool_line(const pool_row &pool);

// All of it, in lines that begin with two spaces but for the first.
std::string pool_text(const pool_row &pool);

} // namespace kcoro

#endif
