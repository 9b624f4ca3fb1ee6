// SPDX-License-Identifier: GPL-2.0-only
// status.cc - `kcoro status`: what is attached where, and what it has seen.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/counters.h"
#include "user/labels.h"
#include "user/module.h"
#include "user/pools.h"
#include "user/privileges.h"
#include "user/size.h"
#include "user/sni_names.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

struct sni_state {
	sni_counters counters{};
	kcoro_table_counters table{};
	pool_row pool{};
	size_t names = 0;
	bool cut = false; // the link is there, and leads nowhere
};

// Sums a per-CPU array's only element, which is a struct of __u64.
result<sni_counters> read_counters(const std::string &path)
{
	auto map = open_pinned(path);
	int cpus = libbpf_num_possible_cpus();
	__u32 zero = 0;
	sni_counters sum{};

	if (!map)
		return map.error();
	std::vector<sni_counters> per_cpu(cpus > 0 ? static_cast<size_t>(cpus) : 1);
	if (int err = bpf_map_lookup_elem(map->get(), &zero, per_cpu.data()); err)
		return fail("can't read {}: {}", path, std::strerror(-err));
	for (const auto &one : per_cpu) {
		counters_add(filter_counters, sum, one);
		for (unsigned v = 0; v < SNI_VERDICTS; v++)
			sum.verdict[v] += one.verdict[v];
	}
	return sum;
}

result<kcoro_table_counters> read_table(const std::string &path)
{
	auto program = open_pinned(path);
	sni_read_args args{};

	if (!program)
		return program.error();
	auto ran = run_program(program->get(), &args, sizeof(args));
	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't read the flow table: {}", std::strerror(-*ran));
	// Nothing awaits a key of a flow table: the counters of that stay 0.
	kcoro_table_counters table{};
	table.created = args.created;
	table.ended = args.ended;
	table.expired = args.expired;
	table.entered = args.entered;
	table.busy = args.busy;
	table.full = args.full;
	table.nomem = args.nomem;
	return table;
}

result<sni_state> read_state(const sni_attachment &filter)
{
	sni_state state;
	auto counters = read_counters(filter.pin("counters"));
	auto table = read_table(filter.pin("sni_read"));
	auto names = listed_names(filter);
	auto link = open_pinned(filter.pin("link"));

	for (const failure *why :
	     {counters ? nullptr : &counters.error(), table ? nullptr : &table.error(),
	      names ? nullptr : &names.error(), link ? nullptr : &link.error()})
		if (why)
			return *why;
	auto reader = pool_reader::open();
	if (!reader)
		return reader.error();
	auto pool = reader->read(filter.record.pool_id);
	if (!pool)
		return pool.error();
	state.pool = *pool;
	state.counters = *counters;
	state.table = *table;
	state.names = names->size();
	auto ifindex = link_ifindex(link->get());
	state.cut = ifindex && *ifindex == 0;
	return state;
}

json verdicts_json(const sni_counters &counters)
{
	json object = json::object();

	for (unsigned v = 0; v < SNI_VERDICTS; v++)
		object[verdict_label(v)] = counters.verdict[v];
	return object;
}

std::string verdicts_text(const sni_counters &counters)
{
	std::string text = "  verdicts";

	for (unsigned v = 0; v < SNI_VERDICTS; v++) {
		if (v == SNI_VERDICTS / 2)
			text += "\n          ";
		text += fmt::format("  {} {}", verdict_label(v), counters.verdict[v]);
	}
	return text + "\n";
}

__u64 live_flows(const kcoro_table_counters &table)
{
	return table.created - table.ended - table.expired;
}

void show_half(const sni_attachment &filter, json &list, std::string &text)
{
	list.push_back({{"interface", filter.interface()},
			{"ifindex", filter.record.ifindex},
			{"mode", mode_label(filter.record.mode)},
			{"direction", direction_label(filter.record.direction)},
			{"attached", false},
			{"path", filter.path()}});
	text += fmt::format("sni      {}: half made, filters nothing; `kcoro detach sni {}`\n",
			    filter.title(), filter.record.ifindex);
}

void show(const sni_attachment &filter, const sni_state &state, json &list, std::string &text)
{
	const auto &record = filter.record;
	auto since = made_at(filter.pin("link"));

	list.push_back({{"interface", filter.interface()},
			{"ifindex", record.ifindex},
			{"mode", mode_label(record.mode)},
			{"direction", direction_label(record.direction)},
			{"attached", !state.cut},
			{"since", since},
			{"on_full", on_full_label(record.on_full)},
			{"port", record.port},
			{"max_flows", record.max_flows},
			{"names", state.names},
			{"live_flows", live_flows(state.table)},
			{"table", counters_json(table_counters, state.table)},
			{"verdicts", verdicts_json(state.counters)},
			{"counters", counters_json(filter_counters, state.counters)},
			{"pool", pool_json(state.pool)},
			{"path", filter.path()}});

	text += fmt::format("sni      {} since {}\n", filter.title(), format_time(since));
	if (state.cut)
		text += fmt::format(
			"  filters nothing: the interface has gone, or a detach was killed;\n"
			"  `kcoro detach sni {}` clears it\n",
			record.ifindex);
	text += fmt::format("  names {}  port {}  on-full {}\n", state.names,
			    record.port ? std::to_string(record.port) : "all",
			    on_full_label(record.on_full));
	text += fmt::format("  flows live {} of {}\n", live_flows(state.table), record.max_flows);
	text += counters_text(table_counters, state.table, "  flows ");
	text += fmt::format("  pool {} KiB  quota {}  held {}  live {}  failures {}\n",
			    state.pool.info.name, kib(state.pool.info.quota),
			    kib(state.pool.info.held), kib(state.pool.info.live),
			    pool_sum(state.pool).failures);
	text += counters_text(filter_counters, state.counters, "  ");
	text += verdicts_text(state.counters);
}

void show_histograms(const histogram_pins &pins, json &document, std::string &text)
{
	switch (state_of(pins)) {
	case pinned_state::none:
		text += fmt::format("{:<8} not attached\n", pins.name);
		document[pins.name] = {{"attached", false}};
		return;
	case pinned_state::half:
		text += fmt::format("{:<8} half attached; `kcoro detach {}` clears it\n", pins.name,
				    pins.name);
		document[pins.name] = {{"attached", false}, {"half", true}};
		return;
	case pinned_state::whole:
		break;
	}
	auto since = made_at(pins.link(pins.events.back()));
	text += fmt::format("{:<8} since {}\n", pins.name, format_time(since));
	document[pins.name] = {{"attached", true}, {"since", since}, {"map", pins.map}};
}

outcome status(const output &out)
{
	json document = json::object(), list = json::array();
	std::string text = "module   loaded\n";

	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;

	document["module"] = {{"loaded", true}, {"references", module_references()}};
	for (const auto *pins : all_histogram_pins)
		show_histograms(*pins, document, text);
	for (const auto &filter : sni_attachments()) {
		if (!filter.linked || !filter.has_record) {
			show_half(filter, list, text);
			continue;
		}
		auto state = read_state(filter);
		if (!state)
			return state.error();
		show(filter, *state, list, text);
	}
	if (list.empty())
		text += "sni      not attached\n";
	document["sni"] = list;
	return out.report(document, text);
}

} // namespace

void add_status(CLI::App &app, request &asked)
{
	auto *verb = app.add_subcommand("status", "what is attached, and what it has seen");

	verb->fallthrough();
	verb->footer("EXAMPLES:\n"
		     "  kcoro status\n"
		     "  kcoro -p status");
	verb->callback([&asked] { asked.run = [&asked] { return status(asked.out); }; });
}

} // namespace kcoro
