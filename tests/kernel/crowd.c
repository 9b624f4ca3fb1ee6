// SPDX-License-Identifier: GPL-2.0-only
/*
 * crowd.c - kcoro_crowd.ko: very many suspended coroutines, that go as end=NAME says:
 *
 *   wake     the event that they await is set while the module is loaded
 *   cancel   their scope is cancelled while the module is loaded
 *   unload   the module's exit destroys the scope with all of them
 *   hold     they are in kcoro's own scope: so they hold the module, until release=1
 *
 * What they took is printed, and what is left of it afterwards.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <kcoro/kcoro.h>

#include "meminfo.h"
#include "test.h"

static char *end = "wake";
module_param(end, charp, 0444);
MODULE_PARM_DESC(end, "how they go: wake, cancel, unload, hold");

static unsigned int count = 1000000;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "how many");

/* What the frame has beside the head, and a body keeps across its await. */
#define STATE_BYTES 64

struct member {
	struct kcoro_coro co;
	u64 state[STATE_BYTES / sizeof(u64)];
};

static struct kcoro_event event;
static struct kcoro_scope *scope;
static struct kcoro_pool *pool;
static atomic_t woken, cancelled, destroyed, spoilt;

static long member_body(struct kcoro_coro *co)
{
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await(co, &event));
	if (!got)
		atomic_inc(&woken);
	else if (got == -ECANCELED)
		atomic_inc(&cancelled);
	KCORO_END(got);
}

static void member_destroy(struct kcoro_coro *co)
{
	struct member *me = container_of(co, struct member, co);
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(me->state); i++)
		if (me->state[i] != me->state[0] + i)
			atomic_inc(&spoilt);
	atomic_inc(&destroyed);
}

static const struct kcoro_desc member_desc = {
	.owner = THIS_MODULE,
	.name = "member",
	.frame_size = sizeof(struct member),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
	.resume = member_body,
	.destroy = member_destroy,
};

/* In that scope; NULL: in the one that is everybody's. */
static int suspend_all(struct kcoro_scope *where)
{
	struct kcoro_coro *co;
	unsigned int i, k;

	for (i = 0; i < count; i++) {
		co = kcoro_coro_create(where, &member_desc);
		EXPECT(!IS_ERR(co));
		for (k = 0; k < ARRAY_SIZE(container_of(co, struct member, co)->state); k++)
			container_of(co, struct member, co)->state[k] = i + k;
		kcoro_coro_start_here(co);
		cond_resched();
	}
	EXPECT(!where || kcoro_scope_live(where) == count);
	return 0;
}

/* Bytes of each: what the pool says, and what the kernel says. */
static int take_memory(void)
{
	unsigned int each = KCORO_CLASS_SIZE(kcoro_size_class(sizeof(struct member)));
	long slab = meminfo("Slab:"), available = meminfo("MemAvailable:");
	static struct kcoro_pool_info info;
	int line;

	line = suspend_all(scope);
	if (line)
		return line;
	slab = (meminfo("Slab:") - slab) / (long)count;
	available = (available - meminfo("MemAvailable:")) / (long)count;
	kcoro_pool_read_info(pool, &info);
	pr_info("kcoro_crowd: %u suspended, each %llu bytes of the pool (it holds %llu), %ld of slab, %ld less available\n",
		count, info.live / count, info.held / count, slab, available);
	EXPECT(info.live == (u64)each * count);
	/* Locks are larger where they are debugged. */
	EXPECT(IS_ENABLED(CONFIG_DEBUG_SPINLOCK) || each <= 192);
	/*
	 * A slab of one page has room for 21, and the counters of memory are a little late. What
	 * a debug kernel records of each allocation is no cost of ours.
	 */
	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		return 0;
	EXPECT(slab < each + each / 16 && available < each + each / 8);
	return 0;
}

/* Nobody is left, and what they had is cached to a small part at most. */
static int all_are_gone(void)
{
	struct kcoro_pool_info info;

	EXPECT(atomic_read(&destroyed) == count && !atomic_read(&spoilt));
	kcoro_pool_read_info(pool, &info);
	EXPECT(!info.live);
	pr_info("kcoro_crowd: all are gone, %llu bytes are cached\n", info.cached);
	EXPECT(info.cached < SZ_1M);
	return 0;
}

static int wake_all(void)
{
	u64 begun = ktime_get_ns(), set;

	kcoro_event_set(&event);
	set = ktime_get_ns();
	EXPECT(!kcoro_scope_wait(scope, 600 * HZ));
	pr_info("kcoro_crowd: to set the event took %llu ms, until all had ended %llu ms\n",
		(set - begun) / NSEC_PER_MSEC, (ktime_get_ns() - begun) / NSEC_PER_MSEC);
	EXPECT(atomic_read(&woken) == count);
	return 0;
}

static int cancel_all(void)
{
	u64 begun = ktime_get_ns(), asked;

	kcoro_scope_cancel(scope);
	asked = ktime_get_ns();
	EXPECT(!kcoro_scope_wait(scope, 600 * HZ));
	pr_info("kcoro_crowd: to cancel took %llu ms, until all had ended %llu ms\n",
		(asked - begun) / NSEC_PER_MSEC, (ktime_get_ns() - begun) / NSEC_PER_MSEC);
	EXPECT(atomic_read(&cancelled) == count);
	return 0;
}

static int destroy_all(void)
{
	u64 begun = ktime_get_ns();

	EXPECT(!kcoro_scope_destroy(scope));
	pr_info("kcoro_crowd: to destroy the scope took %llu ms\n",
		(ktime_get_ns() - begun) / NSEC_PER_MSEC);
	EXPECT(atomic_read(&destroyed) == count && !atomic_read(&spoilt));
	EXPECT(!atomic_read(&woken) && !atomic_read(&cancelled));
	return 0;
}

static int verdict(int line)
{
	if (line)
		pr_err("kcoro_crowd: not ok %s (line %d)\n", end, line);
	else
		pr_info("kcoro_crowd: ok %s\n", end);
	return line ? -EINVAL : 0;
}

static int release(const char *value, const struct kernel_param *param)
{
	kcoro_event_set(&event);
	return 0;
}

static const struct kernel_param_ops release_ops = { .set = release };
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "written: the event is set");

static bool ends(const char *name)
{
	return !strcmp(end, name);
}

static int __init kcoro_crowd_init(void)
{
	const struct kcoro_pool_attr pool_attr = { .size = sizeof(pool_attr), .name = "crowd" };
	struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "crowd",
	};
	int line;

	kcoro_event_init(&event, false);
	if (ends("hold"))
		return verdict(suspend_all(NULL));
	pool = kcoro_pool_create(&pool_attr);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	attr.pool = pool;
	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope)) {
		kcoro_pool_destroy(pool);
		return PTR_ERR(scope);
	}
	line = take_memory();
	if (ends("unload") && !line)
		return 0;
	if (!line)
		line = ends("cancel") ? cancel_all() : wake_all();
	if (!line)
		line = all_are_gone();
	kcoro_scope_destroy(scope);
	kcoro_pool_destroy(pool);
	return verdict(line);
}

static void __exit kcoro_crowd_exit(void)
{
	if (!ends("unload"))
		return;
	verdict(destroy_all() ?: all_are_gone());
	kcoro_pool_destroy(pool);
}

module_init(kcoro_crowd_init);
module_exit(kcoro_crowd_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Very many suspended coroutines, for tests");
