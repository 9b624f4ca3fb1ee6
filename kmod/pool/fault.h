/* SPDX-License-Identifier: GPL-2.0-only */
/* fault.h - the fault point: allocations that fail because a test asked for it. */
#ifndef KCORO_FAULT_H
#define KCORO_FAULT_H

#include <linux/types.h>

#include <kcoro/abi.h>

bool kcoro_fault_hit(enum kcoro_level level);

#endif /* KCORO_FAULT_H */
