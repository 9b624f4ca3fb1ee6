// SPDX-License-Identifier: GPL-2.0-only
// hist_handshake.cc - `kcoro hist handshake`: how long TCP handshakes take, and the sources
// with most that never finish.
#include "user/verbs.h"

#include "user/address.h"
#include "user/bpffs.h"
#include "user/filters.h"
#include "user/handshake_counters.h"
#include "user/hist.h"
#include "user/loop.h"
#include "user/module.h"
#include "user/privileges.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

namespace kcoro {

namespace {

constexpr size_t most_sources = 10; // in a report

struct by_bytes {
	template <typename Key> bool operator()(const Key &a, const Key &b) const
	{
		return std::memcmp(&a, &b, sizeof(Key)) < 0;
	}
};
using latencies = std::map<handshake_latency_key, handshake_latency, by_bytes>;
using sources = std::map<handshake_source_key, handshake_source, by_bytes>;

// An attached filter whose maps are open.
struct followed {
	std::string title, latency_path, source_path;
	std::string interface;
	descriptor latency, source;
	latencies last_latencies;
	sources last_sources;
};

result<std::vector<followed>> open_filters(const std::string &interface)
{
	auto found = find_whole_filters(handshake_kind, interface);
	std::vector<followed> all;

	if (!found)
		return found.error();
	for (const auto &filter : *found) {
		followed one;
		one.title = filter.title();
		one.interface = filter.interface();
		one.latency_path = filter.pin("handshake_latency_ns");
		one.source_path = filter.pin("handshake_sources");
		auto latency = open_pinned(one.latency_path);
		if (!latency)
			return latency.error();
		auto source = open_pinned(one.source_path);
		if (!source)
			return source.error();
		one.latency = std::move(*latency);
		one.source = std::move(*source);
		all.push_back(std::move(one));
	}
	return all;
}

// The kernel begins again at the front when the entry that a walk has come to makes room
// for another: hence the bound.
result<sources> read_sources(const followed &from)
{
	handshake_source_key key{}, next{};
	void *at = nullptr;
	sources all;

	for (unsigned i = 0; i < 2 * HANDSHAKE_SOURCES; i++) {
		handshake_source one{};

		if (bpf_map_get_next_key(from.source.get(), at, &next))
			break;
		key = next;
		at = &key;
		int err = bpf_map_lookup_elem(from.source.get(), &key, &one);
		if (err && err != -ENOENT)
			return fail("can't read {}: {}", from.source_path, std::strerror(-err));
		if (!err)
			all[key] = one;
	}
	return all;
}

__u64 never_finished(const handshake_source &one)
{
	return one.ended[HANDSHAKE_UNANSWERED] + one.ended[HANDSHAKE_RESET] +
	       one.ended[HANDSHAKE_ABANDONED];
}

// What it has more than when it was last seen; half_open is that of now.
handshake_source since_last(const handshake_source &now, const sources &last,
			    const handshake_source_key &key)
{
	auto before = last.find(key);
	auto change = now;

	if (before == last.end() || before->second.born_ns != now.born_ns)
		return change;
	change.begun -= before->second.begun;
	change.dropped -= before->second.dropped;
	for (unsigned end = 0; end < HANDSHAKE_ENDS; end++)
		change.ended[end] -= before->second.ended[end];
	return change;
}

using source_rows = std::vector<std::pair<handshake_source_key, handshake_source>>;

// Those with most that never finish or are dropped, and no others.
source_rows worst(const sources &now, const sources &last)
{
	auto weight = [](const auto &row) {
		return never_finished(row.second) + row.second.dropped;
	};
	source_rows rows;

	for (const auto &[key, one] : now) {
		rows.emplace_back(key, since_last(one, last, key));
		if (!weight(rows.back()))
			rows.pop_back();
	}
	std::stable_sort(rows.begin(), rows.end(),
			 [&](const auto &a, const auto &b) { return weight(a) > weight(b); });
	if (rows.size() > most_sources)
		rows.resize(most_sources);
	return rows;
}

json source_json(const handshake_source_key &key, const handshake_source &one)
{
	json row = {{"source", mapped_address(key.address)},
		    {"begun", one.begun},
		    {"half_open", one.half_open},
		    {"dropped", one.dropped}};

	row.update(handshake_ends_json(one.ended));
	return row;
}

std::string source_text(const source_rows &rows)
{
	if (rows.empty())
		return "no source with handshakes that never finish\n";
	auto text =
		fmt::format("{:<39} {:>6} {:>7} {:>6} {:>6} {:>9}\n", "never finished, by source",
			    "noansw", "abandon", "reset", "drops", "half-open");
	for (const auto &[key, one] : rows)
		text += fmt::format("{:<39} {:>6} {:>7} {:>6} {:>6} {:>9}\n",
				    mapped_address(key.address), one.ended[HANDSHAKE_UNANSWERED],
				    one.ended[HANDSHAKE_ABANDONED], one.ended[HANDSHAKE_RESET],
				    one.dropped, one.half_open);
	return text;
}

// Adds what the filter has seen since the last report.
outcome add_report(followed &of, json &list, std::string &text)
{
	auto now = read_map<latencies>(of.latency.get(), of.latency_path);
	auto here = read_sources(of);
	json histograms = json::array(), worst_sources = json::array();
	bool any = false;

	if (!now)
		return now.error();
	if (!here)
		return here.error();
	text += fmt::format("{}{}\n", text.empty() ? "" : "\n", of.title);
	for (const auto &[key, one] : *now) {
		auto change = since(one, of.last_latencies[key]);
		if (change.count == 0)
			continue;
		any = true;
		histograms.push_back({{"span", handshake_span_label(key.span)}});
		add_histogram(histograms.back(), change);
		text += histogram_text(handshake_span_label(key.span), change) + "\n";
	}
	if (!any)
		text += "no handshake got an answer\n";
	auto rows = worst(*here, of.last_sources);
	for (const auto &[key, one] : rows)
		worst_sources.push_back(source_json(key, one));
	text += source_text(rows);
	list.push_back({{"interface", of.interface},
			{"histograms", std::move(histograms)},
			{"sources", std::move(worst_sources)}});
	of.last_latencies = std::move(*now);
	of.last_sources = std::move(*here);
	return done{};
}

outcome hist(const std::string &interface, const schedule &when, const output &out)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	auto filters = open_filters(interface);
	if (!filters)
		return filters.error();
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;

	return run_schedule(when, out, [&](bool first) -> outcome {
		json list = json::array();
		std::string text;

		for (auto &one : *filters)
			if (auto added = add_report(one, list, text); !added)
				return added;
		if (!first)
			if (auto spaced = out.text("\n"); !spaced)
				return spaced;
		return out.report({{"filters", std::move(list)}}, text);
	});
}

} // namespace

void add_hist_handshake(const cli_verb &above)
{
	auto verb = above.add("handshake", "of TCP handshakes (attach handshake first)");
	auto when = std::make_shared<schedule>();
	auto interface = std::make_shared<std::string>();

	add_interface(verb, *interface);
	add_schedule(verb, *when);
	verb.footer(
		"SPANS:\n"
		"  server ns  from the SYN to the SYN-ACK\n"
		"  client ns  from the SYN-ACK to the ACK\n"
		"  whole  ns  from the SYN to the ACK\n"
		"Below them the sources with most handshakes that never finish: no SYN-ACK\n"
		"(noansw), no ACK (abandon), RST in place of the ACK (reset), SYNs dropped over\n"
		"the limit (drops).\n\n"
		"EXAMPLES:\n"
		"  kcoro hist handshake           since handshake was attached\n"
		"  kcoro hist handshake eth0 5 3  then what each 5 seconds add, three reports\n");
	verb.action([=](const output &out) { return hist(*interface, *when, out); });
}

} // namespace kcoro
