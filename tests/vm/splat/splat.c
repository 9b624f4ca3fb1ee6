// SPDX-License-Identifier: GPL-2.0-only
/*
 * splat.c - make the kernel complain, for the VM runner's own tests.
 *
 * kind=warn warns and loads, kind=oops follows a bad pointer, kind=kfence
 * reads freed objects until KFENCE sees it, kind=none does nothing.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>

static char *kind = "none";
module_param(kind, charp, 0);
MODULE_PARM_DESC(kind, "none, warn, oops or kfence");

/* KFENCE guards one allocation per sample interval: try until it was ours. */
static void splat_kfence(void)
{
	int i;

	for (i = 0; i < 500; i++) {
		char *object = kmalloc(32, GFP_KERNEL);

		if (!object)
			return;
		OPTIMIZER_HIDE_VAR(object);
		kfree(object);
		/* Harmless where KFENCE does not guard the object: nothing is written. */
		(void)READ_ONCE(*object);
		usleep_range(1000, 2000);
	}
}

static int __init splat_init(void)
{
	WARN(!strcmp(kind, "warn"), "asked for");
	if (!strcmp(kind, "oops"))
		WRITE_ONCE(*(volatile int *)16, 1);
	if (!strcmp(kind, "kfence"))
		splat_kfence();
	return 0;
}

static void __exit splat_exit(void)
{
}

module_init(splat_init);
module_exit(splat_exit);
MODULE_DESCRIPTION("makes the kernel complain, for tests");
MODULE_LICENSE("GPL");
