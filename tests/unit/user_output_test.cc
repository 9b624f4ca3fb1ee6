// SPDX-License-Identifier: GPL-2.0-only
//
// JSON and text of the command: errors, counters, and names that came off the wire.
#define FMT_HEADER_ONLY
#include "../../user/output.cc"

#include "../../user/counters.h"
#include "../../user/labels.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace {

using kcoro::json;

TEST(UserOutput, ErrorsAreJsonToo)
{
	kcoro::failure why{kcoro::exit_code::failed, "say \"why\"\n", "the verifier's log"};

	EXPECT_EQ(kcoro::render(kcoro::error_document(why, false), false),
		  R"({"error":"say \"why\"\n"})");
	EXPECT_EQ(kcoro::error_document(why, true)["log"], "the verifier's log");
	why.log.clear();
	EXPECT_FALSE(kcoro::error_document(why, true).contains("log"));
}

TEST(UserOutput, BytesThatAreNoUtf8DoNotEndTheCommand)
{
	auto text = kcoro::render(json{{"name", "\xff\xfe"}}, false);

	EXPECT_TRUE(json::accept(text)) << text;
}

TEST(UserOutput, PrettyIsTheSameDocument)
{
	json document{{"b", {1, 2}}, {"a", nullptr}};

	EXPECT_EQ(json::parse(kcoro::render(document, true)),
		  json::parse(kcoro::render(document, false)));
	EXPECT_NE(kcoro::render(document, true).find("\n    \"b\""), std::string::npos);
}

TEST(UserOutput, NamesOffTheWireCannotWriteToTheTerminal)
{
	EXPECT_EQ(kcoro::printable("example.com"), "example.com");
	EXPECT_EQ(kcoro::printable("\x1b[2Jx\n\x7f\xc3\\"), "\\x1b[2Jx\\x0a\\x7f\\xc3\\x5c");
}

TEST(UserCounters, EachFieldOfTheStructIsDeclaredOnce)
{
	std::set<std::string> names;

	for (const auto &one : kcoro::frame_counters)
		EXPECT_TRUE(names.insert(one.name).second) << one.name;
	EXPECT_EQ(names.size() * sizeof(__u64), sizeof(kcoro_frame_counters));

	names.clear();
	for (const auto &one : kcoro::table_counters)
		EXPECT_TRUE(names.insert(one.name).second) << one.name;
	EXPECT_EQ(names.size() * sizeof(__u64), sizeof(kcoro_table_counters));

	names.clear();
	for (const auto &one : kcoro::filter_counters)
		EXPECT_TRUE(names.insert(one.name).second) << one.name;
	EXPECT_EQ((names.size() + SNI_VERDICTS) * sizeof(__u64), sizeof(sni_counters));
}

TEST(UserCounters, JsonHasEveryCounter)
{
	kcoro_frame_counters counters{1, 2,  3,	 4,  5,	 6, 7, 18446744073709551615ULL,
				      9, 10, 11, 12, 13, 14};
	auto document = kcoro::counters_json(kcoro::frame_counters, counters);

	EXPECT_EQ(document.dump(),
		  R"({"allocs":1,"frees":2,"alloc_misses":3,"free_misses":4,"failures":5,)"
		  R"("refills":6,"drains":7,"deferred":18446744073709551615,"exchanges":9,)"
		  R"("reserve":10,"failed_quota":11,"failed_slab":12,"failed_context":13,)"
		  R"("failed_injected":14})");
}

TEST(UserCounters, DifferencesAreExact)
{
	kcoro_frame_counters now{10, 9, 8, 7, 6, 5, 4, 3, 2, 0, 0, 0, 0, 0};
	kcoro_frame_counters last{1, 2, 3, 4, 5, 5, 4, 3, 1, 0, 0, 0, 0, 0};

	kcoro::counters_add(kcoro::frame_counters, now, last, -1);
	EXPECT_EQ(now.allocs, 9u);
	EXPECT_EQ(now.failures, 1u);
	EXPECT_EQ(now.deferred, 0u);
}

TEST(UserCounters, TextStaysWithinEightyColumns)
{
	sni_counters most;

	std::memset(&most, 0xff, sizeof(most));
	std::istringstream text(kcoro::counters_text(kcoro::filter_counters, most, "  "));
	std::string line;

	while (std::getline(text, line)) {
		EXPECT_LE(line.size(), 80u) << line;
		EXPECT_TRUE(line.starts_with("  ")) << line;
	}
}

TEST(UserLabels, NumbersOutOfRangeHaveAName)
{
	EXPECT_STREQ(kcoro::level_label(KCORO_LEVELS), "unknown");
	EXPECT_STREQ(kcoro::verdict_label(~0U), "unknown");
	EXPECT_EQ(kcoro::class_label(KCORO_CLASS_64B), "64B");
	EXPECT_EQ(kcoro::class_label(KCORO_CLASS_8192B), "8192B");
	EXPECT_EQ(kcoro::class_label(KCORO_CLASSES), "larger");
}

TEST(UserLabels, EveryVerdictHasItsOwn)
{
	std::set<std::string> names;

	for (unsigned v = 0; v < SNI_VERDICTS; v++)
		EXPECT_TRUE(names.insert(kcoro::verdict_label(v)).second) << v;
	EXPECT_FALSE(names.contains("unknown"));
}

} // namespace
