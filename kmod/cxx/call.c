// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - a function that a kernel thread runs for a C++ coroutine, which awaits its result.
 *
 * Contexts: a step of the coroutine.
 */
#include <linux/module.h>
#include <linux/workqueue.h>

#include "../coro/wait.h"
#include "cxx.h"

struct cxx_call {
	struct work_struct work;
	long (*fn)(void *arg);
	void *arg;
	struct kcoro_wait *wait;
};

static_assert(sizeof(struct cxx_call) <= KCORO_CXX_CALL_ROOM);

static void call_work(struct work_struct *work)
{
	struct cxx_call *call = container_of(work, struct cxx_call, work);
	long result = call->fn(call->arg);
	unsigned long flags;

	/* As under a source's lock. The last touch. */
	local_irq_save(flags);
	kcoro_wait_fire(call->wait, result, 0);
	local_irq_restore(flags);
}

void kcoro_cxx_call(void *room, struct kcoro_cxx_wait *cxx, long (*fn)(void *arg), void *arg)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);
	struct cxx_call *call = room;

	INIT_WORK(&call->work, call_work);
	call->fn = fn;
	call->arg = arg;
	call->wait = wait;
	kcoro_wait_arm_aimed(wait, KCORO_WAIT_CALL);
	kcoro_cxx_waits(wait);
	queue_work(kcoro_call_wq, &call->work);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_call);
