// SPDX-License-Identifier: GPL-2.0-only
//
// Sizes on the command line.
#define FMT_HEADER_ONLY
#include "../../user/size.cc"

#include <gtest/gtest.h>

namespace {

using kcoro::kib;
using kcoro::parse_size;

TEST(UserSize, BytesAndUnits)
{
	EXPECT_EQ(*parse_size("0"), 0U);
	EXPECT_EQ(*parse_size("4096"), 4096U);
	EXPECT_EQ(*parse_size("64K"), 65536U);
	EXPECT_EQ(*parse_size("64k"), 65536U);
	EXPECT_EQ(*parse_size("12M"), 12582912U);
	EXPECT_EQ(*parse_size("3g"), 3221225472U);
}

TEST(UserSize, WhatIsNoSizeIsRefused)
{
	for (const char *text :
	     {"", "K", "-1", "+1", " 1", "1 ", "1.5M", "1T", "1KB", "1KiB", "0x10"}) {
		auto size = parse_size(text);

		ASSERT_FALSE(size) << text;
		EXPECT_EQ(size.error().code, kcoro::exit_code::usage) << text;
		EXPECT_NE(size.error().message.find("no size"), std::string::npos) << text;
	}
}

TEST(UserSize, NothingWrapsAround)
{
	EXPECT_EQ(*parse_size("9223372036854775807"), 9223372036854775807ULL);
	EXPECT_EQ(*parse_size("8589934591G"), 8589934591ULL << 30);
	for (const char *text : {"9223372036854775808", "8589934592G", "18446744073709551616",
				 "99999999999999999999K"}) {
		auto size = parse_size(text);

		ASSERT_FALSE(size) << text;
		EXPECT_NE(size.error().message.find("too large"), std::string::npos) << text;
	}
}

TEST(UserSize, KibibytesAreRoundedUp)
{
	EXPECT_EQ(kib(0), "0");
	EXPECT_EQ(kib(1), "1");
	EXPECT_EQ(kib(1024), "1");
	EXPECT_EQ(kib(1025), "2");
	EXPECT_EQ(kib(~0ULL), "18014398509481984");
}

} // namespace
