// SPDX-License-Identifier: GPL-2.0-only
// histogram.h - rows of a log2 histogram, drawn as bcc draws them.
#ifndef KCORO_USER_HISTOGRAM_H
#define KCORO_USER_HISTOGRAM_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kcoro {

// One row: `count` values lie in [from, to]. The last bucket has no upper end (UINT64_MAX).
struct histogram_row {
	uint64_t from;
	uint64_t to;
	uint64_t count;
};

// Rows of buckets where bucket n counts values in [2^n, 2^(n+1) - 1], bucket 0 those in
// [0, 1]. Empty buckets behind the last used one are left out; none are when all are empty.
std::vector<histogram_row> histogram_rows(std::span<const uint64_t> buckets);

// `count` of `most` as a bar of `width` characters; what is not 0 has one star at least.
std::string histogram_bar(uint64_t count, uint64_t most, unsigned width = 40);

// The rows under a heading with the unit; no line is longer than 80 columns.
std::string draw_histogram(const std::vector<histogram_row> &rows, const std::string &unit);

} // namespace kcoro

#endif
