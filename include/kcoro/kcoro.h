/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro.h - kcoro for kernel modules, in C. Compiles alone.
 *
 * All functions are EXPORT_SYMBOL_GPL.
 */
#ifndef KCORO_KCORO_H
#define KCORO_KCORO_H

#include <linux/gfp.h>
#include <linux/types.h>

#include <kcoro/abi.h>

struct kcoro_pool;

/* Let the context choose: GFP_KERNEL where sleeping is certain to be allowed, else GFP_ATOMIC. */
#define KCORO_GFP_AUTO ((__force gfp_t)0)

/**
 * struct kcoro_pool_attr - what a private pool shall be
 * @size: sizeof(struct kcoro_pool_attr) of the caller; the structure may grow
 * @flags: enum kcoro_pool_flags
 * @name: for people, at most KCORO_NAME_LEN - 1 characters, copied
 * @quota: most bytes the pool may hold, cached and reserved frames included; 0: no
 *	limit. Frames count with the size of their class, large ones with their pages
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
 * Return: the pool, owned by the caller, or ERR_PTR: -EINVAL (a wrong size, an
 * unknown flag, a reserved field that is not 0, a name that is too long or empty),
 * -E2BIG (a field that this kcoro does not know is not 0), -EOPNOTSUPP
 * (KCORO_POOL_ACCOUNT on a kernel without memory cgroups), -ENOMEM.
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

/**
 * kcoro_pool_reserve() - set frames aside, so that allocations cannot fail
 * @pool: a pool
 * @size: bytes of a frame, 1 .. KCORO_FRAME_SIZE_MAX
 * @count: how many frames of that size's class shall be set aside in all, at most
 *	KCORO_RESERVE_MAX; 0 gives back what was
 *
 * From then on @count allocations of the class succeed, on any CPU and in any context,
 * NMI included, whatever the slab and the quota say. They are the pool's in total,
 * whoever comes first, and serve an allocation that would have failed otherwise. A
 * worker fills the reserve up again when memory is there; kcoro_pool_destroy() gives
 * it back. The frames count against the quota from the beginning.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for a wrong size or count; -EDQUOT when the quota has no room for
 * so many; -ENOMEM. After an error the reserve is as it was.
 */
int kcoro_pool_reserve(struct kcoro_pool *pool, size_t size, unsigned int count);

/* Frames of one class that a reserve can have. */
#define KCORO_RESERVE_MAX (1U << 20)

/*
 * The out-of-line halves of the functions below, which check: @cls is below
 * KCORO_CLASSES and holds @size; a large size is over KCORO_FRAME_SIZE_MAX.
 */
void *kcoro_pool_alloc_class(struct kcoro_pool *pool, unsigned long cls, size_t size);
void *kcoro_pool_alloc_class_gfp(struct kcoro_pool *pool, unsigned long cls, size_t size,
				 gfp_t gfp);
void kcoro_pool_free_class(struct kcoro_pool *pool, unsigned long cls, void *frame);
void *kcoro_pool_alloc_large(struct kcoro_pool *pool, size_t size, gfp_t gfp);
void kcoro_pool_free_large(struct kcoro_pool *pool, void *frame, size_t size);

/*
 * enum kcoro_class by (size - 1) / 64; KCORO_FRAME_SIZE_MAX / 64 of them. The array has no
 * size here: CONFIG_UBSAN_BOUNDS would test again what is tested before.
 */
extern const u8 kcoro_class_by_size[];

/**
 * kcoro_size_class() - the smallest class that holds a size
 * @size: bytes, 1 .. KCORO_FRAME_SIZE_MAX
 *
 * Folds to a constant when @size is one.
 * Return: enum kcoro_class, or KCORO_CLASSES when @size is 0 or above the classes.
 */
static __always_inline unsigned int kcoro_size_class(size_t size)
{
	if (size - 1 >= KCORO_FRAME_SIZE_MAX)
		return KCORO_CLASSES;
	if (!__builtin_constant_p(size))
		return kcoro_class_by_size[(size - 1) / 64];
	return size <= 64 ? KCORO_CLASS_64B :
	       size <= 128 ? KCORO_CLASS_128B :
	       size <= 192 ? KCORO_CLASS_192B :
	       size <= 256 ? KCORO_CLASS_256B :
	       size <= 512 ? KCORO_CLASS_512B :
	       size <= 1024 ? KCORO_CLASS_1024B :
	       size <= 2048 ? KCORO_CLASS_2048B :
	       size <= 4096 ? KCORO_CLASS_4096B : KCORO_CLASS_8192B;
}

/**
 * kcoro_pool_alloc_gfp() - take a frame, with the caller's own flags
 * @pool: a pool
 * @size: bytes, 1 .. KCORO_FRAME_LARGE_MAX
 * @gfp: flags for the slab should the magazine be empty, or KCORO_GFP_AUTO.
 *	Where the slab must not be called (NMI; on PREEMPT_RT whenever not
 *	preemptible) they are ignored and the slab is left alone
 *
 * Over KCORO_FRAME_SIZE_MAX the frame is pages from the page allocator: nothing is
 * cached, so that it costs more, and fails where the slab must not be called.
 *
 * Context: any, NMI included. Sleeps only if @gfp says so, or with
 * KCORO_GFP_AUTO where sleeping is allowed.
 * Return: a frame aligned to 64 bytes, its contents undefined unless the pool is one
 * with KCORO_POOL_ZERO, owned by the caller and to be freed with the same pool and
 * size; NULL without memory, over the quota, or when @size is wrong.
 */
static __always_inline void *kcoro_pool_alloc_gfp(struct kcoro_pool *pool, size_t size, gfp_t gfp)
{
	unsigned int cls = kcoro_size_class(size);

	if (unlikely(cls >= KCORO_CLASSES))
		return size ? kcoro_pool_alloc_large(pool, size, gfp) : NULL;
	return kcoro_pool_alloc_class_gfp(pool, cls, size, gfp);
}

/**
 * kcoro_pool_alloc() - take a frame, with flags chosen by the context
 * @pool: a pool
 * @size: bytes, 1 .. KCORO_FRAME_LARGE_MAX
 *
 * Context and return: as kcoro_pool_alloc_gfp() with KCORO_GFP_AUTO.
 */
static __always_inline void *kcoro_pool_alloc(struct kcoro_pool *pool, size_t size)
{
	unsigned int cls = kcoro_size_class(size);

	if (unlikely(cls >= KCORO_CLASSES))
		return size ? kcoro_pool_alloc_large(pool, size, KCORO_GFP_AUTO) : NULL;
	return kcoro_pool_alloc_class(pool, cls, size);
}

/**
 * kcoro_pool_free() - give a frame back
 * @pool: the pool it came from
 * @frame: the frame; NULL is ignored
 * @size: the size it was allocated with. One that no allocation can have (0, or over
 *	KCORO_FRAME_LARGE_MAX) is ignored: the frame stays live, and the end of the
 *	pool tells
 *
 * Never fails and never sleeps. Context: any, NMI included; any CPU and level,
 * whatever those of the allocation were.
 */
static __always_inline void kcoro_pool_free(struct kcoro_pool *pool, void *frame, size_t size)
{
	unsigned int cls = kcoro_size_class(size);

	if (unlikely(!frame))
		return;
	if (unlikely(cls >= KCORO_CLASSES))
		kcoro_pool_free_large(pool, frame, size);
	else
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
 * Return: a frame as from kcoro_pool_alloc(), or NULL: nothing is cached or reserved, as
 * before the first one, and a worker cures that a little later; or @size is wrong, as
 * that of a large frame is.
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

/**
 * kcoro_pool_read_cpu() - the same of one CPU
 * @pool: a pool
 * @cpu: a possible CPU
 * @level: enum kcoro_level
 * @cls: enum kcoro_class
 * @out: where to
 *
 * Context: any. Return: 0, or -EINVAL for a CPU, level or class that does not exist.
 */
int kcoro_pool_read_cpu(struct kcoro_pool *pool, unsigned int cpu, unsigned int level,
			unsigned int cls, struct kcoro_frame_counters *out);

/**
 * kcoro_pool_read_info() - what a pool is, has and holds
 * @pool: a pool
 * @out: where to
 *
 * A snapshot, as above. Context: any.
 */
void kcoro_pool_read_info(struct kcoro_pool *pool, struct kcoro_pool_info *out);

#include <kcoro/coro.h>
#include <kcoro/scope.h>
#include <kcoro/await.h>
#include <kcoro/table.h>

#endif /* KCORO_KCORO_H */
