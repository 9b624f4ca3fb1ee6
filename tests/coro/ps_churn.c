// SPDX-License-Identifier: GPL-2.0-only
/*
 * ps_churn.c - coroutines that come and go, many that stay, and scopes that are destroyed,
 * while somebody lists them. Parameters, written while the module is loaded:
 *
 *   churn=N	from now on N live, each for a second or less, on all CPUs; 0: none
 *   pile=N	N that wait for ever, in a scope of their own
 *   cycles=N	N times: a scope, 200 that wait in it, destroyed; returns when it is done
 *   made	how many of churn's there have been
 */
#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/random.h>

#include "ps_test.h"

#define MOST_NS NSEC_PER_SEC
#define IN_A_CYCLE 200

struct passer {
	struct kcoro_coro co;
	struct kcoro_timer timer;
};

struct waiter {
	struct kcoro_coro co;
};

static DEFINE_MUTEX(lock);
static struct kcoro_scope *churn_scope, *pile_scope;
static struct kcoro_event never;
static atomic_t made;

static int start_passer(void);

static long passer(struct kcoro_coro *co)
{
	struct passer *p = container_of(co, struct passer, co);
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_timer_await(co, &p->timer, get_random_u32_below(MOST_NS)));
	if (!err)
		start_passer();
	KCORO_END(err);
}

static const struct kcoro_desc passer_desc = {
	.owner = THIS_MODULE,
	.name = "passer",
	.frame_size = sizeof(struct passer),
	.resume = passer,
};

/* On the next CPU. */
static int start_passer(void)
{
	struct kcoro_coro *co = kcoro_coro_create(churn_scope, &passer_desc);

	if (IS_ERR(co))
		return PTR_ERR(co);
	kcoro_coro_pin(co, (u32)atomic_inc_return(&made) % num_online_cpus());
	kcoro_coro_start(co);
	return 0;
}

static long waiter(struct kcoro_coro *co)
{
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_event_await(co, &never));
	KCORO_END(err);
}

static const struct kcoro_desc waiter_desc = {
	.owner = THIS_MODULE,
	.name = "waiter",
	.frame_size = sizeof(struct waiter),
	.resume = waiter,
};

static int spawn_waiters(struct kcoro_scope *scope, unsigned int n)
{
	int err = 0;

	for (; n && !err; n--)
		err = kcoro_coro_spawn(scope, &waiter_desc, NULL, 0);
	return err;
}

static int renew(struct kcoro_scope **scope, const char *name, unsigned int n)
{
	kcoro_scope_destroy(*scope);
	*scope = NULL;
	if (!n)
		return 0;
	*scope = ps_scope(name, NULL, 0);
	if (!IS_ERR(*scope))
		return 0;
	n = PTR_ERR(*scope);
	*scope = NULL;
	return n;
}

static int churn_set(const char *text, const struct kernel_param *kp)
{
	unsigned int n;
	int err = kstrtouint(text, 0, &n);

	if (err)
		return err;
	mutex_lock(&lock);
	err = renew(&churn_scope, "churn", n);
	for (; n && !err; n--)
		err = start_passer();
	mutex_unlock(&lock);
	return err;
}

static int pile_set(const char *text, const struct kernel_param *kp)
{
	unsigned int n;
	int err = kstrtouint(text, 0, &n);

	if (err)
		return err;
	mutex_lock(&lock);
	err = renew(&pile_scope, "pile", n) ?: spawn_waiters(pile_scope, n);
	mutex_unlock(&lock);
	return err;
}

static int cycles_set(const char *text, const struct kernel_param *kp)
{
	struct kcoro_scope *scope = NULL;
	unsigned int n;
	int err = kstrtouint(text, 0, &n);

	for (; n && !err; n--) {
		mutex_lock(&lock);
		err = renew(&scope, "cycle", 1) ?: spawn_waiters(scope, IN_A_CYCLE);
		kcoro_scope_destroy(scope);
		scope = NULL;
		mutex_unlock(&lock);
	}
	return err;
}

static const struct kernel_param_ops churn_ops = { .set = churn_set };
static const struct kernel_param_ops pile_ops = { .set = pile_set };
static const struct kernel_param_ops cycles_ops = { .set = cycles_set };

module_param_cb(churn, &churn_ops, NULL, 0200);
MODULE_PARM_DESC(churn, "so many that come and go");
module_param_cb(pile, &pile_ops, NULL, 0200);
MODULE_PARM_DESC(pile, "so many that stay");
module_param_cb(cycles, &cycles_ops, NULL, 0200);
MODULE_PARM_DESC(cycles, "scopes to make and destroy, one after the other");
module_param_named(made, made.counter, int, 0444);
MODULE_PARM_DESC(made, "coroutines that came so far");

void churn_init(void)
{
	kcoro_event_init(&never, false);
}

void churn_stop(void)
{
	mutex_lock(&lock);
	kcoro_scope_destroy(churn_scope);
	kcoro_scope_destroy(pile_scope);
	mutex_unlock(&lock);
}
