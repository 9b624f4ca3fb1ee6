// SPDX-License-Identifier: GPL-2.0-only
// counters.h - the one declaration of each counter; text, JSON and help come from it.
#ifndef KCORO_USER_COUNTERS_H
#define KCORO_USER_COUNTERS_H

#include "user/output.h"

#include <linux/types.h>

#include <kcoro/abi.h>
#include <filters/sni/sni.h>

#include <string>

namespace kcoro {

template <typename Struct> struct counter {
	const char *name;    // in JSON
	const char *heading; // of a text column; null: not shown as text
	int width;	     // of that column, if it stands in a table
	const char *unit;
	const char *help;
	__u64 Struct::*value;
};

inline constexpr counter<kcoro_frame_counters> frame_counters[] = {
	{"allocs", "allocs", 10, "frames", "successful allocations", &kcoro_frame_counters::allocs},
	{"frees", "frees", 10, "frames", "frees", &kcoro_frame_counters::frees},
	{"alloc_misses", "misses", 8, "frames", "allocations that found both magazines empty",
	 &kcoro_frame_counters::alloc_misses},
	{"free_misses", "frmiss", 8, "frames", "frees that found both magazines full",
	 &kcoro_frame_counters::free_misses},
	{"failures", "failures", 8, "calls", "allocations that got no memory",
	 &kcoro_frame_counters::failures},
	{"refills", nullptr, 0, "batches", "batches taken from the slab",
	 &kcoro_frame_counters::refills},
	{"drains", nullptr, 0, "batches", "batches given back to the slab",
	 &kcoro_frame_counters::drains},
	{"deferred", "deferred", 8, "frames", "frees that had to wait for a worker",
	 &kcoro_frame_counters::deferred},
	{"exchanges", nullptr, 0, "magazines", "magazines exchanged with the depot",
	 &kcoro_frame_counters::exchanges},
	{"reserve", nullptr, 0, "frames", "allocations that the reserve served",
	 &kcoro_frame_counters::reserve},
	{"failed_quota", nullptr, 0, "calls", "failures: the pool's quota",
	 &kcoro_frame_counters::failed_quota},
	{"failed_slab", nullptr, 0, "calls", "failures: the slab had no memory",
	 &kcoro_frame_counters::failed_slab},
	{"failed_context", nullptr, 0, "calls", "failures: nothing cached where the slab is barred",
	 &kcoro_frame_counters::failed_context},
	{"failed_injected", nullptr, 0, "calls", "failures: the fault point",
	 &kcoro_frame_counters::failed_injected},
};

inline constexpr counter<kcoro_table_counters> table_counters[] = {
	{"created", "created", 0, "flows", "flows entered in the table",
	 &kcoro_table_counters::created},
	{"ended", "ended", 0, "flows", "flows ended by the filter", &kcoro_table_counters::ended},
	{"expired", "expired", 0, "flows", "flows ended by their deadline",
	 &kcoro_table_counters::expired},
	{"entered", nullptr, 0, "segments", "successful enters", &kcoro_table_counters::entered},
	{"busy", "busy", 0, "segments", "another CPU was in the flow", &kcoro_table_counters::busy},
	{"full", "full", 0, "flows", "refused: the table was full", &kcoro_table_counters::full},
	{"nomem", "nomem", 0, "flows", "refused: no frame to be had", &kcoro_table_counters::nomem},
	{"awaited", nullptr, 0, "coroutines", "coroutines that awaited or held a key",
	 &kcoro_table_counters::awaited},
	{"woken", nullptr, 0, "values", "values that they were given",
	 &kcoro_table_counters::woken},
	{"unclaimed", nullptr, 0, "wakes", "wakes of a key that nobody awaited",
	 &kcoro_table_counters::unclaimed},
	{"overrun", nullptr, 0, "wakes", "wakes of a key whose holder has values to take",
	 &kcoro_table_counters::overrun},
};

inline constexpr counter<sni_counters> filter_counters[] = {
	{"segments", "segments", 0, "segments", "TCP segments with payload",
	 &sni_counters::segments},
	{"bytes", "bytes", 0, "bytes", "their payload", &sni_counters::bytes},
	{"hellos", "hellos", 0, "flows", "flows judged from a ClientHello", &sni_counters::hellos},
	{"ech", "ech", 0, "flows", "hellos with an encrypted_client_hello extension",
	 &sni_counters::ech},
	{"suspended", "suspended", 0, "times", "the parser waited for the next segment",
	 &sni_counters::suspended},
	{"early", "early", 0, "segments", "dropped because an earlier one is missing",
	 &sni_counters::early},
	{"repeated", "repeated", 0, "segments", "held no new byte: passed",
	 &sni_counters::repeated},
	{"dropped", "dropped", 0, "segments", "dropped by a verdict or by policy",
	 &sni_counters::dropped},
	{"busy", "busy", 0, "segments", "dropped because another CPU was in the flow",
	 &sni_counters::busy},
	{"unknown", "unknown", 0, "segments", "of flows that are not tracked: passed",
	 &sni_counters::unknown},
	{"fragments", "fragments", 0, "packets", "IP fragments: passed unseen",
	 &sni_counters::fragments},
	{"foreign", "foreign", 0, "segments", "dropped because they lie before the flow's SYN",
	 &sni_counters::foreign},
	{"events_lost", "events-lost", 0, "events", "the ring buffer had no room for",
	 &sni_counters::events_lost},
};

// {"name": value, ...} of all counters.
template <typename Struct, size_t N>
json counters_json(const counter<Struct> (&all)[N], const Struct &values)
{
	json object = json::object();

	for (const auto &one : all)
		object[one.name] = values.*one.value;
	return object;
}

// "heading value  heading value ..." of those shown as text, broken into lines of at most
// 80 columns that begin with `indent`.
template <typename Struct, size_t N>
std::string counters_text(const counter<Struct> (&all)[N], const Struct &values,
			  const std::string &indent)
{
	std::string text, line;

	for (const auto &one : all) {
		if (!one.heading)
			continue;
		auto word = fmt::format("{}{} {}", line.empty() ? indent : "  ", one.heading,
					values.*one.value);
		if (!line.empty() && line.size() + word.size() > 80) {
			text += line + "\n";
			line = indent + word.substr(2);
		} else {
			line += word;
		}
	}
	return text + line + "\n";
}

// Adds (sign 1) or takes away (sign -1) every counter.
template <typename Struct, size_t N>
void counters_add(const counter<Struct> (&all)[N], Struct &to, const Struct &from, int sign = 1)
{
	for (const auto &one : all)
		to.*one.value += static_cast<__u64>(sign) * from.*one.value;
}

} // namespace kcoro

#endif
