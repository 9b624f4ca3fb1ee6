// SPDX-License-Identifier: GPL-2.0-only
// status_sni.cc - what `kcoro status` tells of an sni filter.
#include "user/status.h"

#include "user/counters.h"
#include "user/labels.h"
#include "user/percpu.h"
#include "user/pools.h"
#include "user/sni_names.h"

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

result<sni_state> read_state(const filter_attachment &filter)
{
	sni_state state;
	auto counters = sum_over_cpus<sni_counters>(filter.pin("counters"));
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

void show(const filter_attachment &filter, const sni_state &state, json &list, std::string &text)
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
	text += pool_status(state.pool);
	text += counters_text(filter_counters, state.counters, "  ");
	text += verdicts_text(state.counters);
}

} // namespace

outcome show_sni(const filter_attachment &filter, json &list, std::string &text)
{
	auto state = read_state(filter);

	if (!state)
		return state.error();
	show(filter, *state, list, text);
	return done{};
}

} // namespace kcoro
