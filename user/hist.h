// SPDX-License-Identifier: GPL-2.0-only
// hist.h - what all sorts of latency histograms in maps have in common: count, sum_ns and
// bucket_log2_ns, which only grow.
#ifndef KCORO_USER_HIST_H
#define KCORO_USER_HIST_H

#include "user/bpf.h"
#include "user/histogram.h"
#include "user/output.h"
#include "user/result.h"

#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

namespace kcoro {

// The map's elements, into a std::map of the same types.
template <typename Map> result<Map> read_map(int map, const std::string &path)
{
	typename Map::key_type key{}, next{};
	void *from = nullptr;
	Map all;

	while (bpf_map_get_next_key(map, from, &next) == 0) {
		typename Map::mapped_type one{};

		key = next;
		from = &key;
		// One that has gone meanwhile is none.
		int err = bpf_map_lookup_elem(map, &key, &one);
		if (err && err != -ENOENT)
			return fail("can't read {}: {}", path, std::strerror(-err));
		if (!err)
			all[key] = one;
	}
	return all;
}

// What `now` has more than `last`; the count is that of the buckets, which an update
// under way may be ahead of.
template <typename Histogram> Histogram since(const Histogram &now, const Histogram &last)
{
	Histogram change{};

	change.sum_ns = now.sum_ns - last.sum_ns;
	for (size_t i = 0; i < std::size(now.bucket_log2_ns); i++) {
		change.bucket_log2_ns[i] = now.bucket_log2_ns[i] - last.bucket_log2_ns[i];
		change.count += change.bucket_log2_ns[i];
	}
	return change;
}

template <typename Histogram> std::vector<histogram_row> rows_of(const Histogram &one)
{
	return histogram_rows(std::vector<uint64_t>(std::begin(one.bucket_log2_ns),
						    std::end(one.bucket_log2_ns)));
}

// Count, sum and rows, added to an object.
template <typename Histogram> void add_histogram(json &object, const Histogram &one)
{
	json rows = json::array();

	for (const auto &row : rows_of(one)) {
		rows.push_back({{"from", row.from}, {"to", row.to}, {"count", row.count}});
		if (row.to == UINT64_MAX)
			rows.back()["to"] = nullptr; // no upper end
	}
	object.update({{"unit", "ns"},
		       {"count", one.count},
		       {"sum", one.sum_ns},
		       {"rows", std::move(rows)}});
}

// A line with the title, the count and the average, and the rows.
template <typename Histogram>
std::string histogram_text(const std::string &title, const Histogram &one)
{
	return fmt::format("{}: {} in all, average {} ns\n", title, one.count,
			   one.sum_ns / one.count) +
	       draw_histogram(rows_of(one), "ns");
}

} // namespace kcoro

#endif
