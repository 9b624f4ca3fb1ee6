// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - struct_ops kcoro_ops: bodies in BPF are attached, replaced and detached.
 *
 *   attach    a scope is made; then the ops have a number and can be found
 *   replace   same name, state and executor: coroutines go on in the new programs; nobody
 *             is in the old ones when it returns
 *   detach    the number is gone; a grace period; the scope is destroyed: all are killed,
 *             and nobody is in a program when it returns
 *
 * Programs are called, and ops are found, under RCU. The kernel calls reg, update and
 * unreg in process context, and holds this module meanwhile; ops_lock has them one at a
 * time, so that no name is there twice.
 *
 * It also tells whether the kernel kept this module's BTF. Without it, or with BTF made
 * for another kernel, a kernel that allows the mismatch (CONFIG_MODULE_ALLOW_BTF_MISMATCH,
 * as Debian's 6.12) loads the module and silently has no kfuncs:
 * register_btf_kfunc_id_set() even returns 0. But registering a struct_ops calls its .init
 * only when the BTF is there (kernel/bpf/bpf_struct_ops.c).
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <linux/xarray.h>

#include "../compat.h"
#include "../coro/bpf_pool.h"
#include "bpf.h"
#include "ops.h"

static DEFINE_XARRAY_ALLOC1(instances);
static DEFINE_MUTEX(ops_lock);
static u32 next_id;
static bool btf_seen;

/**
 * kcoro_ops_find() - attached ops by their number
 * @id: from kcoro_ops_id()
 *
 * Context: any, under RCU. Return: them, or NULL.
 */
struct kcoro_ops_instance *kcoro_ops_find(u64 id)
{
	return id <= U32_MAX ? xa_load(&instances, id) : NULL;
}

/**
 * kcoro_ops_id() - the number of attached ops
 * @name: theirs
 *
 * Context: any. Return: 0: there are none of that name.
 */
u64 kcoro_ops_id(const char *name)
{
	struct kcoro_ops_instance *instance;
	unsigned long index;
	u64 id = 0;

	rcu_read_lock();
	xa_for_each(&instances, index, instance) {
		if (!strcmp(instance->name, name)) {
			id = instance->id;
			break;
		}
	}
	rcu_read_unlock();
	return id;
}

/* Under ops_lock. */
static struct kcoro_ops_instance *instance_of(const struct kcoro_ops *ops)
{
	struct kcoro_ops_instance *instance;
	unsigned long index;

	xa_for_each(&instances, index, instance)
		if (rcu_access_pointer(instance->ops) == ops)
			return instance;
	return NULL;
}

static void instance_free(struct kcoro_ops_instance *instance)
{
	kcoro_scope_destroy(instance->scope);
	if (instance->pool)
		kcoro_bpf_pool_put(instance->pool);
	kfree(instance);
}

static struct kcoro_ops_instance *instance_create(const struct kcoro_ops *ops)
{
	struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.limit = ops->limit ?: KCORO_OPS_LIMIT_MAX,
		.owner = THIS_MODULE,
		.name = ops->name,
	};
	struct kcoro_ops_instance *instance = kzalloc(sizeof(*instance), GFP_KERNEL);
	int err;

	if (!instance)
		return ERR_PTR(-ENOMEM);
	RCU_INIT_POINTER(instance->ops, ops);
	strscpy(instance->name, ops->name, sizeof(instance->name));
	kcoro_bpf_coro_describe(instance, ops);
	err = -ENOENT;
	instance->pool = ops->pool_id ? kcoro_bpf_pool_get(ops->pool_id) : NULL;
	if (ops->pool_id && !instance->pool)
		goto err_free;
	attr.pool = (instance->pool ?: &kcoro_bpf_pool_default)->pool;
	instance->scope = kcoro_scope_create(&attr);
	err = PTR_ERR_OR_ZERO(instance->scope);
	if (!err)
		return instance;
err_free:
	instance_free(instance);
	return ERR_PTR(err);
}

static int ops_reg(void *kdata, struct bpf_link *link)
{
	struct kcoro_ops_instance *instance;
	const struct kcoro_ops *ops = kdata;
	int err;

	guard(mutex)(&ops_lock);
	if (kcoro_ops_id(ops->name))
		return -EEXIST;
	instance = instance_create(ops);
	if (IS_ERR(instance))
		return PTR_ERR(instance);
	/* Nobody finds it before its number is written. */
	err = xa_alloc_cyclic(&instances, &instance->id, NULL, xa_limit_32b, &next_id, GFP_KERNEL);
	if (err < 0) {
		instance_free(instance);
		return err;
	}
	/* Into its place, which is there: it can't fail. */
	xa_store(&instances, instance->id, instance, GFP_KERNEL);
	return 0;
}

static void ops_unreg(void *kdata, struct bpf_link *link)
{
	struct kcoro_ops_instance *instance;

	mutex_lock(&ops_lock);
	instance = instance_of(kdata);
	if (instance)
		xa_erase(&instances, instance->id);
	mutex_unlock(&ops_lock);
	if (WARN_ON_ONCE(!instance))
		return;
	/* Whoever has found it has spawned by then. */
	synchronize_rcu();
	instance_free(instance);
}

static int ops_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	const struct kcoro_ops *ops = kdata, *old = old_kdata;
	struct kcoro_ops_instance *instance;

	if (strcmp(ops->name, old->name) || ops->frame_size != old->frame_size ||
	    ops->executor != old->executor || ops->limit != old->limit ||
	    ops->pool_id != old->pool_id)
		return -EINVAL;
	mutex_lock(&ops_lock);
	instance = instance_of(old_kdata);
	if (instance)
		rcu_assign_pointer(instance->ops, ops);
	mutex_unlock(&ops_lock);
	if (!instance)
		return -ENOENT;
	/* Nobody is in the old programs any more. */
	synchronize_rcu();
	return 0;
}

static int ops_validate(void *kdata)
{
	const struct kcoro_ops *ops = kdata;

	if (!ops->resume || !ops->name[0] || !ops->frame_size ||
	    ops->frame_size > KCORO_FRAME_DATA_MAX || ops->executor >= KCORO_EXECUTORS ||
	    ops->limit > KCORO_OPS_LIMIT_MAX || ops->flags)
		return -EINVAL;
	return 0;
}

static int ops_init(struct btf *btf)
{
	btf_seen = true;
	return 0;
}

/* What is no program is copied here: 1. */
static int ops_init_member(const struct btf_type *t, const struct btf_member *member,
			   void *kdata, const void *udata)
{
	const struct kcoro_ops *from = udata;
	struct kcoro_ops *to = kdata;

	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct kcoro_ops, name):
		if (!memchr(from->name, 0, sizeof(from->name)))
			return -EINVAL;
		strscpy(to->name, from->name, sizeof(to->name));
		return 1;
	case offsetof(struct kcoro_ops, frame_size):
		to->frame_size = from->frame_size;
		return 1;
	case offsetof(struct kcoro_ops, executor):
		to->executor = from->executor;
		return 1;
	case offsetof(struct kcoro_ops, limit):
		to->limit = from->limit;
		return 1;
	case offsetof(struct kcoro_ops, flags):
		to->flags = from->flags;
		return 1;
	case offsetof(struct kcoro_ops, pool_id):
		to->pool_id = from->pool_id;
		return 1;
	}
	return 0;
}

/* Executors call programs where nobody may sleep. */
static int ops_check_member(const struct btf_type *t, const struct btf_member *member,
			    const struct bpf_prog *prog)
{
	return prog->sleepable ? -EINVAL : 0;
}

static const struct bpf_verifier_ops ops_verifier_ops = {
	.get_func_proto = bpf_base_func_proto,
	.is_valid_access = bpf_tracing_btf_ctx_access,
};

static int stub_start(struct kcoro_bpf_coro *co)
{
	return 0;
}

static int stub_resume(struct kcoro_bpf_coro *co, s64 value, s32 error)
{
	return 0;
}

static void stub_cancel(struct kcoro_bpf_coro *co)
{
}

static struct kcoro_ops stubs = {
	.start = stub_start,
	.resume = stub_resume,
	.cancel = stub_cancel,
};

static struct bpf_struct_ops bpf_kcoro_ops = {
	.verifier_ops = &ops_verifier_ops,
	.init = ops_init,
	.init_member = ops_init_member,
	.check_member = ops_check_member,
	.validate = ops_validate,
	.reg = ops_reg,
	.unreg = ops_unreg,
	.update = ops_update,
	.cfi_stubs = &stubs,
	.name = "kcoro_ops",
	.owner = THIS_MODULE,
};

/* 0, -ENOMEM, or -ENOEXEC with one line in the log that names the cause and the cure. */
int __init kcoro_ops_init(void)
{
	int err = register_bpf_struct_ops(&bpf_kcoro_ops, kcoro_ops);

	if (!err && btf_seen)
		return 0;
	/* The kernel has BTF, and no memory to note the registration. */
	if (err == -ENOMEM)
		return err;
	pr_err("kcoro: the kernel has no BTF for this module (built without pahole, stripped, or built for another kernel): BPF programs could not call it; install pahole (package dwarves), rebuild against the headers of %s, and load again\n",
	       init_utsname()->release);
	return -ENOEXEC;
}
