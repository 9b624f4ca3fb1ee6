// SPDX-License-Identifier: GPL-2.0-only
/*
 * coroutine.c - a coroutine's life: create, start, run, finish. The states and who may
 * change them are described in include/kcoro/state.h.
 *
 * Contexts: create, start, wake: any, NMI included. The runner is a queue's drain or,
 * for a body that may sleep, a work item of its own; only one at a time runs a coroutine.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "coroutine.h"
#include "scope.h"
#include "wait.h"

/* Two cache lines; with 64 bytes of state three. Kernels that debug locks have larger ones. */
static_assert(IS_ENABLED(CONFIG_DEBUG_SPINLOCK) || IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) ||
	      sizeof(struct kcoro_coro) == 128);

/* For people: unique until 2^32 coroutines were made. Each CPU has every n-th number. */
static DEFINE_PER_CPU(u32, last_id);

static bool desc_is_valid(const struct kcoro_desc *desc)
{
	return desc && desc->resume && desc->name &&
	       desc->frame_size >= sizeof(struct kcoro_coro) &&
	       desc->frame_size <= KCORO_FRAME_LARGE_MAX - sizeof(struct kcoro_sleeper) &&
	       desc->executor < KCORO_EXECUTORS && !(desc->flags & ~KCORO_DESC_FLAGS) &&
	       (!(desc->flags & KCORO_DESC_SLEEPS) || desc->executor == KCORO_EXECUTOR_WORKER);
}

static enum kcoro_status final_status(u32 state, bool ran, s64 result)
{
	if (state & KCORO_STATE_KILL)
		return KCORO_STATUS_KILLED;
	if (state & KCORO_STATE_TIMEOUT && (!ran || result == -ETIMEDOUT))
		return KCORO_STATUS_TIMED_OUT;
	if (state & KCORO_STATE_CANCEL && (!ran || result == -ECANCELED))
		return KCORO_STATUS_CANCELLED;
	return KCORO_STATUS_DONE;
}

/* No lock is needed: nobody has a reference any more. */
static void frame_free(struct kcoro_coro *co, struct kcoro_pool *pool, size_t bytes)
{
	kcoro_pool_free(pool, co, bytes);
}

/* Others have references: tell them, and leave what the last one needs. */
static void finish_shared(struct kcoro_coro *co, enum kcoro_status status,
			  struct kcoro_pool *pool, size_t bytes)
{
	struct hlist_node *node, *next;
	unsigned long flags;
	u32 old;

	raw_spin_lock_irqsave(&co->lock, flags);
	co->pool = pool;
	co->frame_bytes = bytes;
	old = atomic_read(&co->state);
	while (!atomic_try_cmpxchg(&co->state, &old, kcoro_state_finished(old, status)))
		;
	hlist_for_each_safe(node, next, &co->joiners) {
		__hlist_del(node);
		kcoro_wait_fire(hlist_entry(node, struct kcoro_wait, hlink), 0, 0);
	}
	raw_spin_unlock_irqrestore(&co->lock, flags);
	if (atomic_dec_and_test(&co->refs))
		frame_free(co, pool, bytes);
}

/* The body has come to its end, or is not to begin. The last return from its code. */
static noinline void finish(struct kcoro_coro *co, s64 result)
{
	u32 state = atomic_read(&co->state);
	enum kcoro_status status = final_status(state, co->flags & KCORO_CORO_RAN, result);
	const struct kcoro_desc *desc = co->desc;
	struct module *owner = co->flags & KCORO_CORO_OWNER ? desc->owner : NULL;
	struct kcoro_scope *scope = co->scope;
	struct kcoro_pool *pool = scope->pool;
	size_t bytes = kcoro_desc_bytes(desc);

	if (desc->destroy)
		desc->destroy(co);
	if (status != KCORO_STATUS_DONE)
		co->result = kcoro_status_errno(status);
	else if (result)
		co->result = result;
	trace_kcoro_coro_done(co, status);
	if (co->flags & KCORO_CORO_LISTED)
		kcoro_scope_unlist(co);
	/* Pairs with the release in a put: who has none can neither join nor stop it. */
	if (atomic_read_acquire(&co->refs) == 1)
		frame_free(co, pool, bytes);
	else
		finish_shared(co, status, pool, bytes);
	kcoro_scope_leave(scope);
	if (unlikely(owner))
		module_put(owner);
}

/* Before the body is called first. False: it is not to be called at all. */
static bool begin(struct kcoro_coro *co)
{
	u32 stop = kcoro_scope_stop_of(co);

	if (unlikely(stop))
		atomic_or(stop, &co->state);
	/* What may sleep may try to destroy its scope, which looks for it in its lists. */
	if (unlikely(co->flags & KCORO_CORO_SLEEPS))
		kcoro_scope_list(co);
	if (unlikely(atomic_read(&co->state) & KCORO_STATE_STOP) &&
	    !(co->desc->flags & KCORO_DESC_ENDS_ITSELF))
		return false;
	co->flags |= KCORO_CORO_RAN;
	return true;
}

/* A body that was killed and waits all the same, with nobody to wake it. */
static bool waits_for_nothing(struct kcoro_coro *co, u32 state)
{
	return state & KCORO_STATE_KILL && READ_ONCE(co->wait.state) == KCORO_WAIT_IDLE;
}

/* It waits. True: it is suspended, and not ours any more. False: it was woken before that. */
static __always_inline bool suspend(struct kcoro_coro *co, u32 state)
{
	while (kcoro_state_suspends(state))
		if (atomic_try_cmpxchg(&co->state, &state, kcoro_state_suspended(state)))
			return true;
	return false;
}

/* Ready again; the item is ours. */
static __always_inline void run_again(struct kcoro_coro *co, u32 state, struct kcoro_queue *q)
{
	while (!atomic_try_cmpxchg(&co->state, &state, kcoro_state_again(state)))
		;
	if (likely(q))
		kcoro_queue_again(q, &co->item);
	else
		kcoro_coro_ready(co);
}

static void coro_run(struct kcoro_item *item, struct kcoro_queue *q)
{
	struct kcoro_coro *co = container_of(item, struct kcoro_coro, item);
	u32 state;
	long result;

	/* Full barrier: what was written before the wake is seen from here on. */
	atomic_add_return(KCORO_STATE_RUN, &co->state);
	if (unlikely(!(co->flags & KCORO_CORO_RAN)) && !begin(co)) {
		finish(co, 0);
		return;
	}
	trace_kcoro_coro_resume(co);
	result = co->desc->resume(co);
	if (result != KCORO_WAIT && result != KCORO_AGAIN) {
		finish(co, result);
		return;
	}
	trace_kcoro_coro_await(co, result == KCORO_AGAIN);
	if (unlikely(!(co->flags & KCORO_CORO_LISTED)))
		kcoro_scope_list(co);
	state = atomic_read(&co->state);
	if (likely(result == KCORO_WAIT)) {
		if (unlikely(waits_for_nothing(co, state))) {
			finish(co, -EINTR);
			return;
		}
		if (likely(suspend(co, state)))
			return;
	}
	run_again(co, state, q);
}

/**
 * kcoro_coro_freeze() - keep a suspended coroutine from being resumed, for a moment
 * @co: a live coroutine
 *
 * The caller takes the runner's place, and does not run the body.
 * Context: any but NMI, interrupts off until kcoro_coro_thaw().
 * Return: false: it is not suspended.
 */
bool kcoro_coro_freeze(struct kcoro_coro *co)
{
	int state = atomic_read(&co->state);

	if (!(co->flags & KCORO_CORO_RAN))
		return false;
	/* Pairs with the release of who suspended it: what it left in its frame is seen. */
	do {
		if (!kcoro_state_queues(state))
			return false;
	} while (!atomic_try_cmpxchg(&co->state, &state, kcoro_state_frozen(state)));
	return true;
}

/**
 * kcoro_coro_thaw() - the end of kcoro_coro_freeze()
 * @co: frozen; when it was woken meanwhile it is queued now
 *
 * Context: as there.
 */
void kcoro_coro_thaw(struct kcoro_coro *co)
{
	if (!suspend(co, atomic_read(&co->state)))
		run_again(co, atomic_read(&co->state), NULL);
}

/**
 * kcoro_coro_hold() - the creator is the runner of the first step
 * @co: from kcoro_coro_create(), of a body that does not sleep; nobody else knows it
 *
 * What the body would do first the caller does, in its place: begin an await. Then
 * kcoro_coro_suspend(); or, if that failed, kcoro_coro_put() ends it all.
 * Context: any but NMI.
 */
void kcoro_coro_hold(struct kcoro_coro *co)
{
	atomic_set(&co->state, KCORO_STATE_RUNNING);
}

/**
 * kcoro_coro_suspend() - the first step is done: the await has begun
 * @co: held; no longer the caller's afterwards
 *
 * When what it awaits has come meanwhile, it is queued.
 * Context: any but NMI.
 */
void kcoro_coro_suspend(struct kcoro_coro *co)
{
	u32 state;

	co->flags |= KCORO_CORO_STARTED | KCORO_CORO_RAN;
	trace_kcoro_coro_await(co, false);
	/* Here it is told of a stop that came before. */
	kcoro_scope_list(co);
	state = atomic_read(&co->state);
	if (!suspend(co, state))
		run_again(co, state, NULL);
}

static void sleeper_work(struct work_struct *work)
{
	struct kcoro_sleeper *sleeper = container_of(work, struct kcoro_sleeper, work);
	struct kcoro_coro *co = sleeper->co;

	WRITE_ONCE(sleeper->task, current);
	coro_run(&co->item, NULL);
}

static void sleeper_queue_work(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct kcoro_coro *co = container_of(item, struct kcoro_coro, item);
	struct kcoro_sleeper *sleeper = kcoro_sleeper_of(co);
	unsigned int cpu;

	/* Not when it is made: that may be in NMI, where kernels that debug objects lock. */
	if (!sleeper->co) {
		sleeper->co = co;
		INIT_WORK(&sleeper->work, sleeper_work);
	}
	preempt_disable();
	cpu = cpu_online(co->cpu) ? co->cpu : smp_processor_id();
	queue_work_on(cpu, kcoro_worker_wq, &sleeper->work);
	preempt_enable();
}

/**
 * kcoro_sleeper_queue() - kcoro_coro_ready() for a body that may sleep
 * @co: NOTIFIED was set by the caller
 *
 * Context: any.
 */
void kcoro_sleeper_queue(struct kcoro_coro *co)
{
	if (in_nmi())
		kcoro_later_add(&co->item);
	else
		sleeper_queue_work(&co->item, NULL);
}

/**
 * kcoro_coro_create_gfp() - kcoro_coro_create() with the caller's flags for the slab
 * @scope: as there
 * @desc: as there
 * @gfp: as for kcoro_pool_alloc_gfp()
 *
 * Context: any.
 */
struct kcoro_coro *kcoro_coro_create_gfp(struct kcoro_scope *scope, const struct kcoro_desc *desc,
					 gfp_t gfp)
{
	struct kcoro_coro *co;
	size_t bytes;
	u8 flags = 0;
	int err;

	if (!desc_is_valid(desc))
		return ERR_PTR(-EINVAL);
	scope = scope ?: kcoro_scope_root;
	err = kcoro_scope_enter(scope);
	if (err)
		return ERR_PTR(err);
	if (desc->owner != scope->owner && desc->owner) {
		err = -ENODEV;
		if (!try_module_get(desc->owner))
			goto err_scope;
		flags |= KCORO_CORO_OWNER;
	}
	bytes = kcoro_desc_bytes(desc);
	err = -ENOMEM;
	co = kcoro_pool_alloc_gfp(scope->pool, bytes, gfp);
	if (!co)
		goto err_owner;
	memset(co, 0, bytes);
	if (desc->flags & KCORO_DESC_SLEEPS)
		flags |= KCORO_CORO_SLEEPS;
	co->item.run = flags & KCORO_CORO_SLEEPS ? sleeper_queue_work : coro_run;
	co->desc = desc;
	/* Ready but for its queue: who stops it before its start must not queue it. */
	atomic_set(&co->state, KCORO_STATE_NOTIFIED);
	atomic_set(&co->refs, 1);
	raw_spin_lock_init(&co->lock);
	co->id = this_cpu_add_return(last_id, nr_cpu_ids);
	co->cpu = raw_smp_processor_id();
	co->executor = desc->executor;
	co->flags = flags;
	co->scope = scope;
	co->asked = READ_ONCE(scope->asked);
	trace_kcoro_coro_spawn(co, bytes);
	return co;

err_owner:
	if (flags & KCORO_CORO_OWNER)
		module_put(desc->owner);
err_scope:
	kcoro_scope_leave(scope);
	return ERR_PTR(err);
}

struct kcoro_coro *kcoro_coro_create(struct kcoro_scope *scope, const struct kcoro_desc *desc)
{
	return kcoro_coro_create_gfp(scope, desc, KCORO_GFP_AUTO);
}
EXPORT_SYMBOL_GPL(kcoro_coro_create);

void kcoro_coro_start(struct kcoro_coro *co)
{
	co->flags |= KCORO_CORO_STARTED;
	trace_kcoro_coro_wake(co);
	kcoro_coro_ready(co);
}
EXPORT_SYMBOL_GPL(kcoro_coro_start);

void kcoro_coro_start_here(struct kcoro_coro *co)
{
	struct kcoro_queue *q = kcoro_sched_begin_here();

	if (!(co->flags & KCORO_CORO_PINNED))
		co->cpu = smp_processor_id();
	kcoro_coro_start(co);
	kcoro_sched_end_here(q);
}
EXPORT_SYMBOL_GPL(kcoro_coro_start_here);

int kcoro_coro_spawn(struct kcoro_scope *scope, const struct kcoro_desc *desc,
		     const void *state, size_t size)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, desc);

	if (IS_ERR(co))
		return PTR_ERR(co);
	if (size > desc->frame_size - sizeof(*co)) {
		kcoro_coro_put(co);
		return -EINVAL;
	}
	if (state)
		memcpy(co + 1, state, size);
	kcoro_coro_start(co);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_coro_spawn);

int kcoro_coro_pin(struct kcoro_coro *co, unsigned int cpu)
{
	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return -EINVAL;
	co->cpu = cpu;
	co->flags |= KCORO_CORO_PINNED;
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_coro_pin);

void kcoro_coro_wake(struct kcoro_coro *co)
{
	trace_kcoro_coro_wake(co);
	kcoro_coro_notify(co, 0);
}
EXPORT_SYMBOL_GPL(kcoro_coro_wake);

struct kcoro_coro *kcoro_coro_get(struct kcoro_coro *co)
{
	atomic_inc(&co->refs);
	return co;
}
EXPORT_SYMBOL_GPL(kcoro_coro_get);

/* It was never started: nobody but the caller knows it. */
static void drop(struct kcoro_coro *co)
{
	const struct kcoro_desc *desc = co->desc;
	struct module *owner = co->flags & KCORO_CORO_OWNER ? desc->owner : NULL;
	struct kcoro_scope *scope = co->scope;

	if (desc->destroy)
		desc->destroy(co);
	frame_free(co, scope->pool, kcoro_desc_bytes(desc));
	kcoro_scope_leave(scope);
	if (owner)
		module_put(owner);
}

void kcoro_coro_put(struct kcoro_coro *co)
{
	if (!co || !atomic_dec_and_test(&co->refs))
		return;
	if (co->flags & KCORO_CORO_STARTED)
		frame_free(co, co->pool, co->frame_bytes);
	else
		drop(co);
}
EXPORT_SYMBOL_GPL(kcoro_coro_put);

long kcoro_coro_lost(struct kcoro_coro *co, unsigned int line)
{
	pr_err("kcoro: body \"%s\" awaits inside a switch of its own, at line %u: it can't be resumed there and ends; put the switch into a function\n",
	       co->desc->name, line);
	return -ELOOP;
}
EXPORT_SYMBOL_GPL(kcoro_coro_lost);

void __init kcoro_coro_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(last_id, cpu) = cpu + 1 - nr_cpu_ids;
}
