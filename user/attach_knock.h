// SPDX-License-Identifier: GPL-2.0-only
// attach_knock.h - what `kcoro attach knock` was asked for.
#ifndef KCORO_USER_ATTACH_KNOCK_H
#define KCORO_USER_ATTACH_KNOCK_H

#include "user/attach_filter.h"
#include "user/output.h"
#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

struct knock_request {
	filter_place place;
	std::vector<unsigned> ports; // to knock at
	unsigned open = 22;
	double within = 10, stay = 30; // seconds
	unsigned max_sources = 1024;
	std::string name;		   // of pool and coroutines; empty: knock-INTERFACE
	unsigned long long pool_quota = 0; // bytes; 0: filter_pool_quota()
};

// Loads, pins and links the filter; leaves nothing behind when it fails.
outcome attach_knock(knock_request asked, const output &out);

} // namespace kcoro

#endif
