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

} // namespace

outcome show_sni(const filter_attachment &filter, json &list, std::string &text)
{
	const auto &record = filter.record;
	auto counters = sum_over_cpus<sni_counters>(filter.pin("counters"));
	auto table = read_table(filter.pin("sni_read"));
	auto names = listed_names(filter);
	auto begun = begin_status(filter, "filters");
	auto pool = read_pool(record.pool_id);

	for (const failure *why :
	     {counters ? nullptr : &counters.error(), table ? nullptr : &table.error(),
	      names ? nullptr : &names.error(), begun ? nullptr : &begun.error(),
	      pool ? nullptr : &pool.error()})
		if (why)
			return *why;

	auto &[object, lines] = *begun;
	object.update({{"on_full", on_full_label(record.on_full)},
		       {"port", record.port},
		       {"max_flows", record.max_flows},
		       {"names", names->size()},
		       {"live_flows", live_flows(*table)},
		       {"table", counters_json(table_counters, *table)},
		       {"verdicts", verdicts_json(*counters)},
		       {"counters", counters_json(filter_counters, *counters)},
		       {"pool", pool_json(*pool)},
		       {"path", filter.path()}});
	list.push_back(std::move(object));
	text += lines;
	text += fmt::format("  names {}  port {}  on-full {}\n", names->size(),
			    record.port ? std::to_string(record.port) : "all",
			    on_full_label(record.on_full));
	text += fmt::format("  flows live {} of {}\n", live_flows(*table), record.max_flows);
	text += counters_text(table_counters, *table, "  flows ");
	text += pool_status(*pool);
	text += counters_text(filter_counters, *counters, "  ");
	text += verdicts_text(*counters);
	return done{};
}

} // namespace kcoro
