// SPDX-License-Identifier: GPL-2.0-only
// status_handshake.cc - what `kcoro status` tells of a handshake filter.
#include "user/status.h"

#include "user/handshake_counters.h"
#include "user/percpu.h"
#include "user/pools.h"
#include "user/size.h"

#include <algorithm>
#include <numeric>

namespace kcoro {

namespace {

struct handshake_state {
	handshake_counters counters{};
	pool_row pool{};
	bool cut = false; // the link is there, and leads nowhere
};

result<handshake_state> read_state(const filter_attachment &filter)
{
	handshake_state state;
	auto counters = sum_over_cpus<handshake_counters>(filter.pin("counters"));
	auto link = open_pinned(filter.pin(handshake_kind.last_link));

	if (!counters)
		return counters.error();
	if (!link)
		return link.error();
	auto reader = pool_reader::open();
	if (!reader)
		return reader.error();
	auto pool = reader->read(filter.record.pool_id);
	if (!pool)
		return pool.error();
	state.counters = *counters;
	state.pool = *pool;
	auto ifindex = link_ifindex(link->get());
	state.cut = ifindex && *ifindex == 0;
	return state;
}

// A handshake may end between the reading of two CPUs' counters.
__u64 half_open(const handshake_counters &counters)
{
	auto ended = std::accumulate(std::begin(counters.ended), std::end(counters.ended), __u64{});

	return counters.begun - std::min(ended, counters.begun);
}

void show(const filter_attachment &filter, const handshake_state &state, json &list,
	  std::string &text)
{
	const auto &record = filter.record;
	auto since = made_at(filter.pin(handshake_kind.last_link));
	double timeout = static_cast<double>(record.timeout_ns) / 1e9;

	list.push_back({{"interface", filter.interface()},
			{"ifindex", record.ifindex},
			{"mode", mode_label(record.mode)},
			{"direction", direction_label(record.direction)},
			{"attached", !state.cut},
			{"since", since},
			{"port", record.port},
			{"timeout_seconds", timeout},
			{"limit", record.limit},
			{"max_flows", record.max_flows},
			{"half_open", half_open(state.counters)},
			{"counters", counters_json(handshake_counter_list, state.counters)},
			{"ended", handshake_ends_json(state.counters.ended)},
			{"pool", pool_json(state.pool)},
			{"path", filter.path()}});

	text += fmt::format("handshake {} since {}\n", filter.title(), format_time(since));
	if (state.cut)
		text += fmt::format(
			"  follows nothing: the interface has gone, or a detach was killed;\n"
			"  `kcoro detach handshake {}` clears it\n",
			record.ifindex);
	text += fmt::format("  port {}  timeout {} s  limit {}\n",
			    record.port ? std::to_string(record.port) : "all", timeout,
			    record.limit ? std::to_string(record.limit) : "none");
	text += fmt::format("  half open {} of {}\n", half_open(state.counters), record.max_flows);
	text += counters_text(handshake_counter_list, state.counters, "  ");
	text += "  ended";
	for (unsigned end = 0; end < HANDSHAKE_ENDS; end++)
		text += fmt::format("{}  {} {}", end == HANDSHAKE_ENDS / 2 ? "\n       " : "",
				    handshake_end_label(end), state.counters.ended[end]);
	text += fmt::format("\n  pool {} KiB  quota {}  held {}  live {}  failures {}\n",
			    state.pool.info.name, kib(state.pool.info.quota),
			    kib(state.pool.info.held), kib(state.pool.info.live),
			    pool_sum(state.pool).failures);
}

} // namespace

outcome show_handshake(const filter_attachment &filter, json &list, std::string &text)
{
	auto state = read_state(filter);

	if (!state)
		return state.error();
	show(filter, *state, list, text);
	return done{};
}

} // namespace kcoro
