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
#include <kcoro/coro.h>

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
#define kcoro_show_executor(executor) \
	__print_symbolic(executor, { KCORO_EXECUTOR_SOFTIRQ, "softirq" }, \
			 { KCORO_EXECUTOR_WORKER, "worker" })
#define kcoro_show_wait(kind) \
	__print_symbolic(kind, { KCORO_WAIT_NOTHING, "nothing" }, { KCORO_WAIT_EVENT, "event" }, \
			 { KCORO_WAIT_TIMER, "timer" }, { KCORO_WAIT_SEND, "send" }, \
			 { KCORO_WAIT_RECEIVE, "receive" }, { KCORO_WAIT_JOIN, "join" }, \
			 { KCORO_WAIT_GROUP, "group" }, { KCORO_WAIT_QUEUE, "queue" }, \
			 { KCORO_WAIT_CALL, "call" }, { KCORO_WAIT_KEY, "key" })
#define kcoro_show_status(status) \
	__print_symbolic(status, { KCORO_STATUS_DONE, "done" }, \
			 { KCORO_STATUS_CANCELLED, "cancelled" }, \
			 { KCORO_STATUS_KILLED, "killed" }, \
			 { KCORO_STATUS_TIMED_OUT, "timed out" })
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

/*
 * What happens to coroutines. Tracing programs get the object (BTF: struct kcoro_coro),
 * others its id and the name of its description. A run
 * begins with resume and ends with await or done; from wake to resume it was in a queue.
 */
TRACE_EVENT(kcoro_coro_spawn,
	TP_PROTO(const struct kcoro_coro *co, size_t frame_size),
	TP_ARGS(co, frame_size),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(unsigned int, executor)
		__field(size_t, frame_size)
		__string(name, co->desc->name)
	),
	TP_fast_assign(
		__entry->id = co->id;
		__entry->executor = co->executor;
		__entry->frame_size = frame_size;
		__assign_str(name);
	),
	TP_printk("id=%u name=%s executor=%s frame_size=%zu", __entry->id, __get_str(name),
		  kcoro_show_executor(__entry->executor), __entry->frame_size)
);

DECLARE_EVENT_CLASS(kcoro_coro,
	TP_PROTO(const struct kcoro_coro *co),
	TP_ARGS(co),
	TP_STRUCT__entry(
		__field(u32, id)
		__string(name, co->desc->name)
	),
	TP_fast_assign(
		__entry->id = co->id;
		__assign_str(name);
	),
	TP_printk("id=%u name=%s", __entry->id, __get_str(name))
);

/* Its body is called. */
DEFINE_EVENT(kcoro_coro, kcoro_coro_resume,
	TP_PROTO(const struct kcoro_coro *co),
	TP_ARGS(co)
);

/* It was started, or what it awaits is there, or it is to look whether it is. */
DEFINE_EVENT(kcoro_coro, kcoro_coro_wake,
	TP_PROTO(const struct kcoro_coro *co),
	TP_ARGS(co)
);

/*
 * Its body returned, and will go on; kind: enum kcoro_wait_kind, 0 for an own await and for
 * a yield; again: it is in the queue already, because it yielded.
 */
TRACE_EVENT(kcoro_coro_await,
	TP_PROTO(const struct kcoro_coro *co, bool again),
	TP_ARGS(co, again),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(unsigned int, kind)
		__field(bool, again)
		__string(name, co->desc->name)
	),
	TP_fast_assign(
		__entry->id = co->id;
		__entry->kind = co->wait.kind;
		__entry->again = again;
		__assign_str(name);
	),
	TP_printk("id=%u name=%s for=%s again=%d", __entry->id, __get_str(name),
		  kcoro_show_wait(__entry->kind), __entry->again)
);

/* It was asked to end, or is being killed. */
TRACE_EVENT(kcoro_coro_cancel,
	TP_PROTO(const struct kcoro_coro *co, bool kill),
	TP_ARGS(co, kill),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(bool, kill)
		__string(name, co->desc->name)
	),
	TP_fast_assign(
		__entry->id = co->id;
		__entry->kill = kill;
		__assign_str(name);
	),
	TP_printk("id=%u name=%s kill=%d", __entry->id, __get_str(name), __entry->kill)
);

/* It has finished. */
TRACE_EVENT(kcoro_coro_done,
	TP_PROTO(const struct kcoro_coro *co, unsigned int status),
	TP_ARGS(co, status),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(unsigned int, status)
		__field(s64, result)
		__string(name, co->desc->name)
	),
	TP_fast_assign(
		__entry->id = co->id;
		__entry->status = status;
		__entry->result = co->result;
		__assign_str(name);
	),
	TP_printk("id=%u name=%s status=%s result=%lld", __entry->id, __get_str(name),
		  kcoro_show_status(__entry->status), __entry->result)
);

#endif /* KCORO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
