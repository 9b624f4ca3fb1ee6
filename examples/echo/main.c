// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* main.c - the module: its parameters, its pool, and which of the servers it runs. */
#include <linux/err.h>
#include <linux/module.h>

#include "echo.h"

static char *address = "127.0.0.1";
module_param(address, charp, 0444);
MODULE_PARM_DESC(address, "where to listen; 0.0.0.0: everywhere");

static ushort port = 7007;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "of TCP");

unsigned int echo_connections = 10000;
module_param_named(connections, echo_connections, uint, 0444);
MODULE_PARM_DESC(connections, "most at a time; the others wait in the backlog");

unsigned int echo_stall_ms = 60000;
module_param_named(stall_ms, echo_stall_ms, uint, 0444);
MODULE_PARM_DESC(stall_ms, "a client that takes nothing for so long is disconnected");

static bool cxx;
module_param(cxx, bool, 0444);
MODULE_PARM_DESC(cxx, "the coroutines in C++ instead of those in C");

static bool threads;
module_param(threads, bool, 0444);
MODULE_PARM_DESC(threads, "a kthread for each connection instead of a coroutine");

atomic_t echo_live = ATOMIC_INIT(0);

static int live_get(char *text, const struct kernel_param *unused)
{
	return sysfs_emit(text, "%d\n", atomic_read(&echo_live));
}

static const struct kernel_param_ops live_ops = { .get = live_get };
module_param_cb(live, &live_ops, NULL, 0444);
MODULE_PARM_DESC(live, "connections now (read only)");

struct kcoro_pool *echo_pool;
static struct socket *listener;

static int __init echo_init(void)
{
	static const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "echo" };
	int err;

	echo_pool = kcoro_pool_create(&attr);
	if (IS_ERR(echo_pool))
		return PTR_ERR(echo_pool);
	listener = echo_listen(address, port);
	if (IS_ERR(listener)) {
		err = PTR_ERR(listener);
		goto err_pool;
	}
	err = threads ? echo_threads_start(listener) :
	      cxx ? echo_cxx_start(listener) : echo_coroutines_start(listener);
	if (!err)
		return 0;
	sock_release(listener);
err_pool:
	kcoro_pool_destroy(echo_pool);
	return err;
}

static void __exit echo_exit(void)
{
	if (threads)
		echo_threads_stop();
	else if (cxx)
		echo_cxx_stop();
	else
		echo_coroutines_stop();
	sock_release(listener);
	kcoro_pool_destroy(echo_pool);
}

module_init(echo_init);
module_exit(echo_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Example of kcoro: a TCP echo server of coroutines");
