// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - a function that a kernel thread runs for a coroutine.
 *
 * @state goes from IDLE to RUNS (body), RETURNED and OUT (worker). Between the last two the
 * worker wakes; it touches nothing after OUT, so a body that sees RETURNED asks again.
 *
 * Contexts: a body.
 */
#include <linux/module.h>

#include "wait.h"

enum call_state {
	CALL_IDLE,
	CALL_RUNS,
	CALL_RETURNED,
	CALL_OUT,
};

/* How long a completion's wait may go on after a stop. */
#define STOP_JIFFIES (HZ / 10)

struct workqueue_struct *kcoro_call_wq;

static void call_work(struct work_struct *work)
{
	struct kcoro_call *call = container_of(work, struct kcoro_call, work);
	struct kcoro_coro *co = call->co;

	call->result = call->fn(call->arg);
	WRITE_ONCE(call->state, CALL_RETURNED);
	trace_kcoro_coro_wake(co);
	kcoro_coro_notify(co, 0);
	/* The result is there for who sees this. */
	smp_store_release(&call->state, CALL_OUT);
}

long kcoro_call_await(struct kcoro_coro *co, struct kcoro_call *call, long (*fn)(void *arg),
		      void *arg)
{
	long why;

	/* Pairs with the worker's release. */
	switch (smp_load_acquire(&call->state)) {
	case CALL_IDLE:
		why = kcoro_stop_tell(co);
		if (why)
			return why;
		INIT_WORK(&call->work, call_work);
		call->fn = fn;
		call->arg = arg;
		call->co = co;
		call->state = CALL_RUNS;
		co->wait.kind = KCORO_WAIT_CALL;
		co->wait.since = jiffies;
		co->wait.state = KCORO_WAIT_ARMED;
		queue_work(kcoro_call_wq, &call->work);
		return KCORO_WAIT;
	case CALL_OUT:
		call->state = CALL_IDLE;
		kcoro_wait_end(co, NULL);
		return call->result;
	case CALL_RETURNED:
		return KCORO_AGAIN;
	default:
		return KCORO_WAIT;
	}
}
EXPORT_SYMBOL_GPL(kcoro_call_await);

/* A completion's wait: the worker is told of a stop by @stop. */
static long completion_fn(void *arg)
{
	struct kcoro_call *call = arg;

	while (!READ_ONCE(call->stop))
		if (wait_for_completion_timeout(call->completion, STOP_JIFFIES))
			return 0;
	return try_wait_for_completion(call->completion) ? 0 : -ECANCELED;
}

long kcoro_completion_await(struct kcoro_coro *co, struct kcoro_call *call,
			    struct completion *completion)
{
	long err;

	if (call->state == CALL_IDLE) {
		call->completion = completion;
		call->stop = false;
	} else if (kcoro_coro_stopping(co)) {
		WRITE_ONCE(call->stop, true);
	}
	err = kcoro_call_await(co, call, completion_fn, call);
	return err == -ECANCELED ? kcoro_stop_tell(co) ?: err : err;
}
EXPORT_SYMBOL_GPL(kcoro_completion_await);

int __init kcoro_call_init(void)
{
	kcoro_call_wq = alloc_workqueue("kcoro_call", WQ_UNBOUND, 0);
	return kcoro_call_wq ? 0 : -ENOMEM;
}

void kcoro_call_exit(void)
{
	destroy_workqueue(kcoro_call_wq);
}
