// SPDX-License-Identifier: GPL-2.0-only
// filter_pool.h - the pool of a filter whose coroutines are scheduled.
#ifndef KCORO_USER_FILTER_POOL_H
#define KCORO_USER_FILTER_POOL_H

#include "user/bpf.h"
#include "user/result.h"

#include <linux/types.h>

#include "filter_pool.skel.h"

#include <string>

namespace kcoro {

// Lives as long as this, or as its map that was pinned.
class filter_pool {
public:
	static result<filter_pool> create(const std::string &name, unsigned long long quota);

	__u64 id() const { return id_; }
	// Pins the map as "pool" in that directory.
	outcome pin_to(const std::string &directory) const;

private:
	skeleton<filter_pool_bpf, filter_pool_bpf::destroy> object_;
	__u64 id_ = 0;
};

// The ops of a skeleton get a name, which their shadow has no member for: it stands behind
// the three programs. Before the load.
void name_ops(bpf_map *ops, const std::string &name);

} // namespace kcoro

#endif
