/* SPDX-License-Identifier: GPL-2.0-only */
/* at_level.h - runs a function at a level of one's choice. */
#ifndef KCORO_TEST_AT_LEVEL_H
#define KCORO_TEST_AT_LEVEL_H

#include <linux/types.h>

#include <kcoro/abi.h>

bool at_level(enum kcoro_level level, void (*fn)(void *arg), void *arg);

#endif /* KCORO_TEST_AT_LEVEL_H */
