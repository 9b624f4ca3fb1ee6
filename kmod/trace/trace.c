// SPDX-License-Identifier: GPL-2.0-only
/* trace.c - the tracepoints' definitions. */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/types.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_STATIC_KEY_FALSE(kcoro_pool_watched);

/* Called by the kernel before the first listener of a tracepoint, in process context. */
int kcoro_trace_listen(void)
{
	static_branch_inc(&kcoro_pool_watched);
	return 0;
}

/* And after the last. */
void kcoro_trace_unlisten(void)
{
	static_branch_dec(&kcoro_pool_watched);
}
