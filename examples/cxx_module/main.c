// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* main.c - the module: the scope of the coroutine, which is in C++ (hello.cc). */
#include <linux/err.h>
#include <linux/module.h>

#include <kcoro/kcoro.h>

int hello_start(struct kcoro_scope *scope);

static struct kcoro_scope *scope;

static int __init hello_init(void)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "hello",
	};
	int err;

	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	err = hello_start(scope);
	if (err)
		kcoro_scope_destroy(scope);
	return err;
}

static void __exit hello_exit(void)
{
	kcoro_scope_destroy(scope);
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Example of kcoro: a coroutine in C++");
