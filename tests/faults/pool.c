// SPDX-License-Identifier: GPL-2.0-only
/* pool.c - a private pool, from its making to its end, with any allocation refused. */
#include <linux/err.h>
#include <linux/string.h>

#include "scenario.h"

#define EACH 3	/* frames of each class at a time */

static int use(struct kcoro_pool *pool, u64 *refused)
{
	void *frames[EACH];
	unsigned int cls, i;

	for (cls = 0; cls < KCORO_CLASSES; cls++) {
		size_t size = KCORO_CLASS_SIZE(cls);

		for (i = 0; i < EACH; i++) {
			frames[i] = kcoro_pool_alloc(pool, size);
			if (frames[i])
				memset(frames[i], i, size);
			else
				++*refused;
		}
		for (i = 0; i < EACH; i++) {
			EXPECT(!frames[i] || !memchr_inv(frames[i], i, size));
			kcoro_pool_free(pool, frames[i], size);
		}
	}
	return 0;
}

int faults_pool(void)
{
	static const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "faults" };
	struct kcoro_pool *pool = kcoro_pool_create(&attr);
	struct faults_sum sum;
	u64 refused = 0;
	int err;

	if (IS_ERR(pool)) {
		EXPECT(PTR_ERR(pool) == -ENOMEM);
		return -ENOMEM;
	}
	err = use(pool, &refused);
	sum = faults_sum(pool);
	kcoro_pool_destroy(pool);
	if (err)
		return err;
	EXPECT(sum.live == 0);
	EXPECT(sum.failures == refused);
	return refused ? -ENOMEM : 0;
}
