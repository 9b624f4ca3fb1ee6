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
	auto since = made_at(filter.pin(filter.kind->last_link));
	auto counters = sum_over_cpus<dns_counters>(filter.pin("counters"));
	auto waiting = read_waiting(filter);
	auto link = open_pinned(filter.pin(filter.kind->last_link));

	for (const failure *why :
	     {counters ? nullptr : &counters.error(), waiting ? nullptr : &waiting.error(),
	      link ? nullptr : &link.error()})
		if (why)
			return *why;
	auto reader = pool_reader::open();
	if (!reader)
		return reader.error();
	auto pool = reader->read(record.pool_id);
	if (!pool)
		return pool.error();
	auto ifindex = link_ifindex(link->get());
	bool cut = ifindex && *ifindex == 0;

	list.push_back({{"interface", filter.interface()},
			{"ifindex", record.ifindex},
			{"mode", mode_label(record.mode)},
			{"direction", direction_label(record.direction)},
			{"attached", !cut},
			{"since", since},
			{"port", record.port},
			{"timeout_ns", record.timeout_ns},
			{"max_queries", record.max_flows},
			{"waiting", *waiting},
			{"counters", counters_json(dns_filter_counters, *counters)},
			{"pool", pool_json(*pool)},
			{"path", filter.path()}});
	text += fmt::format("dns      {} since {}\n", filter.title(), format_time(since));
	if (cut)
		text += fmt::format("  sees nothing: the interface has gone, or a detach was "
				    "killed;\n  `kcoro detach dns {}` clears it\n",
				    record.ifindex);
	text += fmt::format("  port {}  timeout {} s  waiting {} of {}\n", record.port,
			    static_cast<double>(record.timeout_ns) / 1e9, *waiting,
			    record.max_flows);
	text += counters_text(dns_filter_counters, *counters, "  ");
	text += pool_status(*pool);
	return done{};
}

} // namespace kcoro
