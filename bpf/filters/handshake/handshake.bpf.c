// SPDX-License-Identifier: GPL-2.0-only
/*
 * handshake - follows TCP handshakes: how long they take, whose never finish, and how many
 * of a source are half open. docs/filters/handshake.md tells what it does; handshake.h is
 * the contract with the command that attaches it.
 *
 * The packet program spawns a coroutine at a client's SYN and tells it what comes of its
 * flow afterwards. All the rest is the coroutine's body, handshake_resume.
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
#include <latency/log2_bucket.h>

#include "handshake.h"

#define ENOENT	2
#define EAGAIN	11
#define ENOMEM	12
#define EEXIST	17
#define EINVAL	22

/* What the command sets before the load. */
const volatile struct handshake_config config = {
	.timeout_ns = 5000000000ULL,
};

const volatile char ops_name[KCORO_NAME_LEN] = "handshake";

/* Set by handshake_setup; 0 names nothing. */
__u64 table_id;
__u64 ops_id;

/*
 * Set when the filter is whole. It has two links, one after the other, and an attach that is
 * killed between them must leave nothing that drops packets.
 */
bool active;

/* Half-open handshakes now. While there are none, segments that belong to none ask nobody. */
__s64 half_open;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handshake_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HANDSHAKE_SPANS);
	__type(key, struct handshake_latency_key);
	__type(value, struct handshake_latency);
} handshake_latency_ns SEC(".maps");

/* Forged sources come without end: the one that has been silent longest makes room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HANDSHAKE_SOURCES);
	__type(key, struct handshake_source_key);
	__type(value, struct handshake_source);
} handshake_sources SEC(".maps");

/* The table whose keys are awaited lives as long as this map, that is as the programs do. */
struct handshake_owner {
	struct kcoro_table __kptr *table;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handshake_owner);
} owner SEC(".maps");

/* What new entries begin with. */
static const struct handshake_latency no_latency;

/* What a coroutine is told: when it came, and in the two low bits what. */
enum handshake_what {
	WHAT_SYN,	/* once more */
	WHAT_SYN_ACK,
	WHAT_ACK,
	WHAT_RST,
};

#define VALUE(ns, what) ((__s64)((ns) << 2 | (what)))
#define VALUE_WHAT(value) ((enum handshake_what)((value) & 3))
#define VALUE_NS(value) ((__u64)(value) >> 2)

/* The state of a coroutine; given at the spawn but for `line`. */
struct handshake {
	__u64 syn_ns;		/* when the SYN came */
	__u64 answer_ns;	/* when the SYN-ACK came; 0 before */
	__u64 born_ns;		/* of its source's counters */
	struct handshake_source_key source;
	__u32 line;
	__u32 zero;
};
_Static_assert(sizeof(struct handshake) <= FILTER_STATE_BYTES, "the pool's quota is reckoned with less");

/* Programs of tasks count, too (the ops' cancel): hence atomically, though it is per CPU. */
#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline struct handshake_counters *my_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void record(enum handshake_span span, __u64 from_ns, __u64 to_ns)
{
	struct handshake_latency_key key = { .span = span };
	__u64 ns = to_ns > from_ns ? to_ns - from_ns : 0;
	struct handshake_latency *one;

	one = bpf_map_lookup_elem(&handshake_latency_ns, &key);
	if (!one) {
		bpf_map_update_elem(&handshake_latency_ns, &key, &no_latency, BPF_NOEXIST);
		one = bpf_map_lookup_elem(&handshake_latency_ns, &key);
	}
	if (!one)
		return;
	COUNT(one->count);
	__sync_fetch_and_add(&one->sum_ns, ns);
	COUNT(one->bucket_log2_ns[log2_bucket(ns, HANDSHAKE_BUCKETS)]);
}

/* It is over: what became of it is counted, and it is half open no more. */
static __always_inline int over(const struct handshake *h, enum handshake_end end)
{
	struct handshake_counters *count = my_counters();
	struct handshake_source *source;

	__sync_fetch_and_sub(&half_open, 1);
	if (count)
		COUNT(count->ended[end]);
	source = bpf_map_lookup_elem(&handshake_sources, &h->source);
	/* Not where its counters made room and were begun anew. */
	if (source && source->born_ns == h->born_ns) {
		COUNT(source->ended[end]);
		__sync_fetch_and_sub(&source->half_open, 1);
	}
	return KCORO_NEXT_DONE;
}

/* How long the SYN-ACK, and after it the ACK, may still be awaited. */
static __always_inline __u64 left(const struct handshake *h)
{
	__u64 deadline = (h->answer_ns ? h->answer_ns : h->syn_ns) + config.timeout_ns;
	__u64 now = bpf_ktime_get_ns();

	return deadline > now ? deadline - now : 1;
}

/*
 * A handshake, from the SYN to its end. It was spawned holding the key of its flow, so no
 * packet between two awaits is lost, and its first value is the first packet after the SYN.
 */
SEC("struct_ops/resume")
int BPF_PROG(handshake_resume, struct kcoro_bpf_coro *co, __s64 value, __s32 error)
{
	struct handshake *h = (struct handshake *)bpf_kcoro_coro_data(co, sizeof(*h));

	if (!h)
		return -EINVAL;
	KCORO_CORO_BEGIN(h->line);

	/* The server's answer. The SYN once more, or an ACK of nothing, is none. */
	while (!error && (VALUE_WHAT(value) == WHAT_SYN || VALUE_WHAT(value) == WHAT_ACK))
		KCORO_CORO_AWAIT(h->line, bpf_kcoro_await_next(co, left(h)));
	if (error)
		return over(h, HANDSHAKE_UNANSWERED);
	if (VALUE_WHAT(value) == WHAT_RST)
		return over(h, HANDSHAKE_REFUSED);
	h->answer_ns = VALUE_NS(value);
	record(HANDSHAKE_SPAN_SERVER, h->syn_ns, h->answer_ns);

	/* The client's ACK. Both may be sent again before it. */
	do {
		KCORO_CORO_AWAIT(h->line, bpf_kcoro_await_next(co, left(h)));
	} while (!error && (VALUE_WHAT(value) == WHAT_SYN || VALUE_WHAT(value) == WHAT_SYN_ACK));
	if (error)
		return over(h, HANDSHAKE_ABANDONED);
	if (VALUE_WHAT(value) == WHAT_RST)
		return over(h, HANDSHAKE_RESET);
	record(HANDSHAKE_SPAN_CLIENT, h->answer_ns, VALUE_NS(value));
	record(HANDSHAKE_SPAN_WHOLE, h->syn_ns, VALUE_NS(value));
	return over(h, HANDSHAKE_FINISHED);

	KCORO_CORO_END();
}

/* The filter is detached: its maps may stay a little longer, and what they say must be right. */
SEC("struct_ops/cancel")
void BPF_PROG(handshake_cancel, struct kcoro_bpf_coro *co)
{
	struct handshake *h = (struct handshake *)bpf_kcoro_coro_data(co, sizeof(*h));

	if (h)
		over(h, HANDSHAKE_KILLED);
}

SEC(".struct_ops.link")
struct kcoro_ops handshake = {
	.resume = (void *)handshake_resume,
	.cancel = (void *)handshake_cancel,
	.name = "handshake",
	.frame_size = sizeof(struct handshake),
	.executor = KCORO_EXECUTOR_SOFTIRQ,
};

/* The counters of a source, made if it has none; NULL when that fails. */
static __always_inline struct handshake_source *source_of(const struct handshake_source_key *key,
							  __u64 now)
{
	struct handshake_source fresh = { .born_ns = now };
	struct handshake_source *source;

	source = bpf_map_lookup_elem(&handshake_sources, key);
	if (source)
		return source;
	bpf_map_update_elem(&handshake_sources, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&handshake_sources, key);
}

static __always_inline int tell(const struct kcoro_packet_key *key, enum handshake_what what)
{
	return bpf_kcoro_key_wake(table_id, key, sizeof(*key), VALUE(bpf_ktime_get_ns(), what));
}

/* Why a SYN is not followed. */
static __always_inline void count_refusal(struct handshake_counters *count, int error)
{
	if (error == -EEXIST)
		COUNT(count->repeated);
	else if (error == -EAGAIN)
		COUNT(count->full);
	else if (error == -ENOMEM)
		COUNT(count->nomem);
	else
		COUNT(count->detached);
}

/* A client's SYN. Counted as half open before it is, so that the limit holds on all CPUs. */
static __always_inline int syn(const struct kcoro_packet *p, struct handshake_counters *count)
{
	struct kcoro_spawn_key what = {
		.ops_id = ops_id,
		.table_id = table_id,
		.timeout_ns = config.timeout_ns,
		.flags = KCORO_KEY_ONLY | KCORO_KEY_HOLD,
	};
	struct handshake state = { .syn_ns = bpf_ktime_get_ns() };
	struct handshake_source *source;
	__s64 others = 0;
	int error;

	COUNT(count->syns);
	__builtin_memcpy(state.source.address, p->key.source, sizeof(state.source.address));
	source = source_of(&state.source, state.syn_ns);
	if (source) {
		state.born_ns = source->born_ns;
		others = __sync_fetch_and_add(&source->half_open, 1);
	}
	__sync_fetch_and_add(&half_open, 1);

	/* At the limit; one that is followed already may be sent again. */
	if (config.limit && others >= config.limit && tell(&p->key, WHAT_SYN) == -ENOENT) {
		__sync_fetch_and_sub(&half_open, 1);
		if (source) {
			__sync_fetch_and_sub(&source->half_open, 1);
			COUNT(source->dropped);
		}
		COUNT(count->dropped);
		return TCX_DROP;
	}

	error = bpf_kcoro_spawn_await_key(&what, &state, sizeof(state), &p->key, sizeof(p->key));
	if (error) {
		__sync_fetch_and_sub(&half_open, 1);
		if (source)
			__sync_fetch_and_sub(&source->half_open, 1);
		count_refusal(count, error);
		return TCX_NEXT;
	}
	COUNT(count->begun);
	if (source)
		COUNT(source->begun);
	return TCX_NEXT;
}

static __always_inline bool is_server(__be16 port)
{
	return !config.port || port == bpf_htons(config.port);
}

/* What is neither a SYN nor of a handshake says nothing. */
static __always_inline void other(const struct kcoro_packet *p)
{
	bool from_server = is_server(p->key.source_port), to_server = is_server(p->key.dest_port);
	struct kcoro_packet_key turned;

	if (!half_open)
		return;
	kcoro_packet_key_turn(&p->key, &turned);
	if (p->flags & KCORO_TCP_RST) {
		if ((!from_server || tell(&turned, WHAT_RST) == -ENOENT) && to_server)
			tell(&p->key, WHAT_RST);
	} else if (p->flags & KCORO_TCP_SYN) {
		if (from_server)
			tell(&turned, WHAT_SYN_ACK);
	} else if (p->flags & KCORO_TCP_ACK) {
		if (to_server)
			tell(&p->key, WHAT_ACK);
	}
}

/* Both directions: what a segment is its flags tell. */
SEC("tcx/ingress")
int handshake_tc(struct __sk_buff *skb)
{
	const struct kcoro_packet_source from = { .ctx = skb, .xdp = false };
	struct handshake_counters *count = my_counters();
	struct kcoro_packet p = {};
	enum kcoro_packet_kind kind;

	if (!count || !active)
		return TCX_NEXT;
	kind = kcoro_packet_read(&from, config.raw_ip, KCORO_PACKET_TCP, &p);
	if (kind == KCORO_PACKET_FRAGMENT)
		COUNT(count->fragments);
	if (kind != KCORO_PACKET_TCP)
		return TCX_NEXT;
	if ((p.flags & (KCORO_TCP_SYN | KCORO_TCP_ACK | KCORO_TCP_RST)) != KCORO_TCP_SYN) {
		other(&p);
		return TCX_NEXT;
	}
	return is_server(p.key.dest_port) ? syn(&p, count) : TCX_NEXT;
}

/* Run once, between the attach of the ops and that of the packet program. */
SEC("syscall")
int handshake_setup(struct handshake_setup_args *args)
{
	struct kcoro_table_attr attr = {
		.key_size = sizeof(struct kcoro_packet_key),
		.frame_size = 1, /* keys are awaited; nobody enters one */
		.max_entries = args->max_flows,
		.name = "handshake",
	};
	struct handshake_owner *slot;
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
