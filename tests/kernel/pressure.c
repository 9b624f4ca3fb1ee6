// SPDX-License-Identifier: GPL-2.0-only
/*
 * pressure.c - memory is short, or was: a large burst that must go back, and frames
 * taken and freed by those who reclaim memory themselves.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "../../kmod/pool/pool.h"
#include "test.h"

#define BURST 100000
#define BURST_SIZE 1024

static struct kcoro_pool_info *info_of(struct kcoro_pool *pool)
{
	static struct kcoro_pool_info info;

	kcoro_pool_read_info(pool, &info);
	return &info;
}

/* Of all the kernel. */
static long slab_bytes(void)
{
	return (global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B)) * (long)PAGE_SIZE;
}

/* As reclaim calls it when it wants all there is. */
static void shrink(struct kcoro_pool *pool)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = ULONG_MAX };
	int cpu;

	for_each_online_node(sc.nid)
		pool->shrinker->scan_objects(pool->shrinker, &sc);
	for_each_online_cpu(cpu)
		flush_work(&per_cpu_ptr(pool->cpu, cpu)->trim_work);
}

/* 100 MB of frames at once: afterwards less than 1 MiB is cached, and the slab has it back. */
static int burst(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "burst" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	void **frames = kvcalloc(BURST, sizeof(*frames), GFP_KERNEL);
	u64 live, freed, shrunk;
	long slab, grown;
	int n, i;

	EXPECT(!IS_ERR(pool) && frames);
	slab = slab_bytes();
	for (n = 0; n < BURST; n++) {
		frames[n] = kcoro_pool_alloc(pool, BURST_SIZE);
		if (!frames[n])
			break;
		if (!(n % 1024))
			cond_resched();
	}
	live = info_of(pool)->live;
	for (i = 0; i < n; i++) {
		kcoro_pool_free(pool, frames[i], BURST_SIZE);
		if (!(i % 1024))
			cond_resched();
	}
	kvfree(frames);
	freed = info_of(pool)->cached;
	shrink(pool);
	shrunk = info_of(pool)->cached;
	grown = slab_bytes() - slab;
	kcoro_pool_destroy(pool);
	pr_info("kcoro_test: burst of %d frames, %llu bytes: cached %llu when freed, %llu after a shrink; the slab grew by %ld\n",
		n, live, freed, shrunk, grown);
	EXPECT(n == BURST && live == (u64)BURST * BURST_SIZE);
	EXPECT(shrunk < SZ_1M && shrunk <= freed);
	/* With KASAN freed objects wait in a quarantine. */
	EXPECT(IS_ENABLED(CONFIG_KASAN) || grown < 4 * SZ_1M);
	return 0;
}

/* Of several classes, and a large one. Returns how many there were; all are freed. */
static unsigned int use(struct kcoro_pool *pool)
{
	static const size_t sizes[] = { 128, 1024, 8192, 16384 };
	void *frames[32];
	unsigned int got = 0;
	int i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (n = 0; n < ARRAY_SIZE(frames); n++) {
			frames[n] = kcoro_pool_alloc(pool, sizes[i]);
			if (!frames[n])
				break;
			*(u64 *)frames[n] = n;
		}
		got += n;
		while (n--)
			kcoro_pool_free(pool, frames[n], sizes[i]);
	}
	return got;
}

static struct {
	struct kcoro_pool *pool;
	atomic_t calls, direct, got;
} reclaim;

static unsigned long count(struct shrinker *shrinker, struct shrink_control *sc)
{
	return 1 << 20;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	if (!(current->flags & PF_MEMALLOC))
		return SHRINK_STOP;
	atomic_add(use(reclaim.pool), &reclaim.got);
	atomic_inc(&reclaim.calls);
	if (!(current->flags & PF_KSWAPD))
		atomic_inc(&reclaim.direct);
	return SHRINK_STOP;
}

/*
 * Takes what memory there is until the kernel reclaims, in this task, too. Nobody is
 * killed for it, and it is given back at once.
 */
static unsigned long press(void)
{
	unsigned long pages = 0;
	struct page *page, *next;
	LIST_HEAD(taken);

	while (atomic_read(&reclaim.direct) < 3) {
		page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (!page)
			break;
		list_add(&page->lru, &taken);
		if (!(pages++ % 1024))
			cond_resched();
	}
	list_for_each_entry_safe(page, next, &taken, lru)
		__free_page(page);
	return pages;
}

/* A shrinker that allocates frames: in kswapd, and in a task that wants a page. */
static int in_reclaim(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "reclaim" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	struct kcoro_pool_info *info;
	struct shrinker *shrinker;
	unsigned long pages;

	EXPECT(!IS_ERR(pool));
	reclaim.pool = pool;
	shrinker = shrinker_alloc(0, "kcoro_test");
	EXPECT(shrinker);
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	pages = press();
	shrinker_free(shrinker);
	info = info_of(pool);
	pr_info("kcoro_test: in reclaim: %lu pages taken, %d calls, of these %d in the task, %d frames\n",
		pages, atomic_read(&reclaim.calls), atomic_read(&reclaim.direct),
		atomic_read(&reclaim.got));
	EXPECT(atomic_read(&reclaim.direct) > 0);
	/* PF_MEMALLOC opens the reserves: the classes are served, pages may be missing. */
	EXPECT(atomic_read(&reclaim.got) >= 3 * 32 * atomic_read(&reclaim.calls));
	EXPECT(info->live == 0 && info->held == info->cached);
	kcoro_pool_destroy(pool);
	return 0;
}

/* A task that says of itself that it reclaims, or that it holds what reclaim needs. */
static int as_reclaimer(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "reclaimer" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	unsigned int flags, got;

	EXPECT(!IS_ERR(pool));
	flags = memalloc_noreclaim_save();
	got = use(pool);
	memalloc_noreclaim_restore(flags);
	EXPECT(got == 4 * 32);
	flags = memalloc_nofs_save();
	got = use(pool);
	memalloc_nofs_restore(flags);
	EXPECT(got == 4 * 32);
	EXPECT(info_of(pool)->live == 0);
	kcoro_pool_destroy(pool);
	return 0;
}

const struct kcoro_test_case kcoro_pressure_cases[] = {
	{ "pressure_burst", burst },
	{ "pressure_as_reclaimer", as_reclaimer },
	{ "pressure_in_reclaim", in_reclaim },
	{}
};
