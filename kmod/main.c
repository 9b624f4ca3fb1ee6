// SPDX-License-Identifier: GPL-2.0-only
/* main.c - brings the layers up in order, and down in reverse. */
#include <linux/init.h>
#include <linux/module.h>

#include "bpf/bpf.h"
#include "coro/bpf_pool.h"
#include "coro/coroutine.h"
#include "coro/scope.h"
#include "coro/table.h"
#include "coro/wait.h"
#include "pool/pool.h"
#include "sched/sched.h"

static int __init kcoro_init(void)
{
	int err;

	/* First: without BTF nothing else makes sense, and there is nothing to undo yet. */
	err = kcoro_ops_init();
	if (err)
		return err;
	err = kcoro_pool_init();
	if (err)
		return err;
	err = kcoro_sched_init();
	if (err)
		goto err_pool;
	err = kcoro_call_init();
	if (err)
		goto err_sched;
	kcoro_coro_init();
	err = kcoro_scope_init();
	if (err)
		goto err_call;
	err = kcoro_bpf_pool_init();
	if (err)
		goto err_scope;
	err = kcoro_table_init();
	if (err)
		goto err_bpf_pool;
	err = kcoro_kfuncs_init();
	if (err)
		goto err_table;
	return 0;

err_table:
	kcoro_table_exit();
err_bpf_pool:
	kcoro_bpf_pool_exit();
err_scope:
	kcoro_scope_exit();
err_call:
	kcoro_call_exit();
err_sched:
	kcoro_sched_exit();
err_pool:
	kcoro_pool_exit();
	return err;
}

static void __exit kcoro_exit(void)
{
	/* No program is left; what the last ones left to do is done now. */
	kcoro_later_flush();
	kcoro_table_exit();
	kcoro_bpf_pool_exit();
	kcoro_scope_exit();
	kcoro_call_exit();
	kcoro_sched_exit();
	kcoro_pool_exit();
}

module_init(kcoro_init);
module_exit(kcoro_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Coroutines for the kernel: frame pools, keyed table, BPF kfuncs");
MODULE_VERSION("0.1.0");
