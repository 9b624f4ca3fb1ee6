// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_coro.c - a coroutine whose body is BPF: the body here calls the program, and awaits
 * what that asked for before it returned; and the kfuncs with which it asks.
 *
 * Contexts: the body: an executor; programs are called under RCU. Kfuncs that take a
 * coroutine: its own program, inside a call. Spawn: any but NMI.
 *
 * Children: one that ends pushes itself to its parent's list, on whatever CPU, and wakes
 * it; the parent alone takes from the list. It ends by putting NOBODY_TAKES there: who
 * finds that does not push. Each child holds its parent until it has ended, each on the
 * list holds itself until it is taken, and both are in one scope, which outlives the frames.
 *
 *	me->children = spawned - taken
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/err.h>
#include <linux/llist.h>
#include <linux/string.h>

#include <kcoro/table.h>

#include "../coro/coroutine.h"
#include "../coro/table.h"
#include "../coro/wait.h"
#include "ops.h"

enum bpf_await {
	AWAIT_NOTHING,
	AWAIT_TIMER,
	AWAIT_KEY,
	AWAIT_NEXT,			/* value of the key that it holds */
	AWAIT_CHILD,
};

struct bpf_coro {
	struct kcoro_coro co;
	struct kcoro_bpf_coro front;	/* what the program is given */
	struct kcoro_ops_instance *instance;
	/* The await that the program asked for in this call. */
	enum bpf_await await;
	u32 key_size;
	u64 ns;				/* of the timer, or of the timeout; 0: none */
	u64 table_id;
	s64 value;			/* what the last one gave; when it has ended, its result */
	bool ended;			/* its program is not called any more */
	/* Children: those that have ended hold themselves, and the parent, until it took them. */
	u32 children;			/* that were not taken */
	struct bpf_coro *parent;
	struct llist_node ended_node;
	struct llist_head ended_children;
	struct kcoro_timer timer;
	union {
		struct kcoro_key_wait key;
		struct kcoro_key_hold hold;
	};
	u8 data[] __aligned(8);
};

static struct bpf_coro *bpf_coro_of(struct kcoro_bpf_coro *front)
{
	return container_of(front, struct bpf_coro, front);
}

/* In the place of ended children: the parent has ended, and nobody takes them. */
#define NOBODY_TAKES ((struct llist_node *)1)

/* An own await of await.h: a child that ends wakes its parent. */
static long await_child(struct bpf_coro *me)
{
	struct llist_node *node = llist_del_first(&me->ended_children);
	struct kcoro_wait *wait = &me->co.wait;
	long err = 0;

	if (node) {
		struct bpf_coro *child = llist_entry(node, struct bpf_coro, ended_node);

		me->children--;
		me->value = child->value;
		kcoro_coro_put(&child->co);
	} else if (!me->children) {
		err = -ECHILD;
	} else if (me->timer.armed && kcoro_timer_is_over(&me->timer)) {
		err = -ETIMEDOUT;
	} else {
		err = kcoro_stop_tell(&me->co);
		if (!err && wait->kind != KCORO_WAIT_JOIN) {
			wait->kind = KCORO_WAIT_JOIN;
			wait->since = jiffies;
			if (me->ns)
				kcoro_timer_arm(&me->co, &me->timer, me->ns, 0);
		}
		if (!err)
			return KCORO_WAIT;
	}
	wait->kind = KCORO_WAIT_NOTHING;
	kcoro_timer_disarm(&me->timer);
	return err;
}

/* It has ended: to the parent, if that is still there. */
static void end_child(struct bpf_coro *me)
{
	struct bpf_coro *parent = me->parent;
	struct llist_node *first = READ_ONCE(parent->ended_children.first);

	kcoro_coro_get(&me->co);
	do {
		if (first == NOBODY_TAKES) {
			kcoro_coro_put(&me->co);
			break;
		}
		me->ended_node.next = first;
	} while (!try_cmpxchg(&parent->ended_children.first, &first, &me->ended_node));
	/* One that has ended takes no notice. */
	kcoro_coro_wake(&parent->co);
	kcoro_coro_put(&parent->co);
}

/* It has ended: nobody takes its children any more. */
static void end_parent(struct bpf_coro *me)
{
	struct llist_node *node = xchg(&me->ended_children.first, NOBODY_TAKES), *next;

	for (; node; node = next) {
		next = node->next;
		kcoro_coro_put(&llist_entry(node, struct bpf_coro, ended_node)->co);
	}
}

/* Begins the await that was asked for, or looks at it. */
static long await(struct bpf_coro *me)
{
	struct kcoro_timer *timeout = me->ns ? &me->timer : NULL;

	switch (me->await) {
	case AWAIT_TIMER:
		return kcoro_timer_await(&me->co, &me->timer, me->ns);
	case AWAIT_KEY:
		return kcoro_key_await(&me->co, &me->key, me->table_id, me->key.key, me->key_size,
				       &me->value, timeout, me->ns);
	case AWAIT_NEXT:
		return kcoro_key_next_await(&me->co, &me->hold, &me->value, timeout, me->ns);
	case AWAIT_CHILD:
		return await_child(me);
	default:
		/* It waits for nothing, and nobody would ever wake it. */
		return -EDEADLK;
	}
}

/* One call of the program: what it returned, its awaits noted in @me. */
static int call(struct bpf_coro *me, s32 error, bool first)
{
	const struct kcoro_ops *ops;
	s64 value = me->value;
	int next;

	me->await = AWAIT_NOTHING;
	me->value = 0;
	rcu_read_lock();
	ops = rcu_dereference(me->instance->ops);
	if (first && ops->start)
		next = ops->start(&me->front);
	else
		next = ops->resume(&me->front, value, error);
	rcu_read_unlock();
	return next;
}

/* Errors of programs: those of users, not those that mean something in here. */
static long result_of(int next)
{
	return next <= 0 && next > -ERESTARTSYS ? next : -EINVAL;
}

static long body(struct kcoro_coro *co)
{
	struct bpf_coro *me = container_of(co, struct bpf_coro, co);
	long got = 0;
	int next;

	KCORO_BEGIN(co);
	/* Who spawned it may have begun the first await. */
	next = me->await ? KCORO_NEXT_WAIT : call(me, 0, true);
	for (;;) {
		if (next == KCORO_NEXT_YIELD) {
			KCORO_YIELD();
			got = 0;
		} else if (next == KCORO_NEXT_WAIT) {
			KCORO_AWAIT(got, await(me));
			if (got == -EDEADLK)
				break;
		} else {
			got = result_of(next);
			break;
		}
		next = call(me, min(got, 0L), false);
	}
	me->ended = true;
	me->value = got;
	KCORO_END(got);
}

/* It is killed. One that never ran knows of nothing. */
static void tell_killed(struct bpf_coro *me)
{
	const struct kcoro_ops *ops;

	me->value = -EINTR;
	me->await = AWAIT_NOTHING;
	if (!(me->co.flags & KCORO_CORO_RAN))
		return;
	rcu_read_lock();
	ops = rcu_dereference(me->instance->ops);
	if (ops->cancel)
		ops->cancel(&me->front);
	rcu_read_unlock();
}

static void destroy(struct kcoro_coro *co)
{
	struct bpf_coro *me = container_of(co, struct bpf_coro, co);

	/* First: the program may do there what it may do anywhere. */
	if (!me->ended)
		tell_killed(me);
	kcoro_key_release(&me->hold);
	kcoro_timer_disarm(&me->timer);
	end_parent(me);
	if (me->parent)
		end_child(me);
}

/**
 * kcoro_bpf_coro_describe() - of what sort the coroutines of these ops are
 * @instance: has the name
 * @ops: what is attached
 */
void kcoro_bpf_coro_describe(struct kcoro_ops_instance *instance, const struct kcoro_ops *ops)
{
	instance->desc = (struct kcoro_desc){
		.name = instance->name,
		.frame_size = sizeof(struct bpf_coro) + ops->frame_size,
		.executor = ops->executor,
		.resume = body,
		.destroy = destroy,
	};
}

static void ask_key(struct bpf_coro *me, u64 table_id, const void *key, u32 key_size,
		    u64 timeout_ns)
{
	me->await = AWAIT_KEY;
	me->ns = timeout_ns;
	me->table_id = table_id;
	me->key_size = key_size;
	memcpy(me->key.key, key, key_size);
}

/* What it awaits first, begun in its place. */
static long begin_with_key(struct bpf_coro *me, const struct kcoro_spawn_key *what,
			   const void *key, u32 key_size)
{
	me->await = what->flags & KCORO_KEY_HOLD ? AWAIT_NEXT : AWAIT_KEY;
	me->ns = what->timeout_ns;
	me->table_id = what->table_id;
	me->key_size = key_size;
	return kcoro_key_begin(&me->co, &me->hold, what->table_id, key, key_size, what->flags,
			       me->ns ? &me->timer : NULL, me->ns);
}

static struct bpf_coro *create(struct kcoro_ops_instance *instance, const void *args, u32 size)
{
	struct kcoro_coro *co;
	struct bpf_coro *me;

	if (size > instance->desc.frame_size - sizeof(*me))
		return ERR_PTR(-E2BIG);
	co = kcoro_coro_create_gfp(instance->scope, &instance->desc, GFP_ATOMIC | __GFP_NOWARN);
	if (IS_ERR(co))
		return ERR_CAST(co);
	me = container_of(co, struct bpf_coro, co);
	me->front.data_size = instance->desc.frame_size - sizeof(*me);
	me->front.data_offset = offsetof(struct bpf_coro, data) - offsetof(struct bpf_coro, front);
	me->instance = instance;
	memcpy(me->data, args, size);
	return me;
}

/* Under RCU, so that the ops stay until it is in their scope. */
static struct bpf_coro *create_by_id(u64 ops_id, const void *args, u32 size)
{
	struct kcoro_ops_instance *instance = kcoro_ops_find(ops_id);

	return instance ? create(instance, args, size) : ERR_PTR(-ESTALE);
}

__bpf_kfunc_start_defs();

__bpf_kfunc u64 bpf_kcoro_ops_id(const char *name__str)
{
	return kcoro_ops_id(name__str);
}

__bpf_kfunc int bpf_kcoro_spawn(u64 ops_id, const void *args, u32 args__sz)
{
	struct bpf_coro *me;

	rcu_read_lock();
	me = create_by_id(ops_id, args, args__sz);
	if (!IS_ERR(me))
		kcoro_coro_start(&me->co);
	rcu_read_unlock();
	return PTR_ERR_OR_ZERO(me);
}

__bpf_kfunc int bpf_kcoro_spawn_await_key(const struct kcoro_spawn_key *what, const void *args,
					  u32 args__sz, const void *key, u32 key__sz)
{
	struct bpf_coro *me;
	long err;

	if (key__sz > KCORO_KEY_SIZE_MAX || what->reserved ||
	    what->flags & ~(KCORO_KEY_ONLY | KCORO_KEY_HOLD))
		return -EINVAL;
	rcu_read_lock();
	me = create_by_id(what->ops_id, args, args__sz);
	err = PTR_ERR_OR_ZERO(me);
	if (err)
		goto out;
	kcoro_coro_hold(&me->co);
	err = begin_with_key(me, what, key, key__sz);
	if (err == KCORO_WAIT)
		kcoro_coro_suspend(&me->co);
	else
		kcoro_coro_put(&me->co);
out:
	rcu_read_unlock();
	return err == KCORO_WAIT ? 0 : err;
}

__bpf_kfunc u8 *bpf_kcoro_coro_data(struct kcoro_bpf_coro *co, const size_t rdwr_buf_size)
{
	if (rdwr_buf_size > co->data_size)
		return NULL;
	return (u8 *)co + co->data_offset;
}

__bpf_kfunc int bpf_kcoro_await_timer(struct kcoro_bpf_coro *co, u64 ns)
{
	struct bpf_coro *me = bpf_coro_of(co);

	me->await = AWAIT_TIMER;
	me->ns = ns;
	return 0;
}

__bpf_kfunc int bpf_kcoro_await_key(struct kcoro_bpf_coro *co, u64 table_id, const void *key,
				    u32 key__sz, u64 timeout_ns)
{
	struct bpf_coro *me = bpf_coro_of(co);

	if (key__sz > KCORO_KEY_SIZE_MAX)
		return -EINVAL;
	if (me->hold.wait.held)
		return -EBUSY;
	ask_key(me, table_id, key, key__sz, timeout_ns);
	return 0;
}

__bpf_kfunc int bpf_kcoro_key_hold(struct kcoro_bpf_coro *co, u64 table_id, const void *key,
				   u32 key__sz, u32 flags)
{
	struct bpf_coro *me = bpf_coro_of(co);

	if (key__sz > KCORO_KEY_SIZE_MAX)
		return -EINVAL;
	/* The place is taken by the key that it awaits next. */
	if (me->await == AWAIT_KEY)
		return -EBUSY;
	return kcoro_key_hold(&me->co, &me->hold, table_id, key, key__sz, flags);
}

__bpf_kfunc int bpf_kcoro_await_next(struct kcoro_bpf_coro *co, u64 timeout_ns)
{
	struct bpf_coro *me = bpf_coro_of(co);

	if (!me->hold.wait.held)
		return -ENOENT;
	me->await = AWAIT_NEXT;
	me->ns = timeout_ns;
	return 0;
}

__bpf_kfunc void bpf_kcoro_key_release(struct kcoro_bpf_coro *co)
{
	struct bpf_coro *me = bpf_coro_of(co);

	kcoro_key_release(&me->hold);
	/* It was for the key. */
	if (me->await == AWAIT_NEXT)
		me->await = AWAIT_NOTHING;
}

__bpf_kfunc int bpf_kcoro_spawn_child(struct kcoro_bpf_coro *co, const void *args, u32 args__sz)
{
	struct bpf_coro *me = bpf_coro_of(co), *child = create(me->instance, args, args__sz);

	if (IS_ERR(child))
		return PTR_ERR(child);
	kcoro_coro_get(&me->co);
	child->parent = me;
	me->children++;
	kcoro_coro_start(&child->co);
	return 0;
}

__bpf_kfunc int bpf_kcoro_await_child(struct kcoro_bpf_coro *co, u64 timeout_ns)
{
	struct bpf_coro *me = bpf_coro_of(co);

	me->await = AWAIT_CHILD;
	me->ns = timeout_ns;
	return 0;
}

__bpf_kfunc int bpf_kcoro_key_wake(u64 table_id, const void *key, u32 key__sz, s64 value)
{
	return kcoro_key_wake(table_id, key, key__sz, value);
}

__bpf_kfunc int bpf_kcoro_key_wake_all(u64 table_id, const void *key, u32 key__sz, s64 value)
{
	return kcoro_key_wake_all(table_id, key, key__sz, value);
}

__bpf_kfunc int bpf_kcoro_key_cancel(u64 table_id, const void *key, u32 key__sz)
{
	return kcoro_key_cancel(table_id, key, key__sz);
}

__bpf_kfunc int bpf_kcoro_key_status(u64 table_id, const void *key, u32 key__sz)
{
	return kcoro_key_status(table_id, key, key__sz);
}

__bpf_kfunc_end_defs();
