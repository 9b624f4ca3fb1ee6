// SPDX-License-Identifier: GPL-2.0-only
// run.hpp - a file of tests of the C++ library as a suite of kcoro_test.ko. It is included behind
// that file, and both behind frames.hpp:
//
//	#include "frames.hpp"
//	#include "../../cxx/task_test.cc"
//	#include "run.hpp"
//	KCORO_SUITE(kcoro_suite_task, nullptr)
#include <utility>

template <int N> static testing::test_info kcoro_test_at_or_none(testing::number<N> n)
{
	if constexpr (requires { kcoro_test_at(n); })
		return kcoro_test_at(n);
	else
		return {nullptr, nullptr, 0, nullptr};
}

static bool kcoro_same_name(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return *a == *b;
}

// Prints "ok SUITE.NAME" or "not ok" for each, as kcoro_test.ko does. How many failed.
template <int... N> static int kcoro_run_tests(const char *skip, std::integer_sequence<int, N...>)
{
	const testing::test_info tests[] = {kcoro_test_at_or_none(testing::number<N>{})...};
	int ran = 0, failed = 0;
	bool skipped = !skip;

	for (const testing::test_info &test : tests) {
		if (!test.run)
			continue;
		if (skip && kcoro_same_name(test.name, skip)) {
			skipped = true;
			continue;
		}
		ran++;
		testing::failures = 0;
		for (int i = 0; i < test.params; i++)
			test.run(i);
		_printk("kcoro_test: %s %s.%s\n", testing::failures ? "not ok" : "ok", test.suite,
			test.name);
		failed += testing::failures != 0;
	}
	if (!skipped) {
		_printk("kcoro_test: there is no test %s to leave out\n", skip);
		failed++;
	}
	if (!ran) {
		_printk("kcoro_test: no test was found\n");
		failed++;
	}
	return failed;
}

// @skip: the name of a test that is not for the kernel, or none.
#define KCORO_SUITE(function, skip)                                                           \
	extern "C" int function(void)                                                         \
	{                                                                                     \
		return kcoro_run_tests(skip, std::make_integer_sequence<int, __COUNTER__>{}); \
	}
