// SPDX-License-Identifier: GPL-2.0-only
// dns_counters.h - the counters of the dns filter: the one declaration of each.
#ifndef KCORO_USER_DNS_COUNTERS_H
#define KCORO_USER_DNS_COUNTERS_H

#include "user/counters.h"

#include <filters/dns/dns.h>

#include <cstring>
#include <map>

namespace kcoro {

struct dns_server_order {
	bool operator()(const dns_server &a, const dns_server &b) const
	{
		return std::memcmp(a.address, b.address, sizeof(a.address)) < 0;
	}
};
using dns_server_map = std::map<dns_server, dns_server_counters, dns_server_order>;

inline constexpr counter<dns_counters> dns_filter_counters[] = {
	{"queries", "queries", 0, "messages", "that ask, retries among them",
	 &dns_counters::queries},
	{"answers", "answers", 0, "messages", "that answer", &dns_counters::answers},
	{"spawned", "spawned", 0, "coroutines", "queries that waited for their answer",
	 &dns_counters::spawned},
	{"retries", "retries", 0, "messages", "the same query again, while it waits",
	 &dns_counters::retries},
	{"unasked", "unasked", 0, "messages", "answers that nobody waited for",
	 &dns_counters::unasked},
	{"refused_limit", "refused-limit", 0, "queries", "not followed: --max-queries wait",
	 &dns_counters::refused_limit},
	{"refused_memory", "refused-memory", 0, "queries", "not followed: no frame to be had",
	 &dns_counters::refused_memory},
	{"refused_other", "refused-other", 0, "queries", "not followed: being detached",
	 &dns_counters::refused_other},
	{"malformed", "malformed", 0, "messages", "that cannot be read", &dns_counters::malformed},
	{"fragments", "fragments", 0, "packets", "IP fragments: not read",
	 &dns_counters::fragments},
	{"streams", "tcp-streams", 0, "streams", "directions of TCP connections that were read",
	 &dns_counters::streams},
	{"gaps", "tcp-gaps", 0, "streams", "of them, given up for a missing segment",
	 &dns_counters::gaps},
	{"busy", "tcp-busy", 0, "segments", "not read: another CPU was in the stream",
	 &dns_counters::busy},
	{"no_stream", "tcp-unread", 0, "streams", "not read: table full, or no memory",
	 &dns_counters::no_stream},
	{"servers_full", "servers-full", 0, "queries", "outcomes not counted: too many servers",
	 &dns_counters::servers_full},
};

// Those of one server, which may not only grow: waiting.
inline constexpr counter<dns_server_counters> dns_server_columns[] = {
	{"answered", "answered", 10, "queries", "answered in time", &dns_server_counters::answered},
	{"timeouts", "timeouts", 10, "queries", "not answered in time",
	 &dns_server_counters::timeouts},
	{"retries", "retries", 10, "messages", "the same query again, while it waits",
	 &dns_server_counters::retries},
	{"broken", nullptr, 0, "queries", "that waited when the filter was detached",
	 &dns_server_counters::broken},
};

} // namespace kcoro

#endif
