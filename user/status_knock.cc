// SPDX-License-Identifier: GPL-2.0-only
// status_knock.cc - what `kcoro status` tells of a knock filter; not where one knocks.
#include "user/status.h"

#include "user/counters.h"
#include "user/labels.h"
#include "user/percpu.h"

#include <filters/knock/knock.h>

namespace kcoro {

namespace {

constexpr counter<knock_counters> knock_counter_list[] = {
	{"begun", "begun", 0, "sources", "first knocks", &knock_counters::begun},
	{"wrong", "wrong", 0, "sources", "knocked at another port than the next",
	 &knock_counters::wrong},
	{"late", "late", 0, "sources", "the next knock did not come in time",
	 &knock_counters::late},
	{"opened", "opened", 0, "times", "the port was opened for a source",
	 &knock_counters::opened},
	{"closed", "closed", 0, "times", "and closed again", &knock_counters::closed},
	{"killed", "killed", 0, "sources", "ended because the filter was detached",
	 &knock_counters::killed},
	{"refused", "refused", 0, "sources", "found too many, or no memory",
	 &knock_counters::refused},
	{"passed", "passed", 0, "segments", "SYNs to the port while it was open",
	 &knock_counters::passed},
	{"dropped", "dropped", 0, "segments", "SYNs to the port while it was not",
	 &knock_counters::dropped},
	{"fragments", "fragments", 0, "packets", "IP fragments of TCP: dropped",
	 &knock_counters::fragments},
};

} // namespace

outcome show_knock(const filter_attachment &filter, json &list, std::string &text)
{
	const auto &record = filter.record;
	auto counters = sum_over_cpus<knock_counters>(filter.pin("counters"));
	auto begun = begin_status(filter, "guards");

	if (!counters)
		return counters.error();
	if (!begun)
		return begun.error();
	auto &[object, lines] = *begun;
	object.update({{"port", record.port},
		       {"max_sources", record.max_flows},
		       {"within_seconds", static_cast<double>(record.timeout_ns) / 1e9},
		       {"counters", counters_json(knock_counter_list, *counters)},
		       {"path", filter.path()}});
	list.push_back(std::move(object));
	text += lines;

	text += fmt::format("  guards port {}, for {} sources at a time\n", record.port,
			    record.max_flows);
	text += counters_text(knock_counter_list, *counters, "  ");
	return done{};
}

} // namespace kcoro
