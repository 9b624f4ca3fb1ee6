/* SPDX-License-Identifier: GPL-2.0-only */
/* ps_test.h - the parts of kcoro_ps_test.ko. */
#ifndef KCORO_PS_TEST_H
#define KCORO_PS_TEST_H

#include <linux/err.h>
#include <linux/module.h>

#include <kcoro/await.h>
#include <kcoro/coro.h>
#include <kcoro/kcoro.h>
#include <kcoro/scope.h>

static inline struct kcoro_scope *ps_scope(const char *name, struct kcoro_scope *parent, u32 limit)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.limit = limit,
		.owner = THIS_MODULE,
		.name = name,
		.parent = parent,
	};

	return kcoro_scope_create(&attr);
}

/* ps_cxx.cc */
int ps_cxx_start(struct kcoro_scope *scope, unsigned long *ticks);

/* ps_churn.c */
void churn_init(void);
void churn_stop(void);

#endif /* KCORO_PS_TEST_H */
