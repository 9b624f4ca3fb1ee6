// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - kcoro_faults.ko: writing a scenario's name to its parameter "run" runs it
 * in the writer's context, so that a fault meant for that process hits it.
 *
 *   pool     a private pool: made, used in every class, destroyed
 *   levels   frames in task, softirq, hardirq and NMI
 *   coro     coroutines of a scope that spawn and join others
 *   chain    a chain of C++20 coroutines on frames of the default pool
 *   cxx      a spawned C++ coroutine that spawns and joins another one
 *   caches   a slab cache made and destroyed, without kcoro: what the kernel itself
 *            makes of a failing allocation (see known_leaks)
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "scenario.h"

struct faults_sum faults_sum(struct kcoro_pool *pool)
{
	struct kcoro_frame_counters c;
	struct faults_sum sum = {};
	unsigned int level, cls;

	for (level = 0; level < KCORO_LEVELS; level++) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			kcoro_pool_read(pool, level, cls, &c);
			sum.live += c.allocs - c.frees;
			sum.failures += c.failures;
		}
	}
	return sum;
}

static int caches(void)
{
	struct kmem_cache *cache = kmem_cache_create("kcoro_faults", 128, 64, SLAB_NO_MERGE, NULL);

	if (!cache)
		return -ENOMEM;
	kmem_cache_destroy(cache);
	return 0;
}

/* However deep it breaks, -ENOMEM comes up, and what was made is destroyed once. */
static int chain(void)
{
	struct faults_sum before = faults_sum(kcoro_pool_default()), after;
	int made, destroyed, total;

	total = faults_chain_sum(10, &made, &destroyed);
	after = faults_sum(kcoro_pool_default());
	EXPECT(made == destroyed);
	EXPECT(after.live == before.live);
	EXPECT(total == (after.failures == before.failures ? 55 : -ENOMEM));
	return total < 0 ? total : 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} scenarios[] = {
	{ "pool", faults_pool },
	{ "levels", faults_levels },
	{ "coro", faults_coro },
	{ "chain", chain },
	{ "cxx", faults_cxx },
	{ "caches", caches },
};

static int run_set(const char *value, const struct kernel_param *kp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		if (sysfs_streq(value, scenarios[i].name))
			return scenarios[i].run();
	return -ENOENT;
}

static const struct kernel_param_ops run_ops = { .set = run_set };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "run a scenario: pool, levels, coro, chain, cxx, caches");

static int __init faults_init(void)
{
	return 0;
}

static void __exit faults_exit(void)
{
}

module_init(faults_init);
module_exit(faults_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Scenarios for failing allocations in kcoro");
