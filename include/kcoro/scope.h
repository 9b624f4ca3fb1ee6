/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * scope.h - scopes own coroutines: they can be stopped together, waited for, and none
 * outlives its scope. All functions are EXPORT_SYMBOL_GPL.
 *
 * A module that has bodies makes a scope when it is loaded and destroys it when it is
 * unloaded; after that nobody is in its code. A scope without a parent that it forgot is
 * destroyed after the module's exit, and the log tells.
 */
#ifndef KCORO_SCOPE_H
#define KCORO_SCOPE_H

#include <linux/types.h>

#include <kcoro/abi.h>

struct kcoro_coro;
struct kcoro_pool;
struct kcoro_scope;
struct module;

/**
 * struct kcoro_scope_attr - what a scope shall be
 * @size: sizeof(struct kcoro_scope_attr) of the caller; the structure may grow
 * @limit: most coroutines that live at a time; 0: no limit
 * @owner: THIS_MODULE: who destroys it before it goes away
 * @name: for people, at most KCORO_NAME_LEN - 1 characters, copied
 * @pool: where frames come from; NULL: the default pool
 * @parent: destroys this scope with itself, and stops it with itself; NULL: none
 * @timeout_ns: stop what is in it this long from now, to the jiffy: awaits then give
 *	-ETIMEDOUT; 0: never
 * @reserved: 0
 */
struct kcoro_scope_attr {
	u32 size;
	u32 limit;
	struct module *owner;
	const char *name;
	struct kcoro_pool *pool;
	struct kcoro_scope *parent;
	u64 timeout_ns;
	u64 reserved[2];
};

/**
 * kcoro_scope_create() - make a scope
 * @attr: what it shall be
 *
 * Context: process context, may sleep.
 * Return: the scope, the caller's unless it has a parent, or ERR_PTR: -EINVAL (a wrong
 * size, name or reserved field), -E2BIG (a field that this kcoro does not know is not
 * 0), -ESHUTDOWN (the parent is being destroyed), -ETIMEDOUT (the parent's deadline has
 * passed), -ENOMEM.
 */
struct kcoro_scope *kcoro_scope_create(const struct kcoro_scope_attr *attr);

/**
 * kcoro_scope_destroy() - kill what is in it, and wait until nobody is
 * @scope: the scope, gone afterwards, and those in it; NULL or an error pointer is
 *	ignored
 *
 * From the beginning nothing can be spawned into it. Bodies end at the await they are
 * in, or at their next one; their destructors run. After the return no code of theirs
 * runs.
 *
 * Context: process context, may sleep; not from a coroutine that is in it, which it
 * would have to wait for.
 * Return: 0, or -EDEADLK: called from inside; then nothing was done.
 */
int kcoro_scope_destroy(struct kcoro_scope *scope);

/**
 * kcoro_scope_cancel() - ask all that are in it to end
 * @scope: the scope, and those in it
 *
 * Those that are spawned later are not asked.
 * Context: task or softirq level.
 */
void kcoro_scope_cancel(struct kcoro_scope *scope);

/**
 * kcoro_scope_kill() - end all that are in it, without waiting
 * @scope: the scope, and those in it
 *
 * Those that are spawned later are not.
 * Context: task or softirq level.
 */
void kcoro_scope_kill(struct kcoro_scope *scope);

/**
 * kcoro_scope_wait() - wait until it is empty
 * @scope: the scope
 * @timeout: jiffies, or MAX_SCHEDULE_TIMEOUT
 *
 * Context: process context, may sleep; not from a coroutine that is in it.
 * Return: 0: at some moment during the call nobody was in it; -ETIMEDOUT;
 * -ERESTARTSYS: a signal came.
 */
int kcoro_scope_wait(struct kcoro_scope *scope, long timeout);

/**
 * kcoro_scope_live() - how many are in it
 * @scope: the scope
 *
 * Context: any. Return: a snapshot, nested scopes not counted.
 */
u64 kcoro_scope_live(const struct kcoro_scope *scope);

#endif /* KCORO_SCOPE_H */
