// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault.c - the fault point of the pool: "no frame", on every kernel.
 *
 * The parameter fail_frame, also at run time, says which allocations fail:
 *
 *   off                             none
 *   every=N [level=LEVEL]           each N-th
 *   nth=N [level=LEVEL]             the N-th from now, once
 *
 * With a level (task, softirq, hardirq, nmi) only allocations there are counted.
 * Reading gives the setting, and what came of it: "nth=3 level=nmi seen=7 failed=1".
 *
 * kcoro_fault_hit() is called from every context, without a lock. The setting is
 * changed under the kernel's lock for parameters: off first, then the counts, then
 * the new mode; an allocation that is under way may be counted by either.
 *
 * While it is off, the hot path does not know that it exists (kcoro_pool_watched).
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "../trace/trace.h"
#include "fault.h"
#include "pool.h"

enum fault_mode {
	FAULT_OFF,
	FAULT_EVERY,
	FAULT_NTH,
};

#define ANY_LEVEL KCORO_LEVELS

static struct {
	enum fault_mode mode;
	unsigned int level;
	u32 n;
	atomic64_t seen;
	atomic64_t failed;
} fault;

static const char *const level_names[] = { "task", "softirq", "hardirq", "nmi" };

/**
 * kcoro_fault_hit() - shall this allocation fail?
 * @level: of the caller
 *
 * Context: any, NMI included.
 */
bool kcoro_fault_hit(enum kcoro_level level)
{
	/* Pairs with the release in the parameter's set: what goes with the mode is there. */
	enum fault_mode mode = smp_load_acquire(&fault.mode);
	u64 seen;

	if (mode == FAULT_OFF || (fault.level != ANY_LEVEL && fault.level != level))
		return false;
	seen = atomic64_inc_return(&fault.seen);
	if (mode == FAULT_NTH ? seen != fault.n : seen % fault.n)
		return false;
	atomic64_inc(&fault.failed);
	return true;
}

static int parse_level(const char *name, unsigned int *level)
{
	int i = match_string(level_names, ARRAY_SIZE(level_names), name);

	if (i < 0)
		return -EINVAL;
	*level = i;
	return 0;
}

static int parse(char *text, enum fault_mode *mode, u32 *n, unsigned int *level)
{
	char *word = strsep(&text, " "), *rest = text ? strim(text) : NULL;
	const char *count;

	*mode = FAULT_OFF;
	*level = ANY_LEVEL;
	*n = 1;
	if (!strcmp(word, "off"))
		return rest ? -EINVAL : 0;
	count = strchr(word, '=');
	if (count && str_has_prefix(word, "every="))
		*mode = FAULT_EVERY;
	else if (count && str_has_prefix(word, "nth="))
		*mode = FAULT_NTH;
	else
		return -EINVAL;
	if (kstrtou32(count + 1, 10, n) || !*n)
		return -EINVAL;
	if (!rest)
		return 0;
	if (!str_has_prefix(rest, "level="))
		return -EINVAL;
	return parse_level(rest + strlen("level="), level);
}

static int fail_frame_set(const char *value, const struct kernel_param *kp)
{
	enum fault_mode mode;
	unsigned int level;
	char text[64];
	u32 n;

	if (strscpy(text, value, sizeof(text)) < 0 || parse(strim(text), &mode, &n, &level)) {
		pr_err("kcoro: fail_frame: \"%.*s\" is not off, every=N or nth=N, with level=task|softirq|hardirq|nmi behind it or not\n",
		       (int)strcspn(value, "\n"), value);
		return -EINVAL;
	}
	if (fault.mode != FAULT_OFF) {
		/* Before anything that goes with the mode changes. */
		smp_store_release(&fault.mode, FAULT_OFF);
		static_branch_dec(&kcoro_pool_watched);
	}
	fault.level = level;
	fault.n = n;
	atomic64_set(&fault.seen, 0);
	atomic64_set(&fault.failed, 0);
	if (mode != FAULT_OFF) {
		/* Who sees the mode sees what goes with it: kcoro_fault_hit(). */
		smp_store_release(&fault.mode, mode);
		static_branch_inc(&kcoro_pool_watched);
	}
	return 0;
}

static int fail_frame_get(char *buffer, const struct kernel_param *kp)
{
	static const char *const names[] = { "off", "every", "nth" };
	int len = scnprintf(buffer, PAGE_SIZE, "%s", names[fault.mode]);

	if (fault.mode != FAULT_OFF)
		len += scnprintf(buffer + len, PAGE_SIZE - len, "=%u", fault.n);
	if (fault.level < ARRAY_SIZE(level_names) && fault.mode != FAULT_OFF)
		len += scnprintf(buffer + len, PAGE_SIZE - len, " level=%s",
				 level_names[fault.level]);
	return len + scnprintf(buffer + len, PAGE_SIZE - len, " seen=%lld failed=%lld\n",
			       atomic64_read(&fault.seen), atomic64_read(&fault.failed));
}

static const struct kernel_param_ops fail_frame_ops = {
	.set = fail_frame_set,
	.get = fail_frame_get,
};

module_param_cb(fail_frame, &fail_frame_ops, NULL, 0600);
MODULE_PARM_DESC(fail_frame, "make frame allocations fail: off, every=N, nth=N [level=task|softirq|hardirq|nmi]");
