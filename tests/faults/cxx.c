// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxx.c - coroutines in C++ in a scope, with any frame refused: -ENOMEM comes up from wherever
 * that was, and what was made is destroyed once.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "scenario.h"

int faults_cxx(void)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "faults_cxx",
		.timeout_ns = 60ULL * NSEC_PER_SEC,
	};
	struct faults_sum before = faults_sum(kcoro_pool_default()), after;
	static struct faults_cxx_seen seen;
	static struct kcoro_event go;
	struct kcoro_scope *scope;
	bool refused;
	int err;

	memset(&seen, 0, sizeof(seen));
	kcoro_event_init(&go, false);
	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	err = faults_cxx_start(scope, &go, &seen);
	kcoro_event_set(&go);
	EXPECT(!kcoro_scope_wait(scope, 30 * HZ));
	kcoro_scope_destroy(scope);
	after = faults_sum(kcoro_pool_default());
	refused = after.failures != before.failures;
	EXPECT(seen.made == seen.destroyed);
	EXPECT(after.live == before.live);
	if (err) {
		EXPECT(refused && !seen.made);
		return err;
	}
	EXPECT(seen.made && seen.result == (refused ? -ENOMEM : 42));
	return refused ? -ENOMEM : 0;
}
