// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pipeline.c - numbers go through a channel from a producer to two consumers, which add
 * them up. The channel has room for four: who is faster waits for who is slower.
 */
#include <linux/err.h>
#include <linux/module.h>

#include <kcoro/kcoro.h>

#define NUMBERS 1000
#define ROOM 4

static struct kcoro_scope *scope;
static struct kcoro_channel channel;
static s64 slots[ROOM];
static atomic64_t sum;
static atomic_t consumers = ATOMIC_INIT(2);

struct producer {
	struct kcoro_coro co;		/* first */
	s64 next;
};

static long producer_body(struct kcoro_coro *co)
{
	struct producer *p = container_of(co, struct producer, co);
	long err;

	KCORO_BEGIN(co);
	for (; p->next <= NUMBERS; p->next++) {
		KCORO_AWAIT(err, kcoro_channel_send_await(co, &channel, p->next, NULL, 0));
		if (err)
			KCORO_RETURN(err);
	}
	kcoro_channel_close(&channel);
	KCORO_END(0);
}

static long consumer_body(struct kcoro_coro *co)
{
	s64 number;
	long err;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_AWAIT(err, kcoro_channel_receive_await(co, &channel, &number, NULL, 0));
		if (err)
			break;
		atomic64_add(number, &sum);
	}
	/* Closed and empty: the last one tells. */
	if (err == -EPIPE && atomic_dec_and_test(&consumers))
		pr_info("pipeline: the sum of 1 to %d is %lld\n", NUMBERS, atomic64_read(&sum));
	KCORO_END(err);
}

static const struct kcoro_desc producer_desc = {
	.owner = THIS_MODULE,
	.name = "producer",
	.frame_size = sizeof(struct producer),
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = producer_body,
};

static const struct kcoro_desc consumer_desc = {
	.owner = THIS_MODULE,
	.name = "consumer",
	.frame_size = sizeof(struct kcoro_coro),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
	.resume = consumer_body,
};

static int __init pipeline_init(void)
{
	static const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "pipeline",
	};
	const s64 first = 1;
	int err;

	kcoro_channel_init(&channel, slots, ROOM);
	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	err = kcoro_coro_spawn(scope, &consumer_desc, NULL, 0) ?:
	      kcoro_coro_spawn(scope, &consumer_desc, NULL, 0) ?:
	      kcoro_coro_spawn(scope, &producer_desc, &first, sizeof(first));
	/* Ends those that were started. */
	if (err)
		kcoro_scope_destroy(scope);
	return err;
}

static void __exit pipeline_exit(void)
{
	kcoro_scope_destroy(scope);
}

module_init(pipeline_init);
module_exit(pipeline_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Example of kcoro: producer and consumers with a channel");
