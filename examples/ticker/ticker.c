// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ticker.c - a coroutine that says "tick" three times, and then waits for its end. */
#include <linux/err.h>
#include <linux/module.h>

#include <kcoro/kcoro.h>

struct ticker {
	struct kcoro_coro co;		/* first */
	struct kcoro_timer timer;
	int ticks;			/* what lives across an await stands here */
};

static struct kcoro_scope *scope;

static long ticker_body(struct kcoro_coro *co)
{
	struct ticker *t = container_of(co, struct ticker, co);
	long err;

	KCORO_BEGIN(co);
	while (t->ticks < 3) {
		KCORO_AWAIT(err, kcoro_timer_await(co, &t->timer, 100 * NSEC_PER_MSEC));
		if (err)
			KCORO_RETURN(err);
		pr_info("ticker: tick %d\n", ++t->ticks);
	}
	KCORO_AWAIT(err, kcoro_timer_await(co, &t->timer, KTIME_MAX));
	KCORO_END(err);
}

static void ticker_destroy(struct kcoro_coro *co)
{
	pr_info("ticker: ended after %d ticks\n", container_of(co, struct ticker, co)->ticks);
}

static const struct kcoro_desc ticker_desc = {
	.owner = THIS_MODULE,
	.name = "ticker",
	.frame_size = sizeof(struct ticker),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
	.resume = ticker_body,
	.destroy = ticker_destroy,
};

static int __init ticker_init(void)
{
	static const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "ticker",
	};
	int err;

	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	err = kcoro_coro_spawn(scope, &ticker_desc, NULL, 0);
	if (err)
		kcoro_scope_destroy(scope);
	return err;
}

static void __exit ticker_exit(void)
{
	kcoro_scope_destroy(scope);
}

module_init(ticker_init);
module_exit(ticker_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Example of kcoro: a coroutine with a timer");
