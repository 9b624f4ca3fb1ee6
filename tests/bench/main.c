// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - kcoro_bench.ko: measures when it is loaded; the rows are then in
 * debugfs, kcoro_bench/rows, one per line, fields separated by tabs:
 *
 *   row SUBJECT OPERATION LEVEL SIZE PATTERN CPUS PAIRS MIN MEDIAN
 *   none SUBJECT OPERATION LEVEL SIZE PATTERN CPUS REASON
 *
 * MIN and MEDIAN are instructions for all PAIRS of a batch.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bench.h"

static char *subject, *operation, *level, *pattern;
static unsigned int size, batches = 201;
module_param(subject, charp, 0444);
MODULE_PARM_DESC(subject, "measure this subject alone");
module_param(operation, charp, 0444);
MODULE_PARM_DESC(operation, "measure this operation alone");
module_param(level, charp, 0444);
MODULE_PARM_DESC(level, "measure at this level alone: task, softirq, hardirq, nmi");
module_param(pattern, charp, 0444);
MODULE_PARM_DESC(pattern, "measure this pattern alone");
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "measure this size alone, and what has none (default: every size)");
module_param(batches, uint, 0444);
MODULE_PARM_DESC(batches, "batches per row (default 201, at most 1000)");

static const struct bench_entry *const tables[] = {
	bench_alloc_free,
	bench_cold,
	bench_coro,
	bench_cxx,
};

static const char *const level_names[KCORO_LEVELS] = { "task", "softirq", "hardirq", "nmi" };

struct row {
	const struct bench_entry *entry;
	enum kcoro_level level;
	struct bench_result result;
};

static struct row *rows;
static unsigned int row_count;
static struct dentry *dir;

static bool is_chosen(const struct bench_entry *e, enum kcoro_level l)
{
	return e->levels & BIT(l) && (!subject || !strcmp(subject, e->subject)) &&
	       (!operation || !strcmp(operation, e->operation)) &&
	       (!level || !strcmp(level, level_names[l])) &&
	       (!pattern || !strcmp(pattern, e->pattern)) &&
	       (!size || !e->size || size == e->size);
}

/* Fill @out, unless it is NULL. Returns how many rows are chosen. */
static unsigned int choose(struct row *out)
{
	const struct bench_entry *e;
	unsigned int i, l, n = 0;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (e = tables[i]; e->subject; e++) {
			for (l = 0; l < KCORO_LEVELS; l++) {
				if (!is_chosen(e, l))
					continue;
				if (out)
					out[n] = (struct row){ .entry = e, .level = l };
				n++;
			}
		}
	}
	return n;
}

static int measure_all(void *done)
{
	unsigned int i;

	for (i = 0; i < row_count; i++)
		bench_measure(rows[i].entry, rows[i].level, batches, &rows[i].result);
	complete(done);
	return 0;
}

static int rows_show(struct seq_file *s, void *unused)
{
	unsigned int i;

	for (i = 0; i < row_count; i++) {
		const struct bench_entry *e = rows[i].entry;
		const struct bench_result *r = &rows[i].result;

		seq_printf(s, "%s\t%s\t%s\t%s\t%u\t%s\t%d\t", r->reason ? "none" : "row",
			   e->subject, e->operation, level_names[rows[i].level], e->size,
			   e->pattern, e->finish ? 2 : 1);
		if (r->reason)
			seq_printf(s, "%s\n", r->reason);
		else
			seq_printf(s, "%u\t%llu\t%llu\n", e->pairs, r->min, r->median);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rows);

/* In a thread that stays on the first CPU; the others stay idle. */
static int run_in_thread(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;

	task = kthread_run_on_cpu(measure_all, &done, cpumask_first(cpu_online_mask),
				  "kcoro_bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&done);
	return 0;
}

static int __init kcoro_bench_init(void)
{
	int err;

	if (!batches || batches > BENCH_BATCHES_MAX) {
		pr_err("kcoro_bench: batches=%u is not 1 .. %d\n", batches, BENCH_BATCHES_MAX);
		return -EINVAL;
	}
	if (!bench_is_counted()) {
		pr_err("kcoro_bench: the TSC counts no instructions here, and other figures are not given: run in tests/vm/run --icount\n");
		return -EOPNOTSUPP;
	}
	row_count = choose(NULL);
	if (!row_count) {
		pr_err("kcoro_bench: nothing has this subject, level, size and pattern\n");
		return -ENOENT;
	}
	rows = kvcalloc(row_count, sizeof(*rows), GFP_KERNEL);
	if (!rows)
		return -ENOMEM;
	choose(rows);
	err = bench_count_init();
	if (err)
		goto err_rows;
	err = bench_levels_init();
	if (err)
		goto err_rows;
	err = run_in_thread();
	bench_levels_exit();
	if (err)
		goto err_rows;
	dir = debugfs_create_dir("kcoro_bench", NULL);
	debugfs_create_file("rows", 0444, dir, NULL, &rows_fops);
	return 0;

err_rows:
	kvfree(rows);
	return err;
}

static void __exit kcoro_bench_exit(void)
{
	debugfs_remove(dir);
	kvfree(rows);
}

module_init(kcoro_bench_init);
module_exit(kcoro_bench_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Counts instructions of kcoro and its neighbours");
