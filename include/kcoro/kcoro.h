/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro.h - kcoro for kernel modules, in C. Compiles alone.
 *
 * All functions are EXPORT_SYMBOL_GPL.
 */
#ifndef KCORO_KCORO_H
#define KCORO_KCORO_H

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/types.h>

#include <kcoro/abi.h>

struct kcoro_pool;

/* Let the context choose: GFP_KERNEL where sleeping is certain to be allowed, else GFP_ATOMIC. */
#define KCORO_GFP_AUTO ((__force gfp_t)0)

/**
 * struct kcoro_pool_attr - what a private pool shall be
 * @size: sizeof(struct kcoro_pool_attr) of the caller; the structure may grow
 * @flags: none defined yet, 0
 * @name: for people, at most KCORO_NAME_LEN - 1 characters, copied
 * @quota: most bytes the pool may take from the slab; 0: no limit. Not yet
 *	available: anything but 0 gives -EOPNOTSUPP
 * @reserved: 0
 */
struct kcoro_pool_attr {
	u32 size;
	u32 flags;
	const char *name;
	u64 quota;
	u64 reserved[5];
};

/**
 * kcoro_pool_create() - make a private pool
 * @attr: what it shall be
 *
 * Context: process context, may sleep.
 * Return: the pool, owned by the caller, or ERR_PTR: -EINVAL (a wrong size, a
 * flag or a reserved field that is not 0, a name that is too long or empty),
 * -EOPNOTSUPP, -ENOMEM.
 */
struct kcoro_pool *kcoro_pool_create(const struct kcoro_pool_attr *attr);

/**
 * kcoro_pool_destroy() - end a private pool
 * @pool: from kcoro_pool_create(); NULL or an error pointer is ignored
 *
 * Every frame must have been freed, and nobody may allocate or free any more.
 * With frames still live it says so in the log, and the pool (not its cached
 * frames) is leaked on purpose: a late free must not write into freed memory. A pool
 * that nobody destroyed is destroyed when kcoro is unloaded, and the log tells.
 *
 * Context: process context, may sleep.
 */
void kcoro_pool_destroy(struct kcoro_pool *pool);

/**
 * kcoro_pool_default() - the pool of those who have none of their own
 *
 * Context: any. Return: never NULL while kcoro is loaded.
 */
struct kcoro_pool *kcoro_pool_default(void);

/* The out-of-line halves of the functions below, which check; @cls is below KCORO_CLASSES. */
void *kcoro_pool_alloc_class(struct kcoro_pool *pool, unsigned long cls);
void *kcoro_pool_alloc_class_gfp(struct kcoro_pool *pool, unsigned long cls, gfp_t gfp);
void kcoro_pool_free_class(struct kcoro_pool *pool, unsigned long cls, void *frame);

/**
 * kcoro_size_class() - the smallest class that holds a size
 * @size: bytes, 1 .. KCORO_FRAME_SIZE_MAX
 *
 * Folds to a constant when @size is one.
 * Return: enum kcoro_class, or KCORO_CLASSES when @size is 0 or too large.
 */
static __always_inline unsigned int kcoro_size_class(size_t size)
{
	if (size - 1 >= KCORO_FRAME_SIZE_MAX)
		return KCORO_CLASSES;
	if (size <= 1UL << KCORO_CLASS_MIN_SHIFT)
		return KCORO_CLASS_64B;
	return ilog2(size - 1) + 1 - KCORO_CLASS_MIN_SHIFT;
}

/**
 * kcoro_pool_alloc_gfp() - take a frame, with the caller's own flags
 * @pool: a pool
 * @size: bytes, 1 .. KCORO_FRAME_SIZE_MAX
 * @gfp: flags for the slab should the magazine be empty, or KCORO_GFP_AUTO.
 *	Where the slab must not be called (NMI; on PREEMPT_RT whenever not
 *	preemptible) they are ignored and the slab is left alone
 *
 * Context: any, NMI included. Sleeps only if @gfp says so, or with
 * KCORO_GFP_AUTO where sleeping is allowed.
 * Return: a frame aligned to 64 bytes, its contents undefined, owned by the
 * caller and to be freed with the same pool and size; NULL without memory or
 * when @size is wrong.
 */
static __always_inline void *kcoro_pool_alloc_gfp(struct kcoro_pool *pool, size_t size, gfp_t gfp)
{
	unsigned int cls = kcoro_size_class(size);

	if (cls >= KCORO_CLASSES)
		return NULL;
	return kcoro_pool_alloc_class_gfp(pool, cls, gfp);
}

/**
 * kcoro_pool_alloc() - take a frame, with flags chosen by the context
 * @pool: a pool
 * @size: bytes, 1 .. KCORO_FRAME_SIZE_MAX
 *
 * Context and return: as kcoro_pool_alloc_gfp() with KCORO_GFP_AUTO.
 */
static __always_inline void *kcoro_pool_alloc(struct kcoro_pool *pool, size_t size)
{
	unsigned int cls = kcoro_size_class(size);

	if (cls >= KCORO_CLASSES)
		return NULL;
	return kcoro_pool_alloc_class(pool, cls);
}

/**
 * kcoro_pool_free() - give a frame back
 * @pool: the pool it came from
 * @frame: the frame; NULL is ignored
 * @size: the size it was allocated with. One that no allocation can have (0, or over
 *	KCORO_FRAME_SIZE_MAX) is ignored: the frame stays live, and the end of the
 *	pool tells
 *
 * Never fails and never sleeps. Context: any, NMI included; any CPU and level,
 * whatever those of the allocation were.
 */
static __always_inline void kcoro_pool_free(struct kcoro_pool *pool, void *frame, size_t size)
{
	unsigned int cls = kcoro_size_class(size);

	if (frame && cls < KCORO_CLASSES)
		kcoro_pool_free_class(pool, cls, frame);
}

/**
 * kcoro_pool_alloc_nolock() - take a frame where any lock may be held
 * @pool: a pool
 * @size: bytes, 1 .. KCORO_FRAME_SIZE_MAX
 *
 * For code that runs inside locks it does not know, as tracing programs and probes
 * do. The frame comes from this CPU's magazines, or from the depot if its lock is free,
 * with no waiting, slab or work queue.
 *
 * Context: any, with any lock held, NMI included.
 * Return: a frame as from kcoro_pool_alloc(), or NULL: nothing is cached, as before
 * the first one, and a worker cures that a little later; or @size is wrong.
 */
void *kcoro_pool_alloc_nolock(struct kcoro_pool *pool, size_t size);

/**
 * kcoro_pool_free_nolock() - give a frame back where any lock may be held
 * @pool: the pool it came from
 * @frame: the frame, whatever it was allocated with; NULL is ignored
 * @size: the size it was allocated with
 *
 * Context: any, with any lock held, NMI included. Never fails.
 */
void kcoro_pool_free_nolock(struct kcoro_pool *pool, void *frame, size_t size);

/**
 * kcoro_pool_read() - a pool's counters of one level and class, over all CPUs
 * @pool: a pool
 * @level: enum kcoro_level
 * @cls: enum kcoro_class
 * @out: where to
 *
 * A snapshot: counters of other CPUs may move while it is taken.
 * Context: any. Return: 0, or -EINVAL for a level or class that does not exist.
 */
int kcoro_pool_read(struct kcoro_pool *pool, unsigned int level, unsigned int cls,
		    struct kcoro_frame_counters *out);

#endif /* KCORO_KCORO_H */
