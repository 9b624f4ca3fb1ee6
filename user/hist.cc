// SPDX-License-Identifier: GPL-2.0-only
// hist.cc - `kcoro hist`: latency histograms of allocations and frees.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/histogram.h"
#include "user/labels.h"
#include "user/module.h"
#include "user/privileges.h"

#include <latency/latency.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <tuple>

namespace kcoro {

namespace {

// In the order in which they are printed.
using histogram_key = std::tuple<unsigned, unsigned, unsigned>; // operation, class, level
using histograms = std::map<histogram_key, latency_histogram>;

struct latency_pins {
	descriptor histograms;
	descriptor lost;
	std::vector<descriptor> programs;
};

result<latency_pins> open_latency()
{
	auto map = open_pinned(latency_map_pin);
	auto lost = open_pinned(latency_lost_pin);

	if (latency_attached() != latency_state::whole || !map || !lost)
		return fail("latency is not attached: run `kcoro attach latency` first");
	latency_pins pins{std::move(*map), std::move(*lost), {}};
	for (const auto &path : {latency_alloc_pin, latency_free_pin}) {
		auto link = open_pinned(path);
		if (!link)
			return link.error();
		auto program = link_program(link->get());
		if (!program)
			return program.error();
		pins.programs.push_back(std::move(*program));
	}
	return pins;
}

// Events that no histogram has: no entry could be made for them, or they came while the
// program was at work on another one (NMI).
result<__u64> count_lost(const latency_pins &pins)
{
	latency_lost lost{};
	__u32 zero = 0;

	if (int err = bpf_map_lookup_elem(pins.lost.get(), &zero, &lost); err)
		return fail("can't read {}: {}", latency_lost_pin, std::strerror(-err));
	for (const auto &program : pins.programs) {
		auto misses = program_misses(program.get());

		if (!misses)
			return misses.error();
		lost.events += *misses;
	}
	return lost.events;
}

result<histograms> read_histograms(int map)
{
	latency_key key{}, next{};
	void *from = nullptr;
	histograms all;

	while (bpf_map_get_next_key(map, from, &next) == 0) {
		latency_histogram one{};

		key = next;
		from = &key;
		if (int err = bpf_map_lookup_elem(map, &key, &one); err)
			return fail("can't read {}: {}", latency_map_pin, std::strerror(-err));
		all[{key.operation, key.size_class, key.level}] = one;
	}
	return all;
}

// What `now` has more than `last`; the count is that of the buckets, which an update
// under way may be ahead of.
latency_histogram since(const latency_histogram &now, const latency_histogram &last)
{
	latency_histogram change{};

	change.sum_ns = now.sum_ns - last.sum_ns;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		change.bucket_log2_ns[i] = now.bucket_log2_ns[i] - last.bucket_log2_ns[i];
		change.count += change.bucket_log2_ns[i];
	}
	return change;
}

json rows_json(const std::vector<histogram_row> &rows)
{
	json list = json::array();

	for (const auto &row : rows) {
		json one{{"from", row.from}, {"to", row.to}, {"count", row.count}};

		if (row.to == UINT64_MAX)
			one["to"] = nullptr; // no upper end
		list.push_back(std::move(one));
	}
	return list;
}

outcome print(const histograms &changes, __u64 lost, const output &out)
{
	json list = json::array();
	std::string text;

	for (const auto &[key, one] : changes) {
		auto [operation, size_class, level] = key;
		auto rows = histogram_rows(std::vector<uint64_t>(
			one.bucket_log2_ns, one.bucket_log2_ns + LATENCY_BUCKETS));

		if (one.count == 0)
			continue;
		list.push_back({{"operation", operation_label(operation)},
				{"level", level_label(level)},
				{"class_bytes", class_bytes(size_class)},
				{"unit", "ns"},
				{"count", one.count},
				{"sum", one.sum_ns},
				{"rows", rows_json(rows)}});
		text += fmt::format("{}{} {} {}: {} in all, average {} ns\n",
				    text.empty() ? "" : "\n", operation_label(operation),
				    class_label(size_class), level_label(level), one.count,
				    one.sum_ns / one.count);
		text += draw_histogram(rows, "ns");
	}
	if (text.empty())
		text = "no frame was allocated or freed\n";
	if (lost)
		text += fmt::format("{} events could not be recorded\n", lost);
	return out.report({{"histograms", list}, {"lost", lost}}, text);
}

outcome hist(const schedule &when, const output &out)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	auto pins = open_latency();
	if (!pins)
		return pins.error();
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;

	histograms last;
	__u64 last_lost = 0;
	return run_schedule(when, out, [&](bool first) -> outcome {
		auto now = read_histograms(pins->histograms.get());
		auto lost = count_lost(*pins);
		histograms changes;

		if (!now)
			return now.error();
		if (!lost)
			return lost.error();
		for (const auto &[key, one] : *now)
			changes[key] = since(one, last[key]);
		auto newly_lost = *lost - last_lost;
		last = *now;
		last_lost = *lost;
		if (!first)
			if (auto spaced = out.text("\n"); !spaced)
				return spaced;
		return print(changes, newly_lost, out);
	});
}

} // namespace

void add_hist(CLI::App &app, request &asked)
{
	auto *verb = app.add_subcommand("hist", "latency histograms (attach latency first)");
	auto when = std::make_shared<schedule>();

	verb->fallthrough();
	add_schedule(*verb, *when);
	verb->footer("EXAMPLES:\n"
		     "  kcoro hist          since latency was attached\n"
		     "  kcoro hist 5 3      then what each 5 seconds add, three reports\n"
		     "  kcoro -p hist\n\n"
		     "Row n counts what took 2^n to 2^(n+1)-1 ns.");
	verb->callback([=, &asked] { asked.run = [=, &asked] { return hist(*when, asked.out); }; });
}

} // namespace kcoro
