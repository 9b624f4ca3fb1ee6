// SPDX-License-Identifier: GPL-2.0-only
/*
 * storm.c - the reserve while the slab gives nothing at all: failslab at 100 % for the
 * cache of the frames. reserve.test prepares failslab, which only debug kernels have.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include <kcoro/kcoro.h>

#include "at_level.h"
#include "test.h"

#define RESERVED 1000
#define SIZE 128
#define NR_TASKS 4

static struct {
	struct kcoro_pool *pool;
	atomic_t had, refused;
	void *frames[RESERVED + 1];
} storm;

/* Whoever it is: a few, so that all have their turn. */
static void take_some(void *arg)
{
	void *frame;
	int i, at;

	for (i = 0; i < 10; i++) {
		frame = kcoro_pool_alloc(storm.pool, SIZE);
		if (!frame) {
			atomic_inc(&storm.refused);
			return;
		}
		at = atomic_inc_return(&storm.had) - 1;
		storm.frames[min(at, RESERVED)] = frame;
	}
}

static int task(void *unused)
{
	while (!atomic_read(&storm.refused)) {
		take_some(NULL);
		usleep_range(100, 200);
	}
	return 0;
}

static int failslab(int percent)
{
	char *line = kasprintf(GFP_KERNEL, "echo %d >/sys/kernel/debug/failslab/probability",
			       percent);
	char *argv[] = { "/bin/sh", "-c", line, NULL };
	char *envp[] = { "PATH=/bin:/sbin", NULL };
	int err = line ? call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC) : -ENOMEM;

	kfree(line);
	return err;
}

static u32 there(void)
{
	static struct kcoro_pool_info info;

	kcoro_pool_read_info(storm.pool, &info);
	return info.reserve_there[KCORO_CLASS_128B];
}

/* All levels, and a task on each CPU at the same time. */
static int rage(void)
{
	static struct task_struct *tasks[NR_TASKS];
	bool reached = true;
	unsigned int level;
	int n;

	for (n = 0; n < NR_TASKS; n++) {
		tasks[n] = kthread_run(task, NULL, "kcoro_test/storm");
		if (IS_ERR(tasks[n]))
			break;
		get_task_struct(tasks[n]);
	}
	/* Each level gets some as long as there are any. */
	for (level = 0; level < KCORO_LEVELS; level++)
		reached &= at_level(level, take_some, NULL);
	EXPECT(n == NR_TASKS && reached);
	/* Who is stopped before it has begun never does. */
	while (!atomic_read(&storm.refused))
		usleep_range(1000, 2000);
	while (n--)
		kthread_stop_put(tasks[n]);
	/* And none afterwards. */
	for (level = 0; level < KCORO_LEVELS; level++)
		EXPECT(at_level(level, take_some, NULL));
	return 0;
}

static int reserve(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "storm" };
	struct kcoro_frame_counters c;
	unsigned int level;
	int line, i, served = 0, of_level[KCORO_LEVELS];

	memset(&storm, 0, sizeof(storm));
	storm.pool = kcoro_pool_create(&attr);
	EXPECT(!IS_ERR(storm.pool));
	EXPECT(!kcoro_pool_reserve(storm.pool, SIZE, RESERVED));
	EXPECT(!failslab(100));
	line = rage();
	EXPECT(!failslab(0) || !line);
	for (level = 0; level < KCORO_LEVELS; level++) {
		kcoro_pool_read(storm.pool, level, KCORO_CLASS_128B, &c);
		of_level[level] = c.reserve;
		served += c.reserve;
	}
	pr_info("kcoro_test: the slab failing, %d of %d from the reserve: %d task, %d softirq, %d hardirq, %d NMI; %d refused\n",
		served, RESERVED, of_level[KCORO_LEVEL_TASK], of_level[KCORO_LEVEL_SOFTIRQ],
		of_level[KCORO_LEVEL_HARDIRQ], of_level[KCORO_LEVEL_NMI],
		atomic_read(&storm.refused));
	for (i = 0; i < min(atomic_read(&storm.had), RESERVED); i++)
		kcoro_pool_free(storm.pool, storm.frames[i], SIZE);
	for (i = 0; i < 3000 && there() != RESERVED; i++)
		usleep_range(1000, 2000);
	i = there();
	kcoro_pool_destroy(storm.pool);
	if (line)
		return line;
	EXPECT(atomic_read(&storm.had) == RESERVED && served == RESERVED);
	for (level = 0; level < KCORO_LEVELS; level++)
		EXPECT(of_level[level] >= 10 || IS_ENABLED(CONFIG_PREEMPT_RT));
	EXPECT(atomic_read(&storm.refused) >= KCORO_LEVELS);
	EXPECT(i == RESERVED);
	return 0;
}

const struct kcoro_test_case kcoro_storm_cases[] = {
	{ "storm_reserve", reserve, true },
	{}
};
