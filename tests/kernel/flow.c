// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow.c - one CPU allocates and another one frees, as a pipeline does: frames go one
 * way all the time, and memory stays bounded. flow=N frames; flow.test has many.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "../../kmod/pool/pool.h"
#include "test.h"

static ulong flow = 100000;
module_param(flow, ulong, 0444);
MODULE_PARM_DESC(flow, "frames that go from CPU to CPU");

#define SIZE 128
#define RING 1024	/* a power of two */

static struct {
	struct kcoro_pool *pool;
	u64 *ring[RING];
	unsigned long put, taken;	/* of the producer, of the consumer */
	bool stop;
	int line;
	struct completion done;
} f;

static int fail_at(int line)
{
	f.line = line;
	WRITE_ONCE(f.stop, true);
	return 0;
}

static int produce(void *unused)
{
	unsigned long i;
	u64 *frame;

	for (i = 0; i < flow && !READ_ONCE(f.stop); i++) {
		/* Pairs with the consumer's release: the place is empty. */
		while (i - smp_load_acquire(&f.taken) >= RING && !READ_ONCE(f.stop))
			cond_resched();
		frame = kcoro_pool_alloc(f.pool, SIZE);
		if (!frame)
			return fail_at(__LINE__);
		*frame = i;
		f.ring[i % RING] = frame;
		/* What is in the ring before the number of those in it. */
		smp_store_release(&f.put, i + 1);
		if (!(i % RING))
			cond_resched();
	}
	return 0;
}

static int consume(void *unused)
{
	unsigned long i;
	u64 *frame;

	for (i = 0; i < flow; i++) {
		/* Pairs with the producer's release. */
		while (i == smp_load_acquire(&f.put)) {
			if (READ_ONCE(f.stop))
				goto out;
			cond_resched();
		}
		frame = f.ring[i % RING];
		if (*frame != i)
			fail_at(__LINE__);
		kcoro_pool_free(f.pool, frame, SIZE);
		/* The place is empty. */
		smp_store_release(&f.taken, i + 1);
		if (!(i % RING))
			cond_resched();
	}
out:
	complete(&f.done);
	return 0;
}

/* Beside what is in the ring: four magazines and as many in the depot are 64 KiB. */
#define CACHED_MOST SZ_128K

static int between_cpus(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "flow" };
	int cpu = cpumask_any_but(cpu_online_mask, 0), line;
	struct task_struct *producer, *consumer;
	struct kcoro_frame_counters c;
	const long bound = RING * SIZE + CACHED_MOST;
	long most;

	EXPECT(cpu < nr_cpu_ids);
	memset(&f, 0, sizeof(f));
	init_completion(&f.done);
	f.pool = kcoro_pool_create(&attr);
	EXPECT(!IS_ERR(f.pool));
	producer = kthread_create(produce, NULL, "kcoro_test/put");
	consumer = kthread_create(consume, NULL, "kcoro_test/take");
	EXPECT(!IS_ERR(producer) && !IS_ERR(consumer));
	kthread_bind(producer, 0);
	kthread_bind(consumer, cpu);
	get_task_struct(producer);
	get_task_struct(consumer);
	wake_up_process(producer);
	wake_up_process(consumer);
	wait_for_completion(&f.done);
	/* Until both are out of this module's code. */
	kthread_stop_put(producer);
	kthread_stop_put(consumer);
	line = f.line;
	most = atomic_long_read(&f.pool->held_most);
	kcoro_pool_read(f.pool, KCORO_LEVEL_TASK, KCORO_CLASS_128B, &c);
	while (f.taken < f.put)
		kcoro_pool_free(f.pool, f.ring[f.taken++ % RING], SIZE);
	kcoro_pool_destroy(f.pool);
	pr_info("kcoro_test: %llu frames from CPU to CPU: at most %ld bytes of %ld held, %llu batches from the slab, %llu back\n",
		c.frees, most, bound, c.refills, c.drains);
	if (line)
		return line;
	EXPECT(c.allocs == flow && c.frees == flow);
	EXPECT(most <= bound);
	return 0;
}

const struct kcoro_test_case kcoro_flow_cases[] = {
	{ "flow_between_cpus", between_cpus },
	{}
};
