// SPDX-License-Identifier: GPL-2.0-only
// status_dns.cc - what `kcoro status` tells of a dns filter.
#include "user/status.h"

#include "user/dns_counters.h"
#include "user/hist.h"
#include "user/labels.h"
#include "user/percpu.h"
#include "user/pools.h"

#include <algorithm>

namespace kcoro {

namespace {

// Queries that wait, of all servers.
result<long long> read_waiting(const filter_attachment &filter)
{
	auto map = open_pinned(filter.pin("servers"));
	long long waiting = 0;

	if (!map)
		return map.error();
	auto servers = read_map<dns_server_map>(map->get(), filter.pin("servers"));
	if (!servers)
		return servers.error();
	for (const auto &[server, counters] : *servers)
		waiting += counters.waiting;
	return std::max(waiting, 0LL);
}

} // namespace

outcome show_dns(const filter_attachment &filter, json &list, std::string &text)
{
	const auto &record = filter.record;
	auto begun = begin_status(filter, "sees");
	auto counters = sum_over_cpus<dns_counters>(filter.pin("counters"));
	auto waiting = read_waiting(filter);

	for (const failure *why :
	     {counters ? nullptr : &counters.error(), waiting ? nullptr : &waiting.error(),
	      begun ? nullptr : &begun.error()})
		if (why)
			return *why;
	auto pool = read_pool(record.pool_id);
	if (!pool)
		return pool.error();

	auto &[object, lines] = *begun;
	object.update({{"port", record.port},
		       {"timeout_seconds", static_cast<double>(record.timeout_ns) / 1e9},
		       {"max_queries", record.max_flows},
		       {"waiting", *waiting},
		       {"counters", counters_json(dns_filter_counters, *counters)},
		       {"pool", pool_json(*pool)},
		       {"path", filter.path()}});
	list.push_back(std::move(object));
	text += lines;
	text += fmt::format("  port {}  timeout {} s  waiting {} of {}\n", record.port,
			    static_cast<double>(record.timeout_ns) / 1e9, *waiting,
			    record.max_flows);
	text += counters_text(dns_filter_counters, *counters, "  ");
	text += pool_status(*pool);
	return done{};
}

} // namespace kcoro
