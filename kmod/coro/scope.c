// SPDX-License-Identifier: GPL-2.0-only
/*
 * scope.c - who owns coroutines; scope.h has the order of things.
 *
 * Contexts: create, destroy, wait: process context, may sleep. cancel, kill: task or
 * softirq level. enter, leave: any context; list, unlist: any but NMI.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat.h"
#include "coroutine.h"
#include "scope.h"

/* sizeof(struct kcoro_scope_attr) when there was no other yet. */
#define ATTR_SIZE_FIRST 64

struct kcoro_scope *kcoro_scope_root;
LIST_HEAD(kcoro_scopes);
DEFINE_SRCU(kcoro_scope_readers);

static u64 last_id;
static DEFINE_MUTEX(scopes_lock);

/**
 * kcoro_scope_enter() - one more coroutine
 * @scope: the scope
 *
 * Context: any. Return: 0, -ESHUTDOWN or -ETIMEDOUT when it is closed, -EAGAIN.
 */
int kcoro_scope_enter(struct kcoro_scope *scope)
{
	int err;

	if (scope->limit && atomic_inc_return(&scope->live) > scope->limit) {
		atomic_dec(&scope->live);
		return -EAGAIN;
	}
	preempt_disable();
	/* Who closes waits for a grace period before it looks at the counters. */
	err = READ_ONCE(scope->closed);
	if (likely(!err))
		this_cpu_inc(scope->cpu->started);
	preempt_enable();
	if (unlikely(err) && scope->limit)
		atomic_dec(&scope->live);
	return err;
}

static void leave_late(struct kcoro_item *item, struct kcoro_queue *unused)
{
	struct kcoro_scope *scope = container_of(item, struct kcoro_scope, later);
	int n = atomic_xchg(&scope->late, 0);

	while (n--)
		kcoro_scope_leave(scope);
}

/**
 * kcoro_scope_leave() - one coroutine less
 * @scope: the scope; may be gone afterwards
 *
 * Context: any.
 */
void kcoro_scope_leave(struct kcoro_scope *scope)
{
	/* Who wakes takes locks. */
	if (unlikely(in_nmi())) {
		if (atomic_inc_return(&scope->late) == 1)
			kcoro_later_add(&scope->later);
		return;
	}
	preempt_disable();
	if (scope->limit)
		atomic_dec(&scope->live);
	this_cpu_inc(scope->cpu->finished);
	/* Pairs with the one in wait_until_empty(): one of the two sees the other. */
	smp_mb();
	if (unlikely(READ_ONCE(scope->waiters)))
		swake_up_one(&scope->wait);
	preempt_enable();
}

/**
 * kcoro_scope_list() - onto the list of this CPU
 * @co: a coroutine that is not listed, and is about to be suspended for the first time
 *
 * Context: its runner.
 */
void kcoro_scope_list(struct kcoro_coro *co)
{
	struct kcoro_scope *scope = co->scope;
	struct kcoro_scope_cpu *sc;
	unsigned long flags;
	u32 stop;

	local_irq_save(flags);
	sc = this_cpu_ptr(scope->cpu);
	raw_spin_lock(&sc->lock);
	stop = kcoro_scope_stop_of(co);
	list_add_tail(&co->in_scope, &sc->list);
	sc->listed++;
	co->list_cpu = smp_processor_id();
	co->flags |= KCORO_CORO_LISTED;
	raw_spin_unlock(&sc->lock);
	local_irq_restore(flags);
	/* It is RUNNING: with NOTIFIED it runs once more, and its await sees why. */
	if (unlikely(stop))
		atomic_or(stop | KCORO_STATE_NOTIFIED, &co->state);
}

/**
 * kcoro_scope_unlist() - off its list
 * @co: a listed coroutine, the caller's
 *
 * Nobody stops it any more when this returns. Context: any but NMI.
 */
void kcoro_scope_unlist(struct kcoro_coro *co)
{
	struct kcoro_scope_cpu *sc = per_cpu_ptr(co->scope->cpu, co->list_cpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&sc->lock, flags);
	list_del(&co->in_scope);
	sc->listed--;
	raw_spin_unlock_irqrestore(&sc->lock, flags);
}

static void stop_one(struct kcoro_coro *co, void *bits)
{
	kcoro_stop_ask(co, *(u32 *)bits);
}

/* Each that is listed now. There may be millions: whoever may sleep lets others have a turn. */
static void stop_cpu(struct kcoro_scope_cpu *sc, u32 bits, bool may_sleep)
{
	struct kcoro_walk walk;

	kcoro_walk_begin(&walk, sc);
	while (kcoro_walk_step(&walk, stop_one, &bits))
		if (may_sleep)
			cond_resched();
}

/* Of this scope and those in it. Under RCU, or scopes_lock to sleep, so that none goes. */
static void stop_all(struct kcoro_scope *scope, u32 bits, u32 later, bool may_sleep)
{
	struct kcoro_scope *nested;
	int cpu;

	/* Before the lists: see scope.h. */
	if (later)
		WRITE_ONCE(scope->stop, READ_ONCE(scope->stop) | later);
	if (bits & KCORO_STATE_CANCEL)
		xadd(&scope->cancels, 1);
	if (bits & KCORO_STATE_KILL)
		xadd(&scope->kills, 1);
	for_each_possible_cpu(cpu)
		stop_cpu(per_cpu_ptr(scope->cpu, cpu), bits, may_sleep);
	list_for_each_entry_rcu(nested, &scope->nested, in_parent, lockdep_is_held(&scopes_lock))
		stop_all(nested, bits, later, may_sleep);
}

void kcoro_scope_cancel(struct kcoro_scope *scope)
{
	rcu_read_lock();
	stop_all(scope, KCORO_STATE_CANCEL, 0, false);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(kcoro_scope_cancel);

void kcoro_scope_kill(struct kcoro_scope *scope)
{
	rcu_read_lock();
	stop_all(scope, KCORO_STATE_KILL, 0, false);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(kcoro_scope_kill);

/* Under scopes_lock: nothing new from now on, in the nested ones as well. */
static void time_out(struct kcoro_scope *scope)
{
	struct kcoro_scope *nested;

	cmpxchg(&scope->closed, 0, -ETIMEDOUT);
	list_for_each_entry(nested, &scope->nested, in_parent)
		time_out(nested);
}

static void deadline_work(struct work_struct *work)
{
	struct kcoro_scope *scope = container_of(to_delayed_work(work), struct kcoro_scope,
						 deadline);

	mutex_lock(&scopes_lock);
	time_out(scope);
	stop_all(scope, KCORO_STATE_TIMEOUT, KCORO_STATE_TIMEOUT, true);
	mutex_unlock(&scopes_lock);
}

u64 kcoro_scope_live(const struct kcoro_scope *scope)
{
	u64 started = 0, finished = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		finished += READ_ONCE(per_cpu_ptr(scope->cpu, cpu)->finished);
	/* In this order: see scope.h. Pairs with the full barrier of kcoro_scope_leave(). */
	smp_mb();
	for_each_possible_cpu(cpu)
		started += READ_ONCE(per_cpu_ptr(scope->cpu, cpu)->started);
	return started - finished;
}
EXPORT_SYMBOL_GPL(kcoro_scope_live);

/* Returns jiffies left, 0 on timeout, -ERESTARTSYS. */
static long wait_until_empty(struct kcoro_scope *scope, long timeout, bool killable)
{
	long left = timeout;

	xadd(&scope->waiters, 1);
	/* Pairs with the one in kcoro_scope_leave(): one of the two sees the other. */
	smp_mb();
	if (killable)
		left = swait_event_interruptible_timeout_exclusive(scope->wait,
								   !kcoro_scope_live(scope),
								   timeout);
	else
		swait_event_exclusive(scope->wait, !kcoro_scope_live(scope));
	xadd(&scope->waiters, -1);
	/* A wake is for one: the next one looks for itself. */
	swake_up_one(&scope->wait);
	return left;
}

int kcoro_scope_wait(struct kcoro_scope *scope, long timeout)
{
	long left = wait_until_empty(scope, timeout, true);

	if (left < 0)
		return left;
	return left ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_GPL(kcoro_scope_wait);

static void see_inside(struct kcoro_coro *co, void *inside)
{
	if (co->flags & KCORO_CORO_SLEEPS && atomic_read(&co->state) & KCORO_STATE_RUNNING &&
	    READ_ONCE(kcoro_sleeper_of(co)->task) == current)
		*(bool *)inside = true;
}

/* Is the calling task one that runs a body of the scope? */
static bool called_from_inside(struct kcoro_scope *scope)
{
	struct kcoro_walk walk;
	bool inside = false;
	int cpu;

	/* Only a worker can call what may sleep. */
	if (!(current->flags & PF_WQ_WORKER))
		return false;
	for_each_possible_cpu(cpu) {
		kcoro_walk_begin(&walk, per_cpu_ptr(scope->cpu, cpu));
		while (kcoro_walk_step(&walk, see_inside, &inside))
			cond_resched();
	}
	return inside;
}

static bool any_from_inside(struct kcoro_scope *scope)
{
	struct kcoro_scope *nested;

	list_for_each_entry(nested, &scope->nested, in_parent)
		if (any_from_inside(nested))
			return true;
	return called_from_inside(scope);
}

static void scope_free(struct kcoro_scope *scope)
{
	free_percpu(scope->cpu);
	kfree(scope);
}

/* Under scopes_lock: it and those in it can't be found or entered any more. */
static void close_all(struct kcoro_scope *scope)
{
	struct kcoro_scope *nested;

	WRITE_ONCE(scope->closed, -ESHUTDOWN);
	list_for_each_entry(nested, &scope->nested, in_parent)
		close_all(nested);
}

/* Nothing is entered any more, and everything is stopped. Frees from the innermost on. */
static void end(struct kcoro_scope *scope)
{
	struct kcoro_scope *nested, *next;

	list_for_each_entry_safe(nested, next, &scope->nested, in_parent)
		end(nested);
	cancel_delayed_work_sync(&scope->deadline);
	wait_until_empty(scope, 0, false);
	mutex_lock(&scopes_lock);
	list_del_rcu(&scope->list);
	if (scope->parent)
		list_del_rcu(&scope->in_parent);
	mutex_unlock(&scopes_lock);
	/* The last leaver, and who stops all; then who reads the lists. */
	synchronize_rcu();
	synchronize_srcu(&kcoro_scope_readers);
	scope_free(scope);
}

/* The other half, for who closed it. */
static void destroy_closed(struct kcoro_scope *scope)
{
	/* Who was let in before has counted by now. */
	synchronize_rcu();
	mutex_lock(&scopes_lock);
	stop_all(scope, KCORO_STATE_KILL, KCORO_STATE_KILL, true);
	mutex_unlock(&scopes_lock);
	end(scope);
}

int kcoro_scope_destroy(struct kcoro_scope *scope)
{
	if (IS_ERR_OR_NULL(scope))
		return 0;
	might_sleep();
	mutex_lock(&scopes_lock);
	if (any_from_inside(scope)) {
		mutex_unlock(&scopes_lock);
		return -EDEADLK;
	}
	close_all(scope);
	mutex_unlock(&scopes_lock);
	destroy_closed(scope);
	return 0;
}
EXPORT_SYMBOL_GPL(kcoro_scope_destroy);

/* What the caller's structure says, whatever its age. Fields that we don't know must be 0. */
static int attr_read(const struct kcoro_scope_attr *from, struct kcoro_scope_attr *attr)
{
	size_t size;

	if (!from || from->size < ATTR_SIZE_FIRST || from->size > PAGE_SIZE)
		return -EINVAL;
	size = min_t(size_t, from->size, sizeof(*attr));
	memset(attr, 0, sizeof(*attr));
	memcpy(attr, from, size);
	if (memchr_inv((const u8 *)from + size, 0, from->size - size))
		return -E2BIG;
	if (memchr_inv(attr->reserved, 0, sizeof(attr->reserved)) || !attr->name ||
	    !*attr->name || strlen(attr->name) >= KCORO_NAME_LEN || attr->limit > INT_MAX)
		return -EINVAL;
	return 0;
}

struct kcoro_scope *kcoro_scope_create(const struct kcoro_scope_attr *from)
{
	struct kcoro_scope_attr attr;
	struct kcoro_scope *scope;
	int cpu, err;

	err = attr_read(from, &attr);
	if (err)
		return ERR_PTR(err);
	scope = kzalloc(sizeof(*scope), GFP_KERNEL);
	if (!scope)
		return ERR_PTR(-ENOMEM);
	scope->cpu = alloc_percpu(struct kcoro_scope_cpu);
	if (!scope->cpu) {
		kfree(scope);
		return ERR_PTR(-ENOMEM);
	}
	for_each_possible_cpu(cpu) {
		struct kcoro_scope_cpu *sc = per_cpu_ptr(scope->cpu, cpu);

		raw_spin_lock_init(&sc->lock);
		INIT_LIST_HEAD(&sc->list);
	}
	strscpy(scope->name, attr.name, sizeof(scope->name));
	scope->pool = attr.pool ?: kcoro_pool_default();
	scope->owner = attr.owner;
	scope->limit = attr.limit;
	scope->parent = attr.parent;
	init_swait_queue_head(&scope->wait);
	scope->later.run = leave_late;
	INIT_DELAYED_WORK(&scope->deadline, deadline_work);
	INIT_LIST_HEAD(&scope->nested);
	mutex_lock(&scopes_lock);
	if (attr.parent && attr.parent->closed) {
		err = attr.parent->closed;
		mutex_unlock(&scopes_lock);
		scope_free(scope);
		return ERR_PTR(err);
	}
	scope->id = ++last_id;
	list_add_tail_rcu(&scope->list, &kcoro_scopes);
	if (attr.parent)
		list_add_tail_rcu(&scope->in_parent, &attr.parent->nested);
	mutex_unlock(&scopes_lock);
	if (attr.timeout_ns)
		queue_delayed_work(kcoro_unbound_wq, &scope->deadline,
				   min_t(u64, nsecs_to_jiffies64(attr.timeout_ns) + 1,
					 MAX_JIFFY_OFFSET));
	return scope;
}
EXPORT_SYMBOL_GPL(kcoro_scope_create);

/* Closes one that a module was to destroy, and did not. NULL: there is none. */
static struct kcoro_scope *close_forgotten(const struct module *owner)
{
	struct kcoro_scope *scope, *found = NULL;

	mutex_lock(&scopes_lock);
	list_for_each_entry(scope, &kcoro_scopes, list) {
		/* What is in another one goes with that. */
		if (scope->owner == owner && !scope->parent && scope->closed != -ESHUTDOWN) {
			close_all(scope);
			found = scope;
			break;
		}
	}
	mutex_unlock(&scopes_lock);
	return found;
}

/*
 * A module goes: its exit has returned, its code is still there. Bodies in its own scopes
 * do not hold it, so that it can be unloaded at all; if it forgot them they end here, and
 * not in memory that is somebody else's.
 */
static int owner_goes(struct notifier_block *block, unsigned long event, void *module)
{
	struct kcoro_scope *scope;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	while ((scope = close_forgotten(module))) {
		pr_err("kcoro: scope \"%s\" was not destroyed by its creator\n", scope->name);
		destroy_closed(scope);
	}
	return NOTIFY_OK;
}

static struct notifier_block owner_notifier = { .notifier_call = owner_goes };

int __init kcoro_scope_init(void)
{
	static const struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.owner = THIS_MODULE,
		.name = "root",
	};
	int err;

	kcoro_scope_root = kcoro_scope_create(&attr);
	if (IS_ERR(kcoro_scope_root))
		return PTR_ERR(kcoro_scope_root);
	err = register_module_notifier(&owner_notifier);
	if (err)
		kcoro_scope_destroy(kcoro_scope_root);
	return err;
}

/* Modules with bodies outside of own scopes hold us: what is left here is our own. */
void kcoro_scope_exit(void)
{
	struct kcoro_scope *scope;

	unregister_module_notifier(&owner_notifier);
	kcoro_scope_destroy(kcoro_scope_root);
	/* Their creators are gone. */
	while (!list_empty(&kcoro_scopes)) {
		scope = list_first_entry(&kcoro_scopes, struct kcoro_scope, list);
		pr_err("kcoro: scope \"%s\" was not destroyed by its creator\n", scope->name);
		kcoro_scope_destroy(scope);
	}
}
