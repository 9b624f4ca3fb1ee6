// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - kcoro_stress.ko. By its parameters:
 *
 *   run      1: start everybody; 0: stop everybody, in order
 *   check    any: print what was done, and the verdict: "kcoro_stress: count NAME
 *            N", "kcoro_stress: ok NAME" or "not ok NAME"; -EIO when a case failed
 *   errors   how many were found so far
 *   failures allocations that got nothing, without large frames: when all has stopped
 *
 * It does not start by itself, so that programs are attached to it and to kcoro
 * first: emulated CPUs that run in parallel now and then execute the int3 of code
 * that is being patched after it is gone, and the kernel dies of that.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "stress.h"

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of all random choices");
module_param_named(errors, stress_errors.counter, int, 0444);
MODULE_PARM_DESC(errors, "how many were found so far");

bool stress_stopping;
static enum { IDLE, RUNNING, STOPPED } state;

void stress_seed(struct stress_rng *rng, u32 who)
{
	/* splitmix64, so that neighbours have nothing in common; the state must not be 0. */
	u64 x = ((u64)seed << 32) + who * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	rng->state = (x ^ x >> 31) | 1;
}

/* A run that an error has ended early had no time for all. */
static void must_have_run(const char *who, const char *what, u64 n, bool whole)
{
	if (!n && whole)
		stress_error("count: no %s of %s ever ran", what, who);
}

static void print_counts(void)
{
	static const char *const names[] = {
#define X(name) #name,
		STRESS_ACTORS(X)
#undef X
	};
	static const char *const events[STRESS_EVENTS] = {
		"pool_created", "pool_refused", "pool_destroyed", "counters_read",
		"watches", "watches_of_nmi", "nmi_watched",
		"coros", "coros_refused", "scopes",
	};
	bool whole = !atomic_read(&stress_errors);
	unsigned int i;
	int cpu;

	for (i = 0; i < STRESS_ACTOR_COUNT; i++) {
		struct stress_done sum = {};

		for_each_possible_cpu(cpu) {
			const struct stress_done *d = &per_cpu(stress_done, cpu)[i];

			sum.allocs += d->allocs;
			sum.frees += d->frees;
			sum.bursts += d->bursts;
			sum.bad_calls += d->bad_calls;
			sum.failures += d->failures;
			sum.other_cpu += d->other_cpu;
			sum.other_level += d->other_level;
		}
		pr_info("kcoro_stress: count %s allocs %llu frees %llu other_cpu %llu other_level %llu failures %llu bursts %llu bad_calls %llu\n",
			names[i], sum.allocs, sum.frees, sum.other_cpu, sum.other_level,
			sum.failures, sum.bursts, sum.bad_calls);
		must_have_run(names[i], "allocation", sum.allocs, whole);
		must_have_run(names[i], "free", sum.frees, whole);
	}
	for (i = 0; i < STRESS_EVENTS; i++) {
		u64 n = atomic64_read(&stress_events[i]);

		pr_info("kcoro_stress: count %s %llu\n", events[i], n);
		must_have_run("the module", events[i], n, whole);
	}
}

static int start_all(void)
{
	int err;

	err = stress_pools_start();
	if (err)
		return err;
	err = stress_coros_start();
	if (err)
		goto err_pools;
	err = stress_interrupts_start();
	if (err)
		goto err_coros;
	err = stress_nmi_start();
	if (err)
		goto err_interrupts;
	err = stress_watch_start();
	if (err)
		goto err_nmi;
	err = stress_tasks_start();
	if (err)
		goto err_watch;
	pr_info("kcoro_stress: seed %u\n", seed);
	return 0;

err_watch:
	stress_watch_stop();
err_nmi:
	stress_nmi_stop();
err_interrupts:
	stress_interrupts_stop();
err_coros:
	stress_coros_stop();
err_pools:
	stress_pools_stop();
	return err;
}

/* Who sets others off goes first. */
static void stop_all(void)
{
	WRITE_ONCE(stress_stopping, true);
	stress_tasks_stop();
	stress_watch_stop();
	stress_interrupts_stop();
	stress_nmi_stop();
	stress_coros_stop();
	stress_pools_stop();
}

/* Once each: nothing here is made to start again. */
static int set_run(const char *value, const struct kernel_param *param)
{
	bool run;
	int err;

	err = kstrtobool(value, &run);
	if (err)
		return err;
	if (run && state == IDLE) {
		err = start_all();
		if (!err)
			state = RUNNING;
		return err;
	}
	if (run || state != RUNNING)
		return -EINVAL;
	stop_all();
	state = STOPPED;
	return 0;
}

static const struct kernel_param_ops run_ops = { .set = set_run };
module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "1: start, 0: stop; once each");

static int set_check(const char *value, const struct kernel_param *param)
{
	if (state != STOPPED)
		return -EINVAL;
	print_counts();
	if (atomic_read(&stress_errors))
		return -EIO;
	pr_info("kcoro_stress: ok stress_contents\n");
	pr_info("kcoro_stress: ok stress_balance\n");
	pr_info("kcoro_stress: ok stress_coroutines\n");
	pr_info("kcoro_stress: ok stress_every_actor_ran\n");
	return 0;
}

static const struct kernel_param_ops check_ops = { .set = set_check };
module_param_cb(check, &check_ops, NULL, 0200);
MODULE_PARM_DESC(check, "write to have the verdict, when all has stopped");

static int get_failures(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%llu\n", stress_pools_failures());
}

static const struct kernel_param_ops failures_ops = { .get = get_failures };
module_param_cb(failures, &failures_ops, NULL, 0444);
MODULE_PARM_DESC(failures, "allocations that got nothing, when all has stopped");

static int __init kcoro_stress_init(void)
{
	return 0;
}

static void __exit kcoro_stress_exit(void)
{
	if (state == RUNNING)
		stop_all();
}

module_init(kcoro_stress_init);
module_exit(kcoro_stress_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Random operations on kcoro from every context at once");
