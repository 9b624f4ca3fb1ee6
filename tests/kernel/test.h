/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test.h - cases of kcoro_test.ko. Each case is a function that returns 0, or
 * the line that failed; results go to the kernel log as "kcoro_test: ok NAME" or
 * "kcoro_test: not ok NAME (line N)".
 */
#ifndef KCORO_TEST_H
#define KCORO_TEST_H

#include <linux/types.h>

#define EXPECT(condition)			\
	do {					\
		if (!(condition))		\
			return __LINE__;	\
	} while (0)

struct kcoro_test_case {
	const char *name;
	int (*run)(void);
	bool by_name_only;	/* with only=NAME, by a script that prepares what it needs */
};

extern const struct kcoro_test_case kcoro_pool_cases[];
extern const struct kcoro_test_case kcoro_depot_cases[];
extern const struct kcoro_test_case kcoro_limits_cases[];
extern const struct kcoro_test_case kcoro_cost_cases[];
extern const struct kcoro_test_case kcoro_flow_cases[];
extern const struct kcoro_test_case kcoro_pressure_cases[];
extern const struct kcoro_test_case kcoro_storm_cases[];
extern const struct kcoro_test_case kcoro_nmi_cases[];
extern const struct kcoro_test_case kcoro_cxx_cases[];
extern const struct kcoro_test_case kcoro_cxx_wait_cases[];
extern const struct kcoro_test_case kcoro_cxx_suite_cases[];
extern const struct kcoro_test_case kcoro_coro_life_cases[];
extern const struct kcoro_test_case kcoro_coro_scope_cases[];
extern const struct kcoro_test_case kcoro_coro_await_cases[];
extern const struct kcoro_test_case kcoro_coro_sources_cases[];
extern const struct kcoro_test_case kcoro_coro_key_cases[];
extern const struct kcoro_test_case kcoro_coro_race_cases[];

int kcoro_test_cxx_sum(int depth, int *guards);

#endif /* KCORO_TEST_H */
