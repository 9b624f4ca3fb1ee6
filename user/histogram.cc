// SPDX-License-Identifier: GPL-2.0-only
// histogram.cc - see histogram.h.
#include "user/histogram.h"

#include <fmt/format.h>

#include <algorithm>

namespace kcoro {

std::vector<histogram_row> histogram_rows(std::span<const uint64_t> buckets)
{
	std::vector<histogram_row> rows;
	size_t used = buckets.size();

	while (used > 0 && buckets[used - 1] == 0)
		used--;
	for (size_t n = 0; n < used; n++) {
		uint64_t from = n == 0 ? 0 : uint64_t{1} << n;
		uint64_t to = n + 1 == buckets.size() ? UINT64_MAX : (uint64_t{2} << n) - 1;

		rows.push_back({from, to, buckets[n]});
	}
	return rows;
}

std::string histogram_bar(uint64_t count, uint64_t most, unsigned width)
{
	if (count == 0 || most == 0)
		return std::string(width, ' ');

	// In floating point: count * width may not fit 64 bits.
	auto stars = static_cast<unsigned>(static_cast<double>(std::min(count, most)) /
					   static_cast<double>(most) * width);
	stars = std::clamp(stars, 1U, width);
	return std::string(stars, '*') + std::string(width - stars, ' ');
}

std::string draw_histogram(const std::vector<histogram_row> &rows, const std::string &unit)
{
	std::string text;
	uint64_t most = 0;

	for (const auto &row : rows)
		most = std::max(most, row.count);
	text += fmt::format("{:>13}{:<11}: {:<10} distribution\n", unit, "", "count");
	for (const auto &row : rows) {
		auto to = row.to == UINT64_MAX ? std::string("...") : std::to_string(row.to);

		text += fmt::format("{:>10} -> {:<10}: {:<10}|{}|\n", row.from, to, row.count,
				    histogram_bar(row.count, most));
	}
	return text;
}

} // namespace kcoro
