// SPDX-License-Identifier: GPL-2.0-only
// diff.h - two revisions row by row, each measured several times.
#ifndef KCORO_BENCH_DIFF_H
#define KCORO_BENCH_DIFF_H

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "rows.h"

namespace bench {

// A figure of one row over the runs of a revision.
struct figure {
	std::vector<double> values;

	double middle() const
	{
		auto sorted = values;
		std::sort(sorted.begin(), sorted.end());
		return sorted[sorted.size() / 2];
	}
	double spread() const
	{
		const auto [least, most] = std::minmax_element(values.begin(), values.end());
		return *most - *least;
	}
};

// A change counts when it is more than the row itself moved from run to run, with
// room for three runs not having shown all of it; and never below one instruction
// and one percent, which the layout of the code alone can make.
inline double threshold(const figure &base, const figure &head)
{
	return std::max({1.0, base.middle() / 100, 2 * std::max(base.spread(), head.spread())});
}

enum class verdict { same, worse, better, gone, added };

struct figures {
	figure min, median;
};

// One line of the result: a figure of a row that changed, or a row that came or went.
struct change {
	row of;
	verdict what = verdict::same;
	const char *figure = "";
	double base = 0, head = 0, limit = 0;
};

struct comparison {
	std::vector<change> changes;
	unsigned rows = 0; // that both have

	bool has_worse() const
	{
		return std::any_of(changes.begin(), changes.end(), [](const change &c) {
			return c.what == verdict::worse || c.what == verdict::gone;
		});
	}
};

using run = std::vector<row>;

// The key as text keeps the rows of one operation and level together.
inline std::string text_of(const row &r)
{
	return fmt::format("{}|{}|{}|{}|{:08}|{}|{}|{}", r.kernel, r.operation, r.level, r.pattern,
			   r.size, r.cpus, r.unit, r.subject);
}

inline std::map<std::string, std::pair<row, figures>> gather(const std::vector<run> &runs)
{
	std::map<std::string, std::pair<row, figures>> all;
	for (const run &one : runs) {
		for (const row &r : one) {
			auto &[of, f] = all[text_of(r)];
			of = r;
			f.min.values.push_back(r.min);
			f.median.values.push_back(r.median);
		}
	}
	return all;
}

inline void compare_figure(comparison &result, const row &of, const char *name, const figure &base,
			   const figure &head)
{
	const double limit = threshold(base, head);
	const double by = head.middle() - base.middle();
	if (std::abs(by) > limit)
		result.changes.push_back({of, by > 0 ? verdict::worse : verdict::better, name,
					  base.middle(), head.middle(), limit});
}

inline comparison compare(const std::vector<run> &base_runs, const std::vector<run> &head_runs)
{
	const auto base = gather(base_runs), head = gather(head_runs);
	comparison result;
	for (const auto &[key, entry] : base) {
		const auto &[of, was] = entry;
		const auto found = head.find(key);
		if (found == head.end()) {
			result.changes.push_back({of, verdict::gone});
			continue;
		}
		const figures &is = found->second.second;
		result.rows++;
		compare_figure(result, of, "min", was.min, is.min);
		compare_figure(result, of, "median", was.median, is.median);
	}
	for (const auto &[key, entry] : head)
		if (!base.contains(key))
			result.changes.push_back({entry.first, verdict::added});
	return result;
}

inline void print_changes(const comparison &result, verdict what, std::string_view title)
{
	bool first = true;
	for (const change &c : result.changes) {
		if (c.what != what)
			continue;
		if (first)
			fmt::print("\n{}\n", title);
		first = false;
		fmt::print("  {:<19}{:<8}{:<10}{:>4}", c.of.subject, c.of.level, c.of.pattern,
			   c.of.size);
		if (*c.figure)
			fmt::print(" {:<6} {:>9.2f} {:>9.2f} {:>+7.1f}%", c.figure, c.base, c.head,
				   c.base > 0 ? (c.head - c.base) * 100 / c.base : 0.0);
		fmt::print("\n");
	}
}

inline void print_comparison(const comparison &result)
{
	fmt::print(
		"Guest instructions, not time: lock, cli, popf cost more; kmalloc zeroes memory.\n"
		"A change counts above twice the row's own spread, 1 % and 1 instruction.\n");
	print_changes(result, verdict::worse, "Worse: base, now");
	print_changes(result, verdict::gone, "Gone, or not to be had any more:");
	print_changes(result, verdict::better, "Better: base, now");
	print_changes(result, verdict::added, "New:");
	const auto count = [&](verdict what) {
		return std::count_if(result.changes.begin(), result.changes.end(),
				     [&](const change &c) { return c.what == what; });
	};
	fmt::print("\n{} rows compared: {} figures worse, {} better; {} rows gone, {} new\n",
		   result.rows, count(verdict::worse), count(verdict::better), count(verdict::gone),
		   count(verdict::added));
}

} // namespace bench

#endif // KCORO_BENCH_DIFF_H
