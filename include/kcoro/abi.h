/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h - types that cross a border: kernel | BPF | user space.
 *
 * Includes nothing. Whoever includes it brings __u8 .. __u64 and __s32 along
 * (linux/types.h in the kernel and in user space, vmlinux.h in BPF).
 *
 * Rules: structures only grow at the end, into reserved bytes; a caller passes
 * the size of the structure it knows, and reserved bytes must be zero.
 */
#ifndef KCORO_ABI_H
#define KCORO_ABI_H

/* Raised when a kfunc or a structure below changes in a way old users notice. */
#define KCORO_ABI_VERSION 1

/* Execution context, in the order in which one can interrupt the other. */
enum kcoro_level {
	KCORO_LEVEL_TASK,
	KCORO_LEVEL_SOFTIRQ,
	KCORO_LEVEL_HARDIRQ,
	KCORO_LEVEL_NMI,
	KCORO_LEVELS,
};

/* Size classes of frames; the name is the size of a frame in bytes. */
enum kcoro_class {
	KCORO_CLASS_64B,
	KCORO_CLASS_128B,
	KCORO_CLASS_192B,
	KCORO_CLASS_256B,
	KCORO_CLASS_512B,
	KCORO_CLASS_1024B,
	KCORO_CLASS_2048B,
	KCORO_CLASS_4096B,
	KCORO_CLASS_8192B,
	KCORO_CLASSES,
};

/* Bytes of a name, NUL included. */
#define KCORO_NAME_LEN 16

/*
 * Bytes of a frame of a class: powers of two, and between them 192, for a coroutine with
 * 64 bytes of state.
 */
#define KCORO_CLASS_SIZE(cls) \
	((cls) == KCORO_CLASS_192B ? 192U : 64U << ((cls) - ((cls) > KCORO_CLASS_192B)))

#define KCORO_FRAME_SIZE_MAX 8192	/* bytes of the largest class */
#define KCORO_FRAME_LARGE_MAX 65536	/* above it, and up to here: whole pages */

/* What a latency histogram measures. */
enum kcoro_operation {
	KCORO_OP_ALLOC,
	KCORO_OP_FREE,
	KCORO_OPS,
};

/* Where an allocation came from, or where a free went to. */
enum kcoro_place {
	KCORO_PLACE_MAGAZINE,	/* a magazine: this CPU's, or out of the depot */
	KCORO_PLACE_SLAB,	/* the slab allocator */
	KCORO_PLACE_DEFERRED,	/* free only: a list that a worker hands to the slab */
	KCORO_PLACE_NONE,	/* alloc only: it failed */
	KCORO_PLACE_RESERVE,	/* alloc only: the pool's reserve */
	KCORO_PLACE_PAGES,	/* the page allocator: a large frame */
};

/* What a pool is like. */
enum kcoro_pool_flags {
	KCORO_POOL_ZERO = 1U << 0,	/* the bytes asked for are zeroed at each allocation */
	KCORO_POOL_ACCOUNT = 1U << 1,	/* charged to the memory cgroup of its creator */
};

/* The flags for the slab that an allocation came to, when it came to the slab. */
enum kcoro_gfp_choice {
	KCORO_GFP_CHOICE_KERNEL,	/* GFP_KERNEL, by the context */
	KCORO_GFP_CHOICE_ATOMIC,	/* GFP_ATOMIC, by the context */
	KCORO_GFP_CHOICE_CALLER,	/* named by the caller */
	KCORO_GFP_CHOICES,
};

/*
 * Counters of one level and one class, summed over all CPUs. They only grow.
 *
 * The sum of allocs over all levels minus the sum of frees over all levels is
 * the number of live frames of a class; by level the two differ, because a
 * frame may be freed at another level than it was allocated at.
 */
struct kcoro_frame_counters {
	__u64 allocs;		/* successful allocations */
	__u64 frees;		/* frees */
	__u64 alloc_misses;	/* allocations that found both magazines empty */
	__u64 free_misses;	/* frees that found both magazines full */
	__u64 failures;		/* allocations that returned NULL */
	__u64 refills;		/* batches taken from the slab */
	__u64 drains;		/* batches given back to the slab */
	__u64 deferred;		/* frees that had to wait for a worker */
	__u64 exchanges;	/* magazines exchanged with the depot */
	__u64 reserve;		/* allocations that the reserve served */
	/* failures = the four below */
	__u64 failed_quota;	/* the pool's quota, or its memory cgroup's limit with it */
	__u64 failed_slab;	/* the slab had no memory */
	__u64 failed_context;	/* nothing was cached, and the slab was out of bounds there */
	__u64 failed_injected;	/* by the fault point */
};

/* Eighths of a class: where in it the requested sizes lie. */
#define KCORO_SIZE_BUCKETS 8

/*
 * One pool. Bytes count whole frames, of all classes and large ones:
 *
 *	held = live + cached + reserved
 *
 * once what is under way on other CPUs has settled. Frames that wait for a worker to
 * hand them to the slab count as cached.
 */
struct kcoro_pool_info {
	__u64 id;		/* never used twice; the default pool is the first */
	char name[KCORO_NAME_LEN];
	__u32 flags;		/* enum kcoro_pool_flags */
	__u32 reserved0;	/* 0 */
	__u64 quota;		/* bytes it may hold; 0: no limit */
	__u64 held;		/* bytes taken from the slab and the page allocator */
	__u64 held_most;	/* the most so far */
	__u64 live;		/* bytes that callers have */
	__u64 cached;		/* bytes in magazines and depots */
	__u64 reserved;		/* bytes in the reserve */
	__u64 large_allocs;	/* frames over KCORO_FRAME_SIZE_MAX, apart from the classes */
	__u64 large_frees;
	__u64 large_failures;
	/* Allocations that came to the slab, by level and by whose flags; CPUs summed. */
	__u64 gfp[KCORO_LEVELS][KCORO_GFP_CHOICES];
	/* The reserve by class: frames there, and frames wanted. */
	__u32 reserve_there[KCORO_CLASSES];
	__u32 reserve_wanted[KCORO_CLASSES];
	/*
	 * Requested sizes, sampled where an allocation finds the loaded magazine empty:
	 * bucket b of a class counts sizes in the b-th eighth of what the class adds to the
	 * one below it. Much in low buckets: the frames are half empty.
	 */
	__u64 sizes[KCORO_CLASSES][KCORO_SIZE_BUCKETS];
};

/* Where a coroutine is resumed. */
enum kcoro_executor {
	KCORO_EXECUTOR_SOFTIRQ,	/* with bottom halves off; must not sleep */
	KCORO_EXECUTOR_WORKER,	/* in a kernel thread */
	KCORO_EXECUTORS,
};

/* What has become of a coroutine. */
enum kcoro_status {
	KCORO_STATUS_CREATED,	/* not started yet */
	KCORO_STATUS_READY,	/* waits for its executor */
	KCORO_STATUS_RUNNING,
	KCORO_STATUS_SUSPENDED,	/* awaits something */
	KCORO_STATUS_DONE,	/* these four are final */
	KCORO_STATUS_CANCELLED,
	KCORO_STATUS_KILLED,
	KCORO_STATUS_TIMED_OUT,
	KCORO_STATUSES,
};

/* What a coroutine awaits. */
enum kcoro_wait_kind {
	KCORO_WAIT_NOTHING,
	KCORO_WAIT_EVENT,
	KCORO_WAIT_TIMER,
	KCORO_WAIT_SEND,	/* room in a channel */
	KCORO_WAIT_RECEIVE,	/* a value from a channel */
	KCORO_WAIT_JOIN,	/* the end of another coroutine */
	KCORO_WAIT_GROUP,	/* some, any or all of several */
	KCORO_WAIT_QUEUE,	/* a wait queue of the kernel */
	KCORO_WAIT_CALL,	/* a function that a worker runs */
	KCORO_WAIT_KEY,		/* a key of a keyed table */
	KCORO_WAIT_KINDS,
};

/* Bytes of a coroutine's name as far as it is told here, NUL included. */
#define KCORO_CORO_NAME_LEN 32
#define KCORO_CORO_FUNCTIONS_LEN 192

/* What else there is to say of a live coroutine. */
enum kcoro_coro_info_flags {
	KCORO_CORO_INFO_CANCEL = 1U << 0,	/* asked to end */
	KCORO_CORO_INFO_TIMEOUT = 1U << 1,	/* its scope's deadline has passed */
	KCORO_CORO_INFO_KILL = 1U << 2,		/* being killed */
	KCORO_CORO_INFO_PINNED = 1U << 3,	/* its CPU was chosen */
	KCORO_CORO_INFO_SLEEPS = 1U << 4,	/* its body may sleep */
};

/* One live coroutine that was suspended at least once, or may sleep. */
struct kcoro_coro_info {
	__u64 scope_id;
	__u64 wait_ms;			/* since it began to wait; 0 when it does not */
	__u32 id;
	__u32 parent;			/* who awaits it; the last one that began to; 0: nobody */
	enum kcoro_status status;
	enum kcoro_wait_kind wait;	/* suspended with KCORO_WAIT_NOTHING: an own await */
	enum kcoro_executor executor;
	__u32 flags;			/* enum kcoro_coro_info_flags */
	__u32 cpu;			/* where it is queued when it is woken */
	__u32 frame_bytes;
	char name[KCORO_CORO_NAME_LEN];	/* of its kind; cut when it is longer */
	char scope[KCORO_NAME_LEN];
	/*
	 * A suspended one in C++: mangled names of the functions that await each other, the
	 * innermost first, with a space between; "..." stands for those that found no room.
	 */
	char functions[KCORO_CORO_FUNCTIONS_LEN];
};

/* For bpf_kcoro_coro_list(). */
struct kcoro_coro_query {
	__u32 row_size;			/* in: bytes from one row to the next */
	__u32 filled;			/* out: rows that were filled */
	__u64 matched;			/* out: those that match, with those that found no room */
	char name[KCORO_CORO_NAME_LEN];	/* in: only these; empty: all */
	char scope[KCORO_NAME_LEN];	/* in: only those in scopes of this name; empty: all */
};

/* One scope. */
struct kcoro_scope_info {
	__u64 id;			/* never used twice; the root scope is the first */
	__u64 parent;			/* the scope that it is in; 0: none */
	__u64 live;			/* coroutines in it, nested scopes not counted */
	__u64 listed;			/* of these: suspended at least once, or sleeping ones */
	__u32 limit;			/* most that live at a time; 0: no limit */
	__s32 closed;			/* 0, or why nothing is spawned into it any more */
	char name[KCORO_NAME_LEN];
};

/* A frame's state as BPF sees it is at most this long (bytes). */
#define KCORO_FRAME_DATA_MAX 4096
#define KCORO_KEY_SIZE_MAX 64

/* Bytes of pool memory in front of a frame's state; a table's entry has its key there, too. */
#define KCORO_FRAME_HEADER 16

/* For bpf_kcoro_pool_create(). */
struct kcoro_bpf_pool_attr {
	__u64 quota;		/* bytes it may hold, cached and reserved ones too; not 0 */
	__u32 flags;		/* none defined yet: 0 */
	__s32 error;		/* out: 0 or why NULL came back: -EINVAL, -ENOMEM */
	char name[KCORO_NAME_LEN]; /* for people; NUL terminated, not empty */
	__u8 reserved[32];	/* 0 */
};

/* For bpf_kcoro_table_create(). */
struct kcoro_table_attr {
	__u32 key_size;		/* bytes, 1 .. KCORO_KEY_SIZE_MAX */
	__u32 frame_size;	/* bytes of state, 1 .. KCORO_FRAME_DATA_MAX */
	__u32 max_entries;	/* live entries, 1 .. 1 << 24 */
	__u32 flags;		/* none defined yet: 0 */
	char name[KCORO_NAME_LEN]; /* for people; NUL terminated */
	__u64 pool_id;		/* where frames come from; 0: the default pool of BPF programs */
	__u8 reserved[24];	/* 0 */
};

/* For bpf_kcoro_table_enter(), flags. */
enum kcoro_enter_flags {
	KCORO_ENTER_CREATE = 1U << 0,	/* make the entry when there is none */
};

/* For bpf_kcoro_table_leave(): the deadline stays what the last leave made it. */
#define KCORO_TIMEOUT_KEEP (~0ULL)

/* For bpf_kcoro_table_enter(). */
struct kcoro_enter_opts {
	__u32 flags;		/* in: enum kcoro_enter_flags */
	__s32 error;		/* out: 0 or why NULL came back, a negative errno:
				 *  -ENOENT   no such key, and creating was not asked for
				 *  -EBUSY    another CPU is in this entry now
				 *  -ENOSPC   the table holds max_entries
				 *  -ENOMEM   no frame to be had
				 *  -ESTALE   no table of that id (any more)
				 *  -EINVAL   a size or flag is wrong
				 */
	__u32 created;		/* out: 1 when this call made the entry; its state is zero */
	__u32 reserved;		/* 0 */
};

/*
 * Counters of one keyed table. They only grow; live = created - ended - expired.
 */
struct kcoro_table_counters {
	__u64 created;		/* entries made */
	__u64 ended;		/* entries ended by the program, or with the table */
	__u64 expired;		/* entries ended by their deadline */
	__u64 entered;		/* successful enters, creating ones included */
	__u64 busy;		/* -EBUSY */
	__u64 full;		/* -ENOSPC */
	__u64 nomem;		/* -ENOMEM */
	__u64 awaited;		/* coroutines that began to await a key, or to hold one */
	__u64 woken;		/* values that such a coroutine was given, or has to take */
	__u64 unclaimed;	/* -ENOENT: wakes of a key that nobody awaited */
	__u64 overrun;		/* -ENOSPC: its holder had not taken KCORO_KEY_VALUES others */
};

/* Values that are kept for who holds a key and does not wait at the moment. */
#define KCORO_KEY_VALUES 4

/* How a coroutine stands to its key. */
enum kcoro_key_flags {
	KCORO_KEY_ONLY = 1U << 0,	/* -EEXIST when somebody awaits or holds it already */
	KCORO_KEY_HOLD = 1U << 1,	/* it holds the key until it ends */
};

/* Bodies in BPF: most coroutines of one struct kcoro_ops that live at a time. */
#define KCORO_OPS_LIMIT_MAX (1U << 20)

/* For bpf_kcoro_spawn_await_key(). */
struct kcoro_spawn_key {
	__u64 ops_id;		/* from bpf_kcoro_ops_id() */
	__u64 table_id;		/* whose key it awaits first */
	__u64 timeout_ns;	/* 0: none */
	__u32 flags;		/* enum kcoro_key_flags */
	__u32 reserved;		/* 0 */
};

/* What a body in BPF says when it returns; a negative errno: it has ended with that. */
enum kcoro_next {
	KCORO_NEXT_DONE = 0,	/* it has ended */
	KCORO_NEXT_WAIT = 1,	/* call it again when what it asked for has come */
	KCORO_NEXT_YIELD = 2,	/* call it again, after others */
};

#endif /* KCORO_ABI_H */
