// SPDX-License-Identifier: GPL-2.0-only
// hist.h - what all sorts of latency histograms in maps have in common: count, sum_ns and
// bucket_log2_ns, or sum_us and bucket_log2_us, which only grow.
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

template <typename Histogram>
constexpr bool in_us = requires(Histogram one) { one.bucket_log2_us; };
template <typename Histogram> constexpr const char *unit_of = in_us<Histogram> ? "us" : "ns";

template <typename Histogram> auto &buckets_of(Histogram &one)
{
	if constexpr (in_us<Histogram>)
		return one.bucket_log2_us;
	else
		return one.bucket_log2_ns;
}

template <typename Histogram> auto &sum_of(Histogram &one)
{
	if constexpr (in_us<Histogram>)
		return one.sum_us;
	else
		return one.sum_ns;
}

// What `now` has more than `last`; the count is that of the buckets, which an update
// under way may be ahead of.
template <typename Histogram> Histogram since(const Histogram &now, const Histogram &last)
{
	Histogram change{};
	auto &buckets = buckets_of(change);

	sum_of(change) = sum_of(now) - sum_of(last);
	for (size_t i = 0; i < std::size(buckets); i++) {
		buckets[i] = buckets_of(now)[i] - buckets_of(last)[i];
		change.count += buckets[i];
	}
	return change;
}

template <typename Histogram> std::vector<histogram_row> rows_of(const Histogram &one)
{
	return histogram_rows(
		std::vector<uint64_t>(std::begin(buckets_of(one)), std::end(buckets_of(one))));
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
	object.update({{"unit", unit_of<Histogram>},
		       {"count", one.count},
		       {"sum", sum_of(one)},
		       {"rows", std::move(rows)}});
}

// A line with the title, the count and the average, and the rows.
template <typename Histogram>
std::string histogram_text(const std::string &title, const Histogram &one)
{
	constexpr auto unit = unit_of<Histogram>;

	return fmt::format("{}: {} in all, average {} {}\n", title, one.count,
			   sum_of(one) / one.count, unit) +
	       draw_histogram(rows_of(one), unit);
}

} // namespace kcoro

#endif
