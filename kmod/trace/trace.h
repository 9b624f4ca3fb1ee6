/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - kcoro's tracepoints. A leaf: every kernel layer may use it.
 *
 * No kernel address is ever an argument. Latencies are measured only while
 * somebody listens.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kcoro

#if !defined(KCORO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KCORO_TRACE_H

#include <linux/jump_label.h>
#include <linux/tracepoint.h>
#include <trace/events/mmflags.h>

#include <kcoro/abi.h>

#ifndef KCORO_TRACE_NAMES
#define KCORO_TRACE_NAMES
/*
 * On while a tracepoint below has a listener, the fault point is set, or the debug
 * mode is on: the hot path has one branch for all of them.
 */
DECLARE_STATIC_KEY_FALSE(kcoro_pool_watched);
int kcoro_trace_listen(void);
void kcoro_trace_unlisten(void);

#define kcoro_show_level(level) \
	__print_symbolic(level, { KCORO_LEVEL_TASK, "task" }, { KCORO_LEVEL_SOFTIRQ, "softirq" }, \
			 { KCORO_LEVEL_HARDIRQ, "hardirq" }, { KCORO_LEVEL_NMI, "nmi" })
#define kcoro_show_place(place) \
	__print_symbolic(place, { KCORO_PLACE_MAGAZINE, "magazine" }, \
			 { KCORO_PLACE_SLAB, "slab" }, { KCORO_PLACE_DEFERRED, "deferred" }, \
			 { KCORO_PLACE_NONE, "none" }, { KCORO_PLACE_RESERVE, "reserve" }, \
			 { KCORO_PLACE_PAGES, "pages" })
#endif

/*
 * A frame was allocated, or could not be (place is "none").
 * size: of the frame, bytes; gfp: flags for the slab, the caller's or those that the
 * context gave; place: enum kcoro_place; latency_ns: time spent in the allocation.
 */
TRACE_EVENT_FN(kcoro_frame_alloc,
	TP_PROTO(size_t size, unsigned int size_class, unsigned int level, gfp_t gfp,
		 unsigned int place, u64 latency_ns),
	TP_ARGS(size, size_class, level, gfp, place, latency_ns),
	TP_STRUCT__entry(
		__field(size_t, size)
		__field(u64, latency_ns)
		__field(unsigned long, gfp)
		__field(unsigned int, size_class)
		__field(unsigned int, level)
		__field(unsigned int, place)
	),
	TP_fast_assign(
		__entry->size = size;
		__entry->latency_ns = latency_ns;
		__entry->gfp = (__force unsigned long)gfp;
		__entry->size_class = size_class;
		__entry->level = level;
		__entry->place = place;
	),
	TP_printk("size=%zu class=%u level=%s gfp=%s from=%s latency_ns=%llu",
		  __entry->size, __entry->size_class, kcoro_show_level(__entry->level),
		  show_gfp_flags(__entry->gfp), kcoro_show_place(__entry->place),
		  __entry->latency_ns),
	kcoro_trace_listen, kcoro_trace_unlisten
);

/* A frame was freed; place tells where it went. */
TRACE_EVENT_FN(kcoro_frame_free,
	TP_PROTO(size_t size, unsigned int size_class, unsigned int level, unsigned int place,
		 u64 latency_ns),
	TP_ARGS(size, size_class, level, place, latency_ns),
	TP_STRUCT__entry(
		__field(size_t, size)
		__field(u64, latency_ns)
		__field(unsigned int, size_class)
		__field(unsigned int, level)
		__field(unsigned int, place)
	),
	TP_fast_assign(
		__entry->size = size;
		__entry->latency_ns = latency_ns;
		__entry->size_class = size_class;
		__entry->level = level;
		__entry->place = place;
	),
	TP_printk("size=%zu class=%u level=%s to=%s latency_ns=%llu",
		  __entry->size, __entry->size_class, kcoro_show_level(__entry->level),
		  kcoro_show_place(__entry->place), __entry->latency_ns),
	kcoro_trace_listen, kcoro_trace_unlisten
);

#endif /* KCORO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
