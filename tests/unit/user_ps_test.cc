// SPDX-License-Identifier: GPL-2.0-only
//
// The order, the tree and the columns of `kcoro ps`.
#define FMT_HEADER_ONLY
#include "../../user/output.cc"
#include "../../user/ps_table.cc"
#include "../../user/ps_tree.cc"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <sstream>

namespace {

using kcoro::ps_branch;
using kcoro::ps_line;
using kcoro::ps_scopes;
using kcoro::ps_sorted;
using kcoro::ps_stat;
using kcoro::ps_table;
using kcoro::ps_tree;
using kcoro::ps_wait;

using coros = std::vector<kcoro_coro_info>;

kcoro_coro_info coro(unsigned id, unsigned parent, unsigned long long scope = 1)
{
	kcoro_coro_info one{};

	one.id = id;
	one.parent = parent;
	one.scope_id = scope;
	one.status = KCORO_STATUS_SUSPENDED;
	one.wait = parent ? KCORO_WAIT_EVENT : KCORO_WAIT_JOIN;
	std::strcpy(one.name, ("n" + std::to_string(id)).c_str());
	std::strcpy(one.scope, "scope");
	return one;
}

// "1 .2 ..3": ids with a dot for each level.
std::string shape(const coros &all)
{
	std::string text;

	for (const auto &line : ps_tree(all))
		text += (text.empty() ? "" : " ") + std::string(line.depth, '.') +
			std::to_string(all[line.index].id);
	return text;
}

// What stands before the names, a line each.
std::string drawn(const coros &all)
{
	std::string text;

	for (const auto &line : ps_tree(all))
		text += ps_branch(line, 80) + all[line.index].name + "\n";
	return text;
}

size_t widest(const std::string &text)
{
	std::istringstream lines(text);
	std::string line;
	size_t most = 0;

	while (std::getline(lines, line))
		most = std::max(most, line.size());
	return most;
}

TEST(UserPs, SortsByScopeThenById)
{
	coros all{coro(9, 0, 2), coro(3, 0, 1), coro(4, 0, 2), coro(20, 0, 1)};
	auto lines = ps_sorted(all);

	ASSERT_EQ(lines.size(), 4u);
	EXPECT_EQ(all[lines[0].index].id, 3u);
	EXPECT_EQ(all[lines[1].index].id, 20u);
	EXPECT_EQ(all[lines[2].index].id, 4u);
	EXPECT_EQ(all[lines[3].index].id, 9u);
}

TEST(UserPs, WhoIsAwaitedStandsBelow)
{
	EXPECT_EQ(shape({coro(1, 2), coro(2, 3), coro(3, 0)}), "3 .2 ..1");
	EXPECT_EQ(shape({coro(1, 0), coro(2, 1), coro(3, 1), coro(4, 2), coro(5, 0)}),
		  "1 .2 ..4 .3 5");
	EXPECT_EQ(shape({}), "");
}

TEST(UserPs, WhoseAwaiterHasGoneIsARoot)
{
	EXPECT_EQ(shape({coro(5, 77), coro(6, 5)}), "5 .6");
}

TEST(UserPs, ACircleIsShownOnce)
{
	EXPECT_EQ(shape({coro(1, 2), coro(2, 1)}), "1 .2");
	EXPECT_EQ(shape({coro(1, 1)}), "1");
	EXPECT_EQ(shape({coro(1, 3), coro(2, 1), coro(3, 2), coro(4, 2), coro(9, 0)}),
		  "9 1 .2 ..3 ..4");
}

// The kernel's list may hold an id twice when numbers began anew.
TEST(UserPs, EachIsShownOnceWhateverTheirNumbers)
{
	coros all{coro(1, 0), coro(1, 0), coro(2, 1), coro(2, 1)};
	std::set<size_t> seen;

	for (const auto &line : ps_tree(all))
		EXPECT_TRUE(seen.insert(line.index).second);
	EXPECT_EQ(seen.size(), all.size());
}

TEST(UserPs, DrawsBranchesAsPsDoes)
{
	EXPECT_EQ(drawn({coro(1, 0), coro(2, 1), coro(3, 2), coro(4, 1), coro(5, 4), coro(6, 0)}),
		  "n1\n"
		  " \\_ n2\n"
		  " |   \\_ n3\n"
		  " \\_ n4\n"
		  "     \\_ n5\n"
		  "n6\n");
}

TEST(UserPs, AChainOfAHundredThousandIsNoTrouble)
{
	coros all;

	for (unsigned id = 1; id <= 100000; id++)
		all.push_back(coro(id, id - 1));
	auto lines = ps_tree(all);

	ASSERT_EQ(lines.size(), all.size());
	EXPECT_EQ(lines.back().depth, 99999u);
	EXPECT_EQ(ps_branch(lines[99999], 20), "(99999) \\_ ");
	EXPECT_EQ(ps_branch(lines[70], 1000), "(70) \\_ ");
	EXPECT_EQ(widest(ps_table(all, lines, true)), 76u);
}

TEST(UserPs, StatIsALetterAndWhatElseThereIs)
{
	auto one = coro(1, 0);

	EXPECT_EQ(ps_stat(one), "S");
	one.flags = KCORO_CORO_INFO_CANCEL | KCORO_CORO_INFO_KILL;
	EXPECT_EQ(ps_stat(one), "Sck");
	one.status = KCORO_STATUS_RUNNING;
	one.flags = KCORO_CORO_INFO_PINNED | KCORO_CORO_INFO_SLEEPS | KCORO_CORO_INFO_TIMEOUT;
	EXPECT_EQ(ps_stat(one), "Rtpl");
	one.flags = 0;
	one.status = KCORO_STATUS_READY;
	EXPECT_EQ(ps_stat(one), "Q");
	one.status = KCORO_STATUS_CREATED;
	EXPECT_EQ(ps_stat(one), "C");
}

TEST(UserPs, AnOwnAwaitIsToldFromNone)
{
	auto one = coro(1, 0);

	one.wait = KCORO_WAIT_NOTHING;
	EXPECT_STREQ(ps_wait(one), "own");
	one.status = KCORO_STATUS_RUNNING;
	EXPECT_STREQ(ps_wait(one), "-");
	one.wait = KCORO_WAIT_RECEIVE;
	EXPECT_STREQ(ps_wait(one), "receive");
}

TEST(UserPs, LooksLikeThis)
{
	auto one = coro(7, 0), two = coro(8, 7);

	one.wait_ms = 1500;
	one.frame_bytes = 192;
	two.cpu = 3;
	two.executor = KCORO_EXECUTOR_WORKER;
	coros all{one, two};
	EXPECT_EQ(ps_table(all, ps_sorted(all), false),
		  "ID STAT WAIT  WAIT(ms) CPU EXEC    BYTES SCOPE NAME\n"
		  " 7 S    join      1500   0 softirq   192 scope n7\n"
		  " 8 S    event        0   3 worker      0 scope n8\n");
	EXPECT_EQ(ps_table(all, ps_tree(all), true), "ID STAT WAIT  WAIT(ms) CPU SCOPE NAME\n"
						     " 7 S    join      1500   0 scope n7\n"
						     " 8 S    event        0   3 scope  \\_ n8\n");
}

// The widest that can be, in each column.
TEST(UserPs, NoLineIsWiderThanEightyColumns)
{
	auto one = coro(4294967295U, 0);

	one.flags = ~0U;
	one.wait = KCORO_WAIT_RECEIVE;
	one.wait_ms = 17179869180ULL;
	one.cpu = 8191;
	one.frame_bytes = 65536;
	std::memset(one.scope, 's', sizeof(one.scope) - 1);
	std::memset(one.name, 'n', sizeof(one.name) - 1);
	coros all{one};

	EXPECT_EQ(widest(ps_table(all, ps_sorted(all), false)), 80u);
	EXPECT_NE(ps_table(all, ps_sorted(all), false).find(" nnnnn"), std::string::npos);
	EXPECT_EQ(ps_table(all, ps_sorted(all), false).find("nn\n"), std::string::npos);
	EXPECT_LE(widest(ps_table(all, ps_tree(all), true)), 80u);
}

TEST(UserPs, BytesThatAreNoTextAreEscaped)
{
	auto one = coro(1, 0);

	std::strcpy(one.name, "a\033[1m\n");
	coros all{one};
	EXPECT_NE(ps_table(all, ps_sorted(all), false).find("a\\x1b[1m\\x0a\n"), std::string::npos);
}

TEST(UserPs, FunctionsStandBelowTheirCoroutineInTheTree)
{
	auto one = coro(1, 0), two = coro(2, 1), three = coro(3, 1);

	std::strcpy(two.functions, "_Z4leafi _ZN3net3runEv main");
	coros all{one, two, three};
	EXPECT_EQ(kcoro::ps_functions(two),
		  (std::vector<std::string>{"main", "net::run()", "leaf(int)"}));
	EXPECT_TRUE(kcoro::ps_functions(one).empty());
	EXPECT_EQ(ps_table(all, ps_tree(all), true),
		  "ID STAT WAIT  WAIT(ms) CPU SCOPE NAME\n"
		  " 1 S    join         0   0 scope n1\n"
		  " 2 S    event        0   0 scope  \\_ n2\n"
		  "                                  |    > net::run()\n"
		  "                                  |    > leaf(int)\n"
		  " 3 S    event        0   0 scope  \\_ n3\n");
	EXPECT_EQ(ps_table(all, ps_sorted(all), false).find("leaf"), std::string::npos);
}

TEST(UserPs, FunctionsOfTemplatesHaveNoType)
{
	auto one = coro(1, 0);

	std::strcpy(one.functions, "_ZN3net4restIiEEN5kcoro4taskIT_EES3_ ...");
	EXPECT_EQ(kcoro::ps_functions(one),
		  (std::vector<std::string>{"...", "net::rest<int>(int)"}));
	coros all{one};
	EXPECT_NE(ps_table(all, ps_tree(all), true).find("  > ...\n"), std::string::npos);
}

TEST(UserPs, FunctionsAreCutAndEscapedLikeAllElse)
{
	auto one = coro(1, 0);

	std::memset(one.functions, 'f', sizeof(one.functions));
	std::memcpy(one.functions, "a\033 ", 3);
	one.functions[0] = ' ';
	coros all{one};
	EXPECT_LE(widest(ps_table(all, ps_tree(all), true)), 80u);
	EXPECT_EQ(ps_table(all, ps_tree(all), true).find('\033'), std::string::npos);
}

TEST(UserPs, ScopesTellWhoNeverWaited)
{
	kcoro_scope_info root{}, inner{};

	root.id = 1;
	std::strcpy(root.name, "root");
	inner.id = 12;
	inner.parent = 1;
	inner.live = 1000000;
	inner.listed = 999999;
	inner.limit = 2000000;
	std::strcpy(inner.name, "inner");
	EXPECT_EQ(ps_scopes(std::vector{root, inner}),
		  "SCOPE                 ID    IN-ID       LIVE NEVER-SUSPENDED      LIMIT\n"
		  "root                   1        -          0               0          -\n"
		  "inner                 12        1    1000000               1    2000000\n");
}

} // namespace
