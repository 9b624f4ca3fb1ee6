// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs.c - /sys/kernel/debug/kcoro/pools: all pools as text, for whoever has neither
 * bpftool nor the kcoro command at hand. Readable by root alone, and no interface:
 * programs use the kfuncs.
 *
 * Each pool is looked up anew under RCU while the file is read.
 */
#include <linux/debugfs.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "pool.h"

static struct dentry *dir;

static const char *const levels[KCORO_LEVELS] = { "task", "softirq", "hardirq", "nmi" };

static void show_info(struct seq_file *m, const struct kcoro_pool_info *info)
{
	unsigned int i, b;

	seq_printf(m, "pool %s id %llu flags %#x\n", info->name, info->id, info->flags);
	seq_printf(m, "  bytes: quota %llu held %llu most %llu live %llu cached %llu reserved %llu\n",
		   info->quota, info->held, info->held_most, info->live, info->cached,
		   info->reserved);
	seq_printf(m, "  large frames: allocs %llu frees %llu failures %llu\n",
		   info->large_allocs, info->large_frees, info->large_failures);
	for (i = 0; i < KCORO_LEVELS; i++)
		seq_printf(m, "  slab calls at level %s: kernel %llu atomic %llu caller %llu\n",
			   levels[i], info->gfp[i][KCORO_GFP_CHOICE_KERNEL],
			   info->gfp[i][KCORO_GFP_CHOICE_ATOMIC],
			   info->gfp[i][KCORO_GFP_CHOICE_CALLER]);
	for (i = 0; i < KCORO_CLASSES; i++) {
		if (info->reserve_wanted[i])
			seq_printf(m, "  reserve of %zu bytes: %u of %u\n", kcoro_class_size(i),
				   info->reserve_there[i], info->reserve_wanted[i]);
	}
	for (i = 0; i < KCORO_CLASSES; i++) {
		if (!memchr_inv(info->sizes[i], 0, sizeof(info->sizes[i])))
			continue;
		seq_printf(m, "  sizes in %zu bytes:", kcoro_class_size(i));
		for (b = 0; b < KCORO_SIZE_BUCKETS; b++)
			seq_printf(m, " %llu", info->sizes[i][b]);
		seq_putc(m, '\n');
	}
}

static void show_slots(struct seq_file *m, struct kcoro_pool *pool)
{
	struct kcoro_frame_counters c;
	unsigned int level, cls;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (level = 0; level < KCORO_LEVELS; level++) {
			for (cls = 0; cls < KCORO_CLASSES; cls++) {
				kcoro_pool_read_cpu(pool, cpu, level, cls, &c);
				if (!memchr_inv(&c, 0, sizeof(c)))
					continue;
				seq_printf(m, "  cpu %d %s %zu: allocs %llu frees %llu misses %llu frmiss %llu exchanges %llu refills %llu drains %llu deferred %llu reserve %llu failed %llu quota %llu slab %llu context %llu injected %llu\n",
					   cpu, levels[level], kcoro_class_size(cls), c.allocs,
					   c.frees, c.alloc_misses, c.free_misses, c.exchanges,
					   c.refills, c.drains, c.deferred, c.reserve, c.failures,
					   c.failed_quota, c.failed_slab, c.failed_context,
					   c.failed_injected);
			}
		}
	}
}

static int pools_show(struct seq_file *m, void *v)
{
	struct kcoro_pool_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	struct kcoro_pool *pool;
	u64 id = 0;

	if (!info)
		return -ENOMEM;
	/* seq_printf() does not sleep. */
	rcu_read_lock();
	while ((pool = kcoro_pool_next(id))) {
		kcoro_pool_read_info(pool, info);
		show_info(m, info);
		show_slots(m, pool);
		id = info->id;
	}
	rcu_read_unlock();
	kfree(info);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

/* Without debugfs nothing is shown, and nothing else is missing. */
void __init kcoro_pool_debugfs_init(void)
{
	dir = debugfs_create_dir("kcoro", NULL);
	debugfs_create_file("pools", 0400, dir, NULL, &pools_fops);
}

void kcoro_pool_debugfs_exit(void)
{
	debugfs_remove(dir);
}
