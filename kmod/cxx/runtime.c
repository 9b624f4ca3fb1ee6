// SPDX-License-Identifier: GPL-2.0-only
/*
 * runtime.c - what C++ code in the kernel needs of it: frames, a lock, a clock, and to wait.
 * Declared and documented in include/kcoro/cxx.h.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include <kcoro/cxx.h>
#include <kcoro/kcoro.h>

/* size_class() of platform/kernel.hpp says the same. */
static_assert(KCORO_CLASS_64B == 0 && KCORO_CLASS_128B == 1 && KCORO_CLASS_192B == 2 &&
	      KCORO_CLASS_256B == 3 && KCORO_CLASS_512B == 4 && KCORO_CLASS_1024B == 5 &&
	      KCORO_CLASS_2048B == 6 && KCORO_CLASS_4096B == 7 && KCORO_CLASS_8192B == 8 &&
	      KCORO_CLASSES == 9 && KCORO_FRAME_SIZE_MAX == 8192);

void *kcoro_cxx_frame_alloc(unsigned long size)
{
	return kcoro_pool_alloc_gfp(kcoro_pool_default(), size, GFP_ATOMIC | __GFP_NOWARN);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_frame_alloc);

void kcoro_cxx_frame_free(void *frame, unsigned long size)
{
	kcoro_pool_free(kcoro_pool_default(), frame, size);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_frame_free);

/* The kernel's lock without what debug kernels put around it: its size is then known. */
unsigned long kcoro_cxx_lock(unsigned int *word)
{
	unsigned long flags;

	static_assert(sizeof(arch_spinlock_t) == sizeof(*word));
	local_irq_save(flags);
	preempt_disable();
	arch_spin_lock((arch_spinlock_t *)word);
	return flags;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_lock);

void kcoro_cxx_unlock(unsigned int *word, unsigned long flags)
{
	arch_spin_unlock((arch_spinlock_t *)word);
	local_irq_restore(flags);
	preempt_enable();
}
EXPORT_SYMBOL_GPL(kcoro_cxx_unlock);

void kcoro_cxx_wait(unsigned int *flag)
{
	/* Pairs with the release below. */
	wait_var_event(flag, smp_load_acquire(flag));
}
EXPORT_SYMBOL_GPL(kcoro_cxx_wait);

void kcoro_cxx_wait_is_over(unsigned int *flag)
{
	/* Who sleeps may go on at once, and its flag with it: only its address is used then. */
	smp_store_release(flag, 1);
	wake_up_var(flag);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_wait_is_over);

unsigned long kcoro_cxx_now(void)
{
	return ktime_get_mono_fast_ns();
}
EXPORT_SYMBOL_GPL(kcoro_cxx_now);
