// SPDX-License-Identifier: GPL-2.0-only
/*
 * limits.c - what a pool promises and what it refuses: quota, reserve, memory cgroup,
 * zeroed frames, frames above the classes, and the figures that it gives of itself.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kcoro/kcoro.h>

#include "at_level.h"
#include "test.h"

#define RESERVED 64
#define MANY 300

static struct kcoro_pool *pool_with(u32 flags, u64 quota)
{
	const struct kcoro_pool_attr attr = {
		.size = sizeof(attr),
		.flags = flags,
		.name = "limits",
		.quota = quota,
	};

	return kcoro_pool_create(&attr);
}

/* Valid until the next call: too large for the stack. */
static const struct kcoro_pool_info *info_of(struct kcoro_pool *pool)
{
	static struct kcoro_pool_info info;

	kcoro_pool_read_info(pool, &info);
	return &info;
}

/* Over all levels. */
static struct kcoro_frame_counters sum_of(struct kcoro_pool *pool, unsigned int cls)
{
	struct kcoro_frame_counters sum = {}, c;
	unsigned int level;

	for (level = 0; level < KCORO_LEVELS; level++) {
		kcoro_pool_read(pool, level, cls, &c);
		sum.allocs += c.allocs;
		sum.frees += c.frees;
		sum.reserve += c.reserve;
		sum.failures += c.failures;
		sum.failed_quota += c.failed_quota;
		sum.failed_slab += c.failed_slab;
		sum.failed_context += c.failed_context;
		sum.failed_injected += c.failed_injected;
	}
	return sum;
}

/* The equations of pool.h. */
static bool is_balanced(struct kcoro_pool *pool)
{
	const struct kcoro_pool_info *info = info_of(pool);
	unsigned int cls;

	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		struct kcoro_frame_counters c = sum_of(pool, cls);

		if (c.failures != c.failed_quota + c.failed_slab + c.failed_context +
				  c.failed_injected)
			return false;
	}
	return info->held == info->live + info->cached + info->reserved &&
	       info->held_most >= info->held && (!info->quota || info->held_most <= info->quota);
}

static bool reserve_is(struct kcoro_pool *pool, unsigned int cls, u32 frames)
{
	int i;

	for (i = 0; i < 3000 && info_of(pool)->reserve_there[cls] != frames; i++)
		usleep_range(1000, 2000);
	return info_of(pool)->reserve_there[cls] == frames;
}

static int attributes(void)
{
	struct {
		struct kcoro_pool_attr known;
		u64 later;
	} attr = { .known = { .size = sizeof(attr), .name = "grown" } };
	struct kcoro_pool *pool = kcoro_pool_create(&attr.known);

	EXPECT(!IS_ERR(pool));
	kcoro_pool_destroy(pool);
	attr.later = 1;
	EXPECT(PTR_ERR(kcoro_pool_create(&attr.known)) == -E2BIG);
	EXPECT(PTR_ERR(pool_with(1U << 31, 0)) == -EINVAL);
	EXPECT(PTR_ERR(pool_with(0, U64_MAX)) == -EINVAL);
	return 0;
}

static bool is_filled(const void *frame, u8 byte, size_t size)
{
	return !memchr_inv(frame, byte, size);
}

/* Freed dirty, allocated clean. */
static int zeroed(struct kcoro_pool *pool, size_t size)
{
	bool clean = true;
	void *frame;
	int i;

	for (i = 0; i < MANY && clean; i++) {
		frame = i % 2 ? kcoro_pool_alloc_gfp(pool, size, GFP_ATOMIC) :
				kcoro_pool_alloc(pool, size);
		EXPECT(frame);
		clean = is_filled(frame, 0, size);
		memset(frame, 0xff, size);
		kcoro_pool_free(pool, frame, size);
	}
	EXPECT(clean);
	return 0;
}

static void zeroed_here(void *arg)
{
	struct kcoro_pool **pool = arg;

	if (zeroed(*pool, 100))
		*pool = NULL;
}

static int zero(void)
{
	static const size_t sizes[] = { 1, 63, 64, 200, 8192, 8193, 65536 };
	struct kcoro_pool *pool = pool_with(KCORO_POOL_ZERO, 0), *seen = pool;
	int i, line;

	EXPECT(!IS_ERR(pool));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		line = zeroed(pool, sizes[i]);
		if (line)
			return line;
	}
	/* PREEMPT_RT has no slab there, and what is freed waits for the worker. */
	EXPECT(!kcoro_pool_reserve(pool, 100, MANY));
	EXPECT(at_level(KCORO_LEVEL_HARDIRQ, zeroed_here, &seen) && seen);
	kcoro_pool_destroy(pool);
	return 0;
}

static int large(void)
{
	static const size_t sizes[] = { 8193, 12288, 16384, 40000, 65536 };
	struct kcoro_pool *pool = pool_with(0, 0);
	const struct kcoro_pool_info *info;
	void *frames[ARRAY_SIZE(sizes)];
	s64 bytes = 0;
	int i;

	EXPECT(!IS_ERR(pool));
	EXPECT(!kcoro_pool_alloc(pool, KCORO_FRAME_LARGE_MAX + 1));
	EXPECT(!kcoro_pool_alloc(pool, SIZE_MAX));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		frames[i] = kcoro_pool_alloc(pool, sizes[i]);
		EXPECT(frames[i] && IS_ALIGNED((unsigned long)frames[i], 64));
		memset(frames[i], i, sizes[i]);
		bytes += PAGE_SIZE << get_order(sizes[i]);
	}
	info = info_of(pool);
	EXPECT(info->live == bytes && info->held == bytes);
	EXPECT(info->large_allocs == ARRAY_SIZE(sizes) && info->large_failures == 2);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT(is_filled(frames[i], i, sizes[i]));
		kcoro_pool_free(pool, frames[i], sizes[i]);
	}
	info = info_of(pool);
	EXPECT(!info->live && !info->held && info->large_frees == ARRAY_SIZE(sizes));
	kcoro_pool_destroy(pool);
	return 0;
}

struct large_elsewhere {
	struct kcoro_pool *pool;
	void *frame;
};

static void free_and_alloc(void *arg)
{
	struct large_elsewhere *e = arg;

	kcoro_pool_free(e->pool, e->frame, 10000);
	e->frame = kcoro_pool_alloc(e->pool, 10000);
}

/* In NMI a large free waits for the worker, and a large allocation fails. */
static int large_nmi(void)
{
	struct large_elsewhere e = { .pool = pool_with(0, 0) };
	int i;

	EXPECT(!IS_ERR(e.pool));
	e.frame = kcoro_pool_alloc(e.pool, 10000);
	EXPECT(e.frame);
	EXPECT(at_level(KCORO_LEVEL_NMI, free_and_alloc, &e));
	EXPECT(!e.frame);
	for (i = 0; i < 1000 && info_of(e.pool)->held; i++)
		usleep_range(1000, 2000);
	EXPECT(!info_of(e.pool)->held && info_of(e.pool)->large_failures == 1);
	kcoro_pool_destroy(e.pool);
	return 0;
}

/* All of the quota is to be had, not a byte more, and what is cached never is in the way. */
static int quota(void)
{
	struct kcoro_pool *pool = pool_with(0, 100 * 1024);
	static void *frames[101];
	int n, i;

	EXPECT(!IS_ERR(pool));
	for (n = 0; n < ARRAY_SIZE(frames); n++) {
		frames[n] = kcoro_pool_alloc(pool, 1024);
		if (!frames[n])
			break;
	}
	EXPECT(n == 100);
	EXPECT(sum_of(pool, KCORO_CLASS_1024B).failed_quota == 1);
	EXPECT(info_of(pool)->held_most == 100 * 1024);
	kcoro_pool_free(pool, frames[--n], 1024);
	frames[n] = kcoro_pool_alloc(pool, 1024);
	EXPECT(frames[n++]);
	while (n--)
		kcoro_pool_free(pool, frames[n], 1024);
	/* Another class: what CPUs have cached goes a little later. */
	for (i = 0, n = 0; i < 1000 && n < 25; i++) {
		frames[n] = kcoro_pool_alloc(pool, 4096);
		if (frames[n])
			n++;
		else
			usleep_range(1000, 2000);
	}
	EXPECT(n == 25);
	EXPECT(!kcoro_pool_alloc(pool, 4096));
	EXPECT(!kcoro_pool_alloc(pool, 10000));
	while (n--)
		kcoro_pool_free(pool, frames[n], 4096);
	EXPECT(is_balanced(pool));
	kcoro_pool_destroy(pool);
	return 0;
}

struct storm {
	struct kcoro_pool *pool;
	void *frames[2 * RESERVED];
	int have;
	int most;
};

/* Too large for the stack; the cases run one after another. */
static struct storm *storm_with(struct kcoro_pool *pool, int most)
{
	static struct storm storm;

	memset(&storm, 0, sizeof(storm));
	storm.pool = pool;
	storm.most = most;
	return &storm;
}

static void take_some(void *arg)
{
	struct storm *s = arg;
	int i;

	for (i = 0; i < s->most; i++) {
		void *frame = kcoro_pool_alloc(s->pool, 128);

		if (frame)
			s->frames[s->have++] = frame;
	}
}

/* The quota is all reserved: from all levels together so many come, and not one more. */
static int reserve(void)
{
	struct storm *s = storm_with(pool_with(0, RESERVED * 128), 0);
	unsigned int level;
	int i;

	EXPECT(!IS_ERR(s->pool));
	EXPECT(kcoro_pool_reserve(s->pool, 0, 1) == -EINVAL);
	EXPECT(kcoro_pool_reserve(s->pool, 8193, 1) == -EINVAL);
	EXPECT(kcoro_pool_reserve(s->pool, 128, KCORO_RESERVE_MAX + 1) == -EINVAL);
	EXPECT(kcoro_pool_reserve(s->pool, 128, RESERVED + 1) == -EDQUOT);
	EXPECT(!kcoro_pool_reserve(s->pool, 128, RESERVED / 2));
	EXPECT(kcoro_pool_reserve(s->pool, 128, RESERVED + 1) == -EDQUOT);
	EXPECT(info_of(s->pool)->reserve_there[KCORO_CLASS_128B] == RESERVED / 2);
	EXPECT(!kcoro_pool_reserve(s->pool, 128, RESERVED));
	EXPECT(kcoro_pool_reserve(s->pool, 256, 1) == -EDQUOT);
	EXPECT(info_of(s->pool)->reserved == RESERVED * 128);

	for (level = 0; level < KCORO_LEVELS; level++) {
		s->most = RESERVED / KCORO_LEVELS;
		EXPECT(at_level(level, take_some, s));
		EXPECT(s->have == RESERVED / KCORO_LEVELS * (level + 1));
	}
	for (level = 0; level < KCORO_LEVELS; level++) {
		s->most = 3;
		EXPECT(at_level(level, take_some, s));
		EXPECT(s->have == RESERVED);
	}
	EXPECT(sum_of(s->pool, KCORO_CLASS_128B).reserve == RESERVED);
	EXPECT(sum_of(s->pool, KCORO_CLASS_128B).failures == 3 * KCORO_LEVELS);
	for (i = 0; i < RESERVED; i++)
		kcoro_pool_free(s->pool, s->frames[i], 128);
	/* What is freed is cached, and the worker gets it back for the reserve. */
	EXPECT(reserve_is(s->pool, KCORO_CLASS_128B, RESERVED));
	EXPECT(is_balanced(s->pool));
	EXPECT(!kcoro_pool_reserve(s->pool, 128, 10));
	EXPECT(info_of(s->pool)->reserve_there[KCORO_CLASS_128B] == 10);
	EXPECT(!kcoro_pool_reserve(s->pool, 128, 0));
	EXPECT(!info_of(s->pool)->reserved && !info_of(s->pool)->live);
	kcoro_pool_destroy(s->pool);
	return 0;
}

/* The first allocation of all, in NMI. */
static int reserve_cold_nmi(void)
{
	struct storm *s = storm_with(pool_with(0, 0), 5);

	EXPECT(!IS_ERR(s->pool));
	EXPECT(!kcoro_pool_reserve(s->pool, 128, 5));
	EXPECT(at_level(KCORO_LEVEL_NMI, take_some, s));
	EXPECT(s->have == 5);
	EXPECT(reserve_is(s->pool, KCORO_CLASS_128B, 5));
	while (s->have--)
		kcoro_pool_free(s->pool, s->frames[s->have], 128);
	EXPECT(is_balanced(s->pool));
	kcoro_pool_destroy(s->pool);
	return 0;
}

/*
 * In the group that we are in, with a limit or without: module.guest reads the line. At
 * the limit the reserve serves, then nothing, whatever the flags; and we are not killed.
 */
static int account(void)
{
	const int most = 4000, set_aside = 16;
	struct kcoro_pool *pool = pool_with(KCORO_POOL_ACCOUNT, 0);
	void **frames = kvcalloc(most, sizeof(*frames), GFP_KERNEL);
	struct kcoro_frame_counters c;
	int n;

	EXPECT(!IS_ERR(pool) && frames);
	EXPECT(!kcoro_pool_reserve(pool, 8192, set_aside));
	for (n = 0; n < most; n++) {
		frames[n] = kcoro_pool_alloc_gfp(pool, 8192, GFP_ATOMIC);
		if (!frames[n])
			break;
	}
	c = sum_of(pool, KCORO_CLASS_8192B);
	pr_info("kcoro_test: account got %d of %d\n", n, most);
	if (n < most) {
		EXPECT(c.failures == 1 && c.failed_slab == 1 && c.reserve >= set_aside);
		/* What can be reclaimed in the group serves one that may wait; it is not much. */
		for (; n < most; n++) {
			frames[n] = kcoro_pool_alloc_gfp(pool, 8192, GFP_KERNEL);
			if (!frames[n])
				break;
		}
		EXPECT(n < most);
		EXPECT(kcoro_pool_reserve(pool, 8192, 2000) == -ENOMEM);
		c = sum_of(pool, KCORO_CLASS_8192B);
		EXPECT(c.failures == 2 && c.failed_slab == 2);
	} else {
		EXPECT(!c.failures && !c.reserve);
	}
	while (n--)
		kcoro_pool_free(pool, frames[n], 8192);
	kvfree(frames);
	kcoro_pool_destroy(pool);
	return 0;
}

/* Sizes just above the class below fill the first of the eighths, full ones the last. */
static int size_histogram(void)
{
	static void *frames[MANY];
	struct kcoro_pool *pool = pool_with(0, 0);
	const struct kcoro_pool_info *info;
	int i;

	EXPECT(!IS_ERR(pool));
	for (i = 0; i < MANY; i++) {
		frames[i] = kcoro_pool_alloc(pool, 65);
		EXPECT(frames[i]);
	}
	for (i = 0; i < MANY; i++)
		kcoro_pool_free(pool, frames[i], 65);
	kcoro_pool_free(pool, kcoro_pool_alloc(pool, 64), 64);
	info = info_of(pool);
	EXPECT(info->sizes[KCORO_CLASS_128B][0] > 1 && info->sizes[KCORO_CLASS_128B][0] < MANY);
	EXPECT(is_filled(&info->sizes[KCORO_CLASS_128B][1], 0, 7 * sizeof(u64)));
	EXPECT(info->sizes[KCORO_CLASS_64B][7] == 1);
	/* Those between the powers of two have eighths of 8 bytes. */
	kcoro_pool_free(pool, kcoro_pool_alloc(pool, 129 + 8), 129 + 8);
	kcoro_pool_free(pool, kcoro_pool_alloc(pool, 256), 256);
	info = info_of(pool);
	EXPECT(info->sizes[KCORO_CLASS_192B][1] == 1 && info->sizes[KCORO_CLASS_256B][7] == 1);
	EXPECT(is_balanced(pool));
	kcoro_pool_destroy(pool);
	return 0;
}

const struct kcoro_test_case kcoro_limits_cases[] = {
	{ "limits_attributes", attributes },
	{ "limits_zero", zero },
	{ "limits_large", large },
	{ "limits_large_nmi", large_nmi },
	{ "limits_quota", quota },
	{ "limits_reserve", reserve },
	{ "limits_reserve_cold_nmi", reserve_cold_nmi },
	{ "limits_account", account },
	{ "limits_sizes", size_histogram },
	{}
};
