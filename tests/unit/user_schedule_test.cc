// SPDX-License-Identifier: GPL-2.0-only
//
// [interval [count]]: what a verb takes for it.
#define FMT_HEADER_ONLY
#include "../../user/cli_verb.cc"
#include "../../user/schedule.cc"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace {

// The schedule, or nothing when the words are refused.
bool parse(const std::vector<const char *> &words, kcoro::schedule &when)
{
	CLI::App app("", "kcoro");
	kcoro::request asked;
	std::vector<const char *> argv{"kcoro"};

	argv.insert(argv.end(), words.begin(), words.end());
	kcoro::add_schedule(kcoro::cli_verb(app, asked), when);
	try {
		app.parse(static_cast<int>(argv.size()), argv.data());
	} catch (const CLI::ParseError &) {
		return false;
	}
	return true;
}

TEST(UserSchedule, TakesWhatIsInRange)
{
	kcoro::schedule when;

	EXPECT_TRUE(parse({}, when));
	EXPECT_EQ(when.interval, 0);
	EXPECT_TRUE(parse({"0.01"}, when));
	EXPECT_EQ(when.interval, 0.01);
	EXPECT_EQ(when.count, 0);
	EXPECT_TRUE(parse({"86400", "2147483648"}, when));
	EXPECT_EQ(when.interval, 86400);
	EXPECT_EQ(when.count, 2147483648);
}

TEST(UserSchedule, RefusesTheRest)
{
	for (const std::vector<const char *> &words :
	     std::initializer_list<std::vector<const char *>>{{"nan"},
							      {"-nan"},
							      {"NAN(1)"},
							      {"inf"},
							      {"0"},
							      {"0.009"},
							      {"86401"},
							      {"x"},
							      {""},
							      {"1", "0"},
							      {"1", "2147483649"},
							      {"1", "1.5"},
							      {"1", "nan"},
							      {"1", "2", "3"}}) {
		kcoro::schedule when;

		EXPECT_FALSE(parse(words, when)) << words.front();
	}
}

} // namespace
