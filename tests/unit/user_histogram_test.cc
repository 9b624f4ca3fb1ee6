// SPDX-License-Identifier: GPL-2.0-only
//
// Rows and bars of the command's histograms.
#define FMT_HEADER_ONLY
#include "../../user/histogram.cc"

#include <gtest/gtest.h>

#include <sstream>

namespace {

using kcoro::draw_histogram;
using kcoro::histogram_bar;
using kcoro::histogram_rows;

TEST(UserHistogram, RowsAreTwoToTheNToTwoToTheNPlusOneLessOne)
{
	std::vector<uint64_t> buckets{5, 0, 7, 1, 0, 0};
	auto rows = histogram_rows(buckets);

	ASSERT_EQ(rows.size(), 4u);
	EXPECT_EQ(rows[0].from, 0u);
	EXPECT_EQ(rows[0].to, 1u);
	EXPECT_EQ(rows[0].count, 5u);
	EXPECT_EQ(rows[1].from, 2u);
	EXPECT_EQ(rows[1].to, 3u);
	EXPECT_EQ(rows[1].count, 0u);
	EXPECT_EQ(rows[3].from, 8u);
	EXPECT_EQ(rows[3].to, 15u);
	// No value lies between two rows, and none in two.
	for (size_t i = 1; i < rows.size(); i++)
		EXPECT_EQ(rows[i].from, rows[i - 1].to + 1);
}

TEST(UserHistogram, TheLastBucketHasNoUpperEnd)
{
	std::vector<uint64_t> buckets(28, 1);
	auto rows = histogram_rows(buckets);

	EXPECT_EQ(rows.back().from, 1u << 27);
	EXPECT_EQ(rows.back().to, UINT64_MAX);
	EXPECT_NE(draw_histogram(rows, "ns").find("134217728 -> ...       : 1"), std::string::npos);
}

TEST(UserHistogram, NothingCountedIsNoRow)
{
	EXPECT_TRUE(histogram_rows(std::vector<uint64_t>(28, 0)).empty());
	EXPECT_TRUE(histogram_rows({}).empty());
}

TEST(UserHistogram, BarsAreInProportion)
{
	EXPECT_EQ(histogram_bar(10, 10), std::string(40, '*'));
	EXPECT_EQ(histogram_bar(5, 10), std::string(20, '*') + std::string(20, ' '));
	EXPECT_EQ(histogram_bar(0, 10), std::string(40, ' '));
	EXPECT_EQ(histogram_bar(0, 0), std::string(40, ' '));
	// What happened can be seen.
	EXPECT_EQ(histogram_bar(1, 1000000), "*" + std::string(39, ' '));
	EXPECT_EQ(histogram_bar(UINT64_MAX, UINT64_MAX), std::string(40, '*'));
}

TEST(UserHistogram, DrawsWithinEightyColumns)
{
	std::vector<uint64_t> buckets(28, 9999999999);
	std::istringstream text(draw_histogram(histogram_rows(buckets), "ns"));
	std::string line;
	size_t lines = 0;

	while (std::getline(text, line)) {
		EXPECT_LE(line.size(), 80u) << line;
		lines++;
	}
	EXPECT_EQ(lines, 29u); // a heading, and a row per bucket
}

TEST(UserHistogram, LooksLikeThoseOfBcc)
{
	EXPECT_EQ(
		draw_histogram(histogram_rows(std::vector<uint64_t>{0, 2, 4, 0}), "ns"),
		"           ns           : count      distribution\n"
		"         0 -> 1         : 0         |                                        |\n"
		"         2 -> 3         : 2         |********************                    |\n"
		"         4 -> 7         : 4         |****************************************|\n");
}

} // namespace
