// SPDX-License-Identifier: GPL-2.0-only
/*
 * knock - a TCP port that is open only for who has knocked at other ports before, in the
 * right order and in time. docs/filters/knock.md explains it line by line; knock.h is the
 * contract with the command that attaches it.
 */
#define config config_of_the_kernel /* vmlinux.h has a type of that name */
#include <vmlinux.h>
#undef config
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <filters/pool/filter_pool.h>
#include <kcoro.bpf.h>
#include <kcoro_coro.h>
#include <kcoro_keep.bpf.h>
#include <kcoro_packet.bpf.h>

#include "knock.h"

#define ENOENT	2
#define ENOMEM	12
#define EINVAL	22

/* What the command sets before the load. */
const volatile struct knock_config config = {
	.within_ns = 10000000000ULL,
	.open_ns = 30000000000ULL,
	.knocks = 3,
	.ports = { 1111, 2222, 3333 },
	.port = 22,
};

const volatile char ops_name[KCORO_NAME_LEN] = "knock";

/* Set by knock_setup; 0 names nothing. */
__u64 table_id;
__u64 ops_id;

/* For whom the port is open. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct knock_source);
	__type(value, __u64);	/* since when, CLOCK_MONOTONIC */
} guests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct knock_counters);
} counters SEC(".maps");

/* Programs of tasks count, too (the ops' cancel): hence atomically, though it is per CPU. */
#define COUNT(counter)								\
	do {									\
		__u32 zero_ = 0;						\
		struct knock_counters *count_ = bpf_map_lookup_elem(&counters, &zero_); \
										\
		if (count_)							\
			__sync_fetch_and_add(&count_->counter, 1);		\
	} while (0)

/* The state of a coroutine; source and time are given at the spawn. */
struct visitor {
	struct knock_source source;
	__u64 first_ns;		/* when it knocked first */
	__u32 knock;		/* which one is awaited */
	__u32 line;
};
_Static_assert(sizeof(struct visitor) <= FILTER_STATE_BYTES, "the pool's quota is reckoned with less");

/* What of the time is left since the first knock. */
static __always_inline __u64 left(const struct visitor *v)
{
	__u64 gone = bpf_ktime_get_ns() - v->first_ns;

	return gone < config.within_ns ? config.within_ns - gone : 1;
}

static __always_inline __u16 port_of(__u32 knock)
{
	return config.ports[knock % KNOCK_PORTS_MAX];
}

/* A visitor, from the first knock to the end of the visit. */
SEC("struct_ops/resume")
int BPF_PROG(knock_resume, struct kcoro_bpf_coro *co, __s64 port, __s32 error)
{
	struct visitor *v = (struct visitor *)bpf_kcoro_coro_data(co, sizeof(*v));
	__u64 now = bpf_ktime_get_ns();

	if (!v)
		return -EINVAL;
	KCORO_CORO_BEGIN(v->line);

	/* Spawned at the first knock, it awaits the second. */
	for (v->knock = 1; v->knock < config.knocks;) {
		if (error) {
			COUNT(late);
			return KCORO_NEXT_DONE;
		}
		if (port == port_of(v->knock)) {
			v->knock++;
		} else if (port != port_of(v->knock - 1)) { /* sent again it says nothing */
			COUNT(wrong);
			return KCORO_NEXT_DONE;
		}
		if (v->knock < config.knocks)
			KCORO_CORO_AWAIT(v->line, bpf_kcoro_await_next(co, left(v)));
	}

	/* The port is open, for a time. */
	if (bpf_map_update_elem(&guests, &v->source, &now, BPF_ANY))
		return -ENOMEM;
	COUNT(opened);
	KCORO_CORO_AWAIT(v->line, bpf_kcoro_await_timer(co, config.open_ns));
	bpf_map_delete_elem(&guests, &v->source);
	COUNT(closed);

	KCORO_CORO_END();
}

/* The filter is detached, in whatever order: no guest stays without who closes behind it. */
SEC("struct_ops/cancel")
void BPF_PROG(knock_cancel, struct kcoro_bpf_coro *co)
{
	struct visitor *v = (struct visitor *)bpf_kcoro_coro_data(co, sizeof(*v));

	COUNT(killed);
	if (v)
		bpf_map_delete_elem(&guests, &v->source);
}

SEC(".struct_ops.link")
struct kcoro_ops knock = {
	.resume = (void *)knock_resume,
	.cancel = (void *)knock_cancel,
	.name = "knock",
	.frame_size = sizeof(struct visitor),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
};

/* A SYN to a port at which one knocks: the first spawns, all others tell who is there. */
static __always_inline void knocked(const struct knock_source *source, __u16 port)
{
	struct kcoro_spawn_key what = {
		.ops_id = ops_id,
		.table_id = table_id,
		.timeout_ns = config.within_ns,
		.flags = KCORO_KEY_ONLY | KCORO_KEY_HOLD,
	};
	struct visitor visitor = { .source = *source, .first_ns = bpf_ktime_get_ns() };

	if (bpf_kcoro_key_wake(table_id, source, sizeof(*source), port) != -ENOENT ||
	    port != port_of(0))
		return;
	if (bpf_kcoro_spawn_await_key(&what, &visitor, sizeof(visitor), source, sizeof(*source)))
		COUNT(refused);
	else
		COUNT(begun);
}

static __always_inline bool is_knock(__u16 port)
{
	for (__u32 i = 0; i < KNOCK_PORTS_MAX; i++)
		if (i < config.knocks && port == config.ports[i])
			return true;
	return false;
}

SEC("tcx/ingress")
int knock_tc(struct __sk_buff *skb)
{
	const struct kcoro_packet_source from = { .ctx = skb, .xdp = false };
	struct knock_source source;
	struct kcoro_packet p = {};
	enum kcoro_packet_kind kind;
	__u16 port;

	kind = kcoro_packet_read(&from, config.raw_ip, KCORO_PACKET_TCP, &p);
	if (kind == KCORO_PACKET_FRAGMENT) {
		COUNT(fragments);
		return TCX_DROP;
	}
	if (kind != KCORO_PACKET_TCP ||
	    (p.flags & (KCORO_TCP_SYN | KCORO_TCP_ACK)) != KCORO_TCP_SYN)
		return TCX_NEXT;

	__builtin_memcpy(source.address, p.key.source, sizeof(source.address));
	port = bpf_ntohs(p.key.dest_port);
	if (is_knock(port))
		knocked(&source, port);
	if (port != config.port)
		return TCX_NEXT;
	if (!bpf_map_lookup_elem(&guests, &source)) {
		COUNT(dropped);
		return TCX_DROP;
	}
	COUNT(passed);
	return TCX_NEXT;
}

/* The table whose keys are awaited lives as long as this map, that is as the programs do. */
struct knock_owner {
	struct kcoro_table __kptr *table;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct knock_owner);
} owner SEC(".maps");

/* Run once, between the attach of the ops and that of the packet program. */
SEC("syscall")
int knock_setup(struct knock_setup_args *args)
{
	struct kcoro_table_attr attr = {
		.key_size = sizeof(struct knock_source),
		.frame_size = 1, /* keys are awaited; nobody enters one */
		.max_entries = args->max_sources,
		.name = "knock",
	};
	struct knock_owner *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&owner, &zero);
	if (!slot)
		return -ENOENT;
	ops_id = bpf_kcoro_ops_id((const char *)ops_name);
	if (!ops_id)
		return -ENOENT;
	table_id = kcoro_table_keep(&slot->table, &attr);
	return table_id ? 0 : -ENOMEM;
}

char _license[] SEC("license") = "GPL";
