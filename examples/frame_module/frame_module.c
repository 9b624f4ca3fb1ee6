// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* frame_module.c - frames from a pool of one's own, in C. */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include <kcoro/kcoro.h>

struct request {
	u64 id;
	char name[100];
};

static struct kcoro_pool *pool;

static int __init frame_module_init(void)
{
	static const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "example" };
	struct kcoro_frame_counters seen;
	struct request *request;
	int i;

	pool = kcoro_pool_create(&attr);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	for (i = 0; i < 1000; i++) {
		/* Any context, NMI included; here GFP_KERNEL is used should it come to the slab. */
		request = kcoro_pool_alloc(pool, sizeof(*request));
		if (!request) {
			kcoro_pool_destroy(pool);
			return -ENOMEM;
		}
		/* The contents are undefined: a frame is not zeroed. */
		memset(request, 0, sizeof(*request));
		request->id = i;
		kcoro_pool_free(pool, request, sizeof(*request));
	}
	kcoro_pool_read(pool, KCORO_LEVEL_TASK, kcoro_size_class(sizeof(*request)), &seen);
	pr_info("frame_module: %llu frames allocated, %llu freed, %llu times from the slab\n",
		seen.allocs, seen.frees, seen.refills);
	return 0;
}

static void __exit frame_module_exit(void)
{
	kcoro_pool_destroy(pool);
}

module_init(frame_module_init);
module_exit(frame_module_exit);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Example of kcoro: frames from a pool of one's own");
