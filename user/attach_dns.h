// SPDX-License-Identifier: GPL-2.0-only
// attach_dns.h - what `kcoro attach dns` was asked for.
#ifndef KCORO_USER_ATTACH_DNS_H
#define KCORO_USER_ATTACH_DNS_H

#include "user/attach_filter.h"
#include "user/output.h"
#include "user/result.h"

#include <string>

namespace kcoro {

struct dns_request {
	filter_place place;
	unsigned port = 53;
	double timeout = 10; // seconds
	unsigned max_queries = 16384;
	std::string name;		   // of pool and coroutines; empty: dns-INTERFACE
	unsigned long long pool_quota = 0; // bytes; 0: filter_pool_quota()
};

// Loads, pins and links the filter; leaves nothing behind when it fails.
outcome attach_dns(dns_request asked, const output &out);

} // namespace kcoro

#endif
