/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - what differs between the supported kernels, and nowhere else.
 */
#ifndef KCORO_COMPAT_H
#define KCORO_COMPAT_H

#include <linux/btf.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "kcoro needs Linux 6.12 or later; see README.md, Supported kernels"
#endif

/* Trusted arguments became the default and the flag went away. */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

/* timer_container_of() was from_timer() up to 6.15. */
#ifndef timer_container_of
#define timer_container_of(var, timer, field) from_timer(var, timer, field)
#endif

/* Later kernels want a per-CPU workqueue to say so, and renamed their own; test the version,
 * for the flag is an enum.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define KCORO_WQ_PERCPU WQ_PERCPU
#define kcoro_unbound_wq system_dfl_wq
#define kcoro_percpu_wq system_percpu_wq
#else
#define KCORO_WQ_PERCPU 0
#define kcoro_unbound_wq system_unbound_wq
#define kcoro_percpu_wq system_wq
#endif

/* hrtimer_setup() came with 6.13, and hrtimer_init() went later. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define kcoro_hrtimer_setup(timer, function, mode) \
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, mode)
#else
#define kcoro_hrtimer_setup(timer, callback, mode) \
	do { \
		hrtimer_init(timer, CLOCK_MONOTONIC, mode); \
		(timer)->function = callback; \
	} while (0)
#endif

#endif /* KCORO_COMPAT_H */
