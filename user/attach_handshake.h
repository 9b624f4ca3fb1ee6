// SPDX-License-Identifier: GPL-2.0-only
// attach_handshake.h - what `kcoro attach handshake` was asked for.
#ifndef KCORO_USER_ATTACH_HANDSHAKE_H
#define KCORO_USER_ATTACH_HANDSHAKE_H

#include "user/attach_filter.h"
#include "user/output.h"
#include "user/result.h"

#include <string>

namespace kcoro {

struct handshake_request {
	filter_place place;
	double timeout = 5; // seconds
	unsigned port = 0;  // 0: all
	unsigned limit = 0; // half-open handshakes of a source; 0: none
	unsigned max_flows = 16384;
	std::string name;		   // of pool and coroutines; empty: handshake-INTERFACE
	unsigned long long pool_quota = 0; // bytes; 0: filter_pool_quota()
};

// Loads, pins and links the filter; leaves nothing behind when it fails.
outcome attach_handshake(handshake_request asked, const output &out);

} // namespace kcoro

#endif
