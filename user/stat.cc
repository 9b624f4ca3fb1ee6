// SPDX-License-Identifier: GPL-2.0-only
// stat.cc - `kcoro stat`: frames allocated, freed and live, by class and level.
#include "user/verbs.h"

#include "user/counters.h"
#include "user/labels.h"
#include "user/loop.h"
#include "user/module.h"
#include "user/pools.h"
#include "user/privileges.h"
#include "user/stats.h"

#include <memory>
#include <optional>

namespace kcoro {

namespace {

bool active(const kcoro_frame_counters &counters)
{
	for (const auto &one : frame_counters)
		if (counters.*one.value)
			return true;
	return false;
}

std::string heading()
{
	auto text = fmt::format("{:<6} {:<7}", "class", "level");

	for (const auto &one : frame_counters)
		if (one.heading)
			text += fmt::format(" {:>{}}", one.heading, one.width);
	return text + fmt::format(" {:>7}\n", "live");
}

// Frames may be freed at another level than they were allocated at, so that `live` has a
// meaning over all levels only.
std::string line(const std::string &size_class, const std::string &level,
		 const kcoro_frame_counters &counters, const std::string &live)
{
	auto text = fmt::format("{:<6} {:<7}", size_class, level);

	for (const auto &one : frame_counters)
		if (one.heading)
			text += fmt::format(" {:>{}}", counters.*one.value, one.width);
	return text + fmt::format(" {:>7}\n", live);
}

__s64 live_of(const kcoro_frame_counters &counters)
{
	return static_cast<__s64>(counters.allocs - counters.frees);
}

// One report. `now` gives what lives, `change` what happened since the last report. With a
// pool, its bytes too.
outcome print(const frame_rows &now, const frame_rows &change, const pool_row *pool,
	      const output &out)
{
	json classes = json::array();
	auto text = heading();
	kcoro_frame_counters total{}, total_now{};

	for (unsigned c = 0; c < KCORO_CLASSES; c++) {
		kcoro_frame_counters sum{}, sum_now{};
		json levels = json::array();

		for (unsigned l = 0; l < KCORO_LEVELS; l++) {
			const auto &row = change[l * KCORO_CLASSES + c].counters;

			counters_add(frame_counters, sum, row);
			counters_add(frame_counters, sum_now, now[l * KCORO_CLASSES + c].counters);
			if (!active(row))
				continue;
			json one{{"level", level_label(l)}};
			one.update(counters_json(frame_counters, row));
			levels.push_back(std::move(one));
			text += line(class_label(c), level_label(l), row, "");
		}
		counters_add(frame_counters, total, sum);
		counters_add(frame_counters, total_now, sum_now);
		if (!active(sum) && live_of(sum_now) == 0)
			continue;
		if (levels.size() != 1)
			text += line(class_label(c), "all", sum, std::to_string(live_of(sum_now)));
		else // one level alone is its own sum
			text.replace(text.size() - 8, 7, fmt::format("{:>7}", live_of(sum_now)));
		classes.push_back({{"class_bytes", class_bytes(c)},
				   {"live", live_of(sum_now)},
				   {"levels", levels}});
	}
	text += line("total", "all", total, std::to_string(live_of(total_now)));

	json all = counters_json(frame_counters, total);
	all["live"] = live_of(total_now);
	json document{{"classes", classes}, {"total", all}};
	if (pool) {
		document["pool"] = pool_json(*pool);
		text += pool_text(*pool);
	}
	return out.report(document, text);
}

frame_rows rows_of(const pool_row &pool)
{
	frame_rows rows{};

	for (size_t i = 0; i < rows.size(); i++) {
		rows[i].level = static_cast<kcoro_level>(i / KCORO_CLASSES);
		rows[i].size_class = static_cast<kcoro_class>(i % KCORO_CLASSES);
		rows[i].counters = pool.frames[i];
	}
	return rows;
}

// What is read for each report: a pool, and its rows; or the rows of all, and no pool.
using source = std::function<outcome(frame_rows &now, std::optional<pool_row> &pool)>;

// Loads what `word` (a pool's name or number, or nothing) needs.
result<source> open_source(const std::string &word)
{
	if (word.empty()) {
		auto reader = frame_reader::open();

		if (!reader)
			return reader.error();
		auto shared = std::make_shared<frame_reader>(std::move(*reader));
		return source([=](frame_rows &now, std::optional<pool_row> &) -> outcome {
			auto rows = shared->read();

			if (!rows)
				return rows.error();
			now = *rows;
			return done{};
		});
	}
	auto reader = pool_reader::open();
	if (!reader)
		return reader.error();
	auto found = reader->find(word);
	if (!found)
		return found.error();
	auto shared = std::make_shared<pool_reader>(std::move(*reader));
	return source([=, id = found->info.id](frame_rows &now,
					       std::optional<pool_row> &pool) -> outcome {
		auto row = shared->read(id);

		if (!row)
			return row.error();
		now = rows_of(*row);
		pool = *row;
		return done{};
	});
}

outcome stat(const schedule &when, const std::string &word, const output &out)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	auto from = open_source(word);
	if (!from)
		return from.error();
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;

	frame_rows last{};
	return run_schedule(when, out, [&](bool first) -> outcome {
		std::optional<pool_row> pool;
		frame_rows now{};

		if (auto was_read = (*from)(now, pool); !was_read)
			return was_read;
		auto change = now;
		for (size_t i = 0; i < change.size(); i++)
			counters_add(frame_counters, change[i].counters, last[i].counters, -1);
		last = now;
		if (!first)
			if (auto spaced = out.text("\n"); !spaced)
				return spaced;
		return print(now, change, pool ? &*pool : nullptr, out);
	});
}

std::string footer()
{
	std::string text = "COUNTERS:\n";

	for (const auto &one : frame_counters)
		text += fmt::format("  {:<13} {:<8} {}\n", one.heading ? one.heading : one.name,
				    one.unit, one.help);
	return text + "  live          frames   allocated and not yet freed, over all levels\n\n"
		      "EXAMPLES:\n"
		      "  kcoro stat            all pools, since the module was loaded\n"
		      "  kcoro stat --pool bpf one pool, with its bytes, failures and sizes\n"
		      "  kcoro stat 1 10       then what each second adds, ten reports\n"
		      "  kcoro stat -j | jq .total";
}

} // namespace

void add_stat(const cli_verb &app)
{
	auto verb = app.add("stat", "frames: allocations, frees, live, misses");
	auto when = std::make_shared<schedule>();
	auto pool = std::make_shared<std::string>();

	add_schedule(verb, *when);
	verb.option("--pool", *pool, "this pool alone: its name or number").value("POOL");
	verb.footer(footer());
	verb.action([=](const output &out) { return stat(*when, *pool, out); });
}

} // namespace kcoro
