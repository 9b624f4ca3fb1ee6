// SPDX-License-Identifier: GPL-2.0-only
// status_handshake.cc - what `kcoro status` tells of a handshake filter.
#include "user/status.h"

#include "user/handshake_counters.h"
#include "user/percpu.h"
#include "user/pools.h"

#include <algorithm>
#include <numeric>

namespace kcoro {

namespace {

// A handshake may end between the reading of two CPUs' counters.
__u64 half_open(const handshake_counters &counters)
{
	auto ended = std::accumulate(std::begin(counters.ended), std::end(counters.ended), __u64{});

	return counters.begun - std::min(ended, counters.begun);
}

} // namespace

outcome show_handshake(const filter_attachment &filter, json &list, std::string &text)
{
	const auto &record = filter.record;
	auto counters = sum_over_cpus<handshake_counters>(filter.pin("counters"));
	auto begun = begin_status(filter, "follows");
	double timeout = static_cast<double>(record.timeout_ns) / 1e9;

	if (!counters)
		return counters.error();
	if (!begun)
		return begun.error();
	auto pool = read_pool(record.pool_id);
	if (!pool)
		return pool.error();

	auto &[object, lines] = *begun;
	object.update({{"port", record.port},
		       {"timeout_seconds", timeout},
		       {"limit", record.limit},
		       {"max_flows", record.max_flows},
		       {"half_open", half_open(*counters)},
		       {"counters", counters_json(handshake_counter_list, *counters)},
		       {"ended", handshake_ends_json(counters->ended)},
		       {"pool", pool_json(*pool)},
		       {"path", filter.path()}});
	list.push_back(std::move(object));
	text += lines;
	text += fmt::format("  port {}  timeout {} s  limit {}\n",
			    record.port ? std::to_string(record.port) : "all", timeout,
			    record.limit ? std::to_string(record.limit) : "none");
	text += fmt::format("  half open {} of {}\n", half_open(*counters), record.max_flows);
	text += counters_text(handshake_counter_list, *counters, "  ");
	text += "  ended";
	for (unsigned end = 0; end < HANDSHAKE_ENDS; end++)
		text += fmt::format("{}  {} {}", end == HANDSHAKE_ENDS / 2 ? "\n       " : "",
				    handshake_end_label(end), counters->ended[end]);
	text += "\n" + pool_status(*pool);
	return done{};
}

} // namespace kcoro
