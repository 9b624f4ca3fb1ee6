/* SPDX-License-Identifier: GPL-2.0-only */
/* meminfo.h - what the kernel says of its memory; process context. */
#ifndef KCORO_TEST_MEMINFO_H
#define KCORO_TEST_MEMINFO_H

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

/* A line of /proc/meminfo, in bytes; -1 when it cannot be read. */
static inline long meminfo(const char *name)
{
	struct file *file = filp_open("/proc/meminfo", O_RDONLY, 0);
	char *text = kzalloc(PAGE_SIZE, GFP_KERNEL), *line;
	long kib = -1;
	loff_t at = 0;

	if (!IS_ERR(file) && text && kernel_read(file, text, PAGE_SIZE - 1, &at) > 0) {
		line = strstr(text, name);
		if (line && sscanf(line + strlen(name), " %ld kB", &kib) != 1)
			kib = -1;
	}
	if (!IS_ERR(file))
		filp_close(file, NULL);
	kfree(text);
	return kib < 0 ? -1 : kib * 1024;
}

#endif /* KCORO_TEST_MEMINFO_H */
