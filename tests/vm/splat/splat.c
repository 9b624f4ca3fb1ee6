// SPDX-License-Identifier: GPL-2.0-only
/*
 * splat.c - make the kernel complain, for the VM runner's own tests.
 *
 * kind=warn warns and loads, kind=oops follows a bad pointer, kind=freed reads
 * freed objects until KFENCE or KASAN sees it, kind=leak loses an object, kind=locks
 * takes two locks in both orders, kind=step and kind=stepnop single-step behind a
 * cmpxchg16b and elsewhere, kind=none does nothing.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static char *kind = "none";
module_param(kind, charp, 0);
MODULE_PARM_DESC(kind, "none, warn, oops, freed, leak, locks, step or stepnop");

/* KFENCE guards one allocation per sample interval: try until it was ours. */
static void splat_freed(void)
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

/* kmemleak may find the pointer in a stale stack slot: more than one object is lost. */
static void splat_leak(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		char *object = kmalloc(128, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(object);
	}
}

static DEFINE_MUTEX(splat_one);
static DEFINE_MUTEX(splat_two);

static void splat_locks(void)
{
	mutex_lock(&splat_one);
	mutex_lock(&splat_two);
	mutex_unlock(&splat_two);
	mutex_unlock(&splat_one);
	mutex_lock(&splat_two);
	mutex_lock(&splat_one);
	mutex_unlock(&splat_one);
	mutex_unlock(&splat_two);
}

/* TF takes effect behind the instruction that follows the one which sets it. */
#define SET_TF "pushfq; orq $0x100, (%%rsp); popfq; "

static void splat_step(bool behind_cmpxchg)
{
	static u64 pair[2] __aligned(16);

	if (behind_cmpxchg)
		asm volatile(SET_TF "cmpxchg16b %0; nop; nop"
			     : "+m" (pair) : "a" (0), "d" (0), "b" (0), "c" (0) : "cc");
	else
		asm volatile(SET_TF "nop; nop; nop" : : : "cc", "memory");
}

static int __init splat_init(void)
{
	WARN(!strcmp(kind, "warn"), "asked for");
	if (!strcmp(kind, "oops"))
		WRITE_ONCE(*(volatile int *)16, 1);
	if (!strcmp(kind, "freed"))
		splat_freed();
	if (!strcmp(kind, "leak"))
		splat_leak();
	if (!strcmp(kind, "locks"))
		splat_locks();
	if (!strncmp(kind, "step", 4))
		splat_step(!strcmp(kind, "step"));
	return 0;
}

static void __exit splat_exit(void)
{
}

module_init(splat_init);
module_exit(splat_exit);
MODULE_DESCRIPTION("makes the kernel complain, for tests");
MODULE_LICENSE("GPL");
