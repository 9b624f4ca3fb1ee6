// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - kcoro_test.ko: runs its cases when it is loaded, in process context.
 *
 * Loading fails with -EINVAL when a case failed, so that a script sees it.
 * Parameter only=NAME runs the cases whose name begins so, skip=NAME,NAME leaves some out.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/string.h>

#include "test.h"

static char *only;
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "run only cases whose name begins so");

static char *skip;
module_param(skip, charp, 0444);
MODULE_PARM_DESC(skip, "do not run these cases");

static const struct kcoro_test_case *const suites[] = {
	kcoro_cost_cases,	/* first: they see what was there at the start */
	kcoro_pool_cases,
	kcoro_depot_cases,
	kcoro_limits_cases,
	kcoro_flow_cases,
	kcoro_pressure_cases,
	kcoro_storm_cases,
	kcoro_nmi_cases,
	kcoro_cxx_cases,
	kcoro_cxx_wait_cases,
	kcoro_cxx_suite_cases,
	kcoro_coro_life_cases,
	kcoro_coro_scope_cases,
	kcoro_coro_await_cases,
	kcoro_coro_sources_cases,
	kcoro_coro_key_cases,
	kcoro_coro_race_cases,
};

static bool is_skipped(const char *name)
{
	size_t length = strlen(name);
	const char *at = skip;

	while (at && (at = strstr(at, name))) {
		if ((at == skip || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
		at += length;
	}
	return false;
}

static int __init kcoro_test_init(void)
{
	const struct kcoro_test_case *c;
	unsigned int i, ran = 0, failed = 0;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (c = suites[i]; c->name; c++) {
			int line;

			if (only ? !strstarts(c->name, only) :
				   c->by_name_only || is_skipped(c->name))
				continue;
			line = c->run();
			ran++;
			if (line) {
				failed++;
				pr_err("kcoro_test: not ok %s (line %d)\n", c->name, line);
			} else {
				pr_info("kcoro_test: ok %s\n", c->name);
			}
		}
	}
	pr_info("kcoro_test: %u passed, %u failed\n", ran - failed, failed);
	return failed || !ran ? -EINVAL : 0;
}

static void __exit kcoro_test_exit(void)
{
}

module_init(kcoro_test_init);
module_exit(kcoro_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of kcoro that run inside the kernel");
