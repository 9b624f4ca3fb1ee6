// SPDX-License-Identifier: GPL-2.0-only
/* trace.c - the tracepoints' definitions. */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/types.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
