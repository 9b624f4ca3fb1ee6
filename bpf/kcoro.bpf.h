/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro.bpf.h - what an eBPF program includes to use kcoro.
 *
 * Include vmlinux.h and bpf/bpf_helpers.h first. Each kfunc tells which program
 * types may call it; "packet programs" are XDP and TC (tc and tcx).
 */
#ifndef KCORO_BPF_H
#define KCORO_BPF_H

#include <kcoro/abi.h>

/*
 * A frame: memory of one coroutine that lives across its suspensions. Opaque;
 * reach its bytes with bpf_kcoro_frame_data(). May be kept as __kptr in a map.
 */
struct kcoro_frame {
	__u32 data_size;
} __attribute__((preserve_access_index));

/*
 * An entry of a keyed table that this program run has entered. It can't be kept
 * in a map: the verifier demands a leave or an end on every path.
 */
struct kcoro_entry {
	struct kcoro_frame frame;
} __attribute__((preserve_access_index));

/*
 * A pool of a program's own: memory for its frames and tables, with a quota, which the
 * memory cgroup of its creator pays for. Keep it as __kptr in a map. When the map goes,
 * the pool goes too, as soon as its last frame and table are gone.
 */
struct kcoro_bpf_pool {
	__u64 id;
} __attribute__((preserve_access_index));

/* A keyed table. Keep it as __kptr in a map: the table lives as long as the map. */
struct kcoro_table {
	__u64 id;
} __attribute__((preserve_access_index));

/*
 * bpf_kcoro_frame_alloc - take a zeroed frame from the default pool of BPF programs
 * @data_size: bytes of state, 1 .. KCORO_FRAME_DATA_MAX
 *
 * Packet and syscall programs. Returns NULL when there is no memory or the size
 * is wrong. The caller owns the frame and frees it or moves it to a map.
 *
 * All programs share this pool, and its quota of 1/16 of the machine's memory.
 */
extern struct kcoro_frame *bpf_kcoro_frame_alloc(__u32 data_size) __ksym;

/*
 * bpf_kcoro_frame_alloc_from - the same from the program's own pool
 * @pool_id: from bpf_kcoro_pool_id(); 0: the default pool of BPF programs
 *
 * Packet and syscall programs. Returns NULL also at the pool's quota, and when there is
 * no such pool (any more).
 */
extern struct kcoro_frame *bpf_kcoro_frame_alloc_from(__u64 pool_id, __u32 data_size) __ksym;

/*
 * bpf_kcoro_frame_data - the state of a frame
 * @frame: a frame, or &entry->frame of an entered entry
 * @rdwr_buf_size: bytes wanted, a compile-time constant
 *
 * Packet, syscall and tracing programs. Returns NULL when the frame is smaller than that.
 * The memory is valid until the frame is freed, left or moved to a map.
 */
extern __u8 *bpf_kcoro_frame_data(struct kcoro_frame *frame,
				  const size_t rdwr_buf_size) __ksym;

/*
 * bpf_kcoro_frame_free - give a frame back
 *
 * Packet and syscall programs. Takes the frame; its memory is gone with it.
 */
extern void bpf_kcoro_frame_free(struct kcoro_frame *frame) __ksym;

/*
 * bpf_kcoro_frame_alloc_nolock - take a zeroed frame that is cached
 * @data_size: bytes of state, 1 .. KCORO_FRAME_DATA_MAX
 *
 * Tracing programs (fentry, fexit, tp_btf, iterators), which may run inside any lock
 * of the kernel, the slab's among them. The frame comes from this CPU's magazines or
 * from the depot. Returns NULL also when nothing is cached, as before the first one; a
 * worker cures that a little later.
 */
extern struct kcoro_frame *bpf_kcoro_frame_alloc_nolock(__u32 data_size) __ksym;

/*
 * bpf_kcoro_frame_alloc_from_nolock - the same from the program's own pool
 * @pool_id: as for bpf_kcoro_frame_alloc_from()
 *
 * Tracing programs. With bpf_kcoro_pool_reserve() before, the first one succeeds, too.
 */
extern struct kcoro_frame *bpf_kcoro_frame_alloc_from_nolock(__u64 pool_id,
							     __u32 data_size) __ksym;

/*
 * bpf_kcoro_frame_free_nolock - give a frame back
 *
 * Tracing programs. Takes the frame, whatever it was allocated with.
 */
extern void bpf_kcoro_frame_free_nolock(struct kcoro_frame *frame) __ksym;

/*
 * bpf_kcoro_pool_create - make a pool
 * @attr: in: what it shall be, with a quota that is not 0; out: error. In memory that
 *	can be written; attr__sz is its size
 *
 * Syscall programs. Returns NULL and sets attr->error. The caller owns the reference:
 * move it to a map of the program with bpf_kptr_xchg(), or give it back with
 * bpf_kcoro_pool_release().
 */
extern struct kcoro_bpf_pool *bpf_kcoro_pool_create(struct kcoro_bpf_pool_attr *attr,
						    __u32 attr__sz) __ksym;

/*
 * bpf_kcoro_pool_id - the number by which programs name the pool
 *
 * Syscall programs. Never 0, never used again for another pool. For
 * bpf_kcoro_frame_alloc_from() and for pool_id in struct kcoro_table_attr.
 */
extern __u64 bpf_kcoro_pool_id(struct kcoro_bpf_pool *pool) __ksym;

/*
 * bpf_kcoro_pool_release - the owner goes
 *
 * Syscall programs. Takes the pool. Its number stops working soon after; frames and
 * tables that are left hold it until they are gone.
 */
extern void bpf_kcoro_pool_release(struct kcoro_bpf_pool *pool) __ksym;

/*
 * bpf_kcoro_pool_reserve - set frames aside, so that allocations cannot fail
 * @pool_id: of any pool; 0: the default pool of BPF programs
 * @size: bytes of a frame: its state and KCORO_FRAME_HEADER; of a table's entry also key
 *	and the table's own header. It is rounded up to the size of a class
 * @count: how many frames of that class in all; 0 gives back what was
 *
 * Syscall programs. From then on so many allocations succeed, of whatever programs, on
 * any CPU and in any context, whatever memory and quota say; what was taken is filled
 * up again in the background. Returns 0, -ENOENT (no such pool), -EINVAL (size, or count
 * over 2^20), -EDQUOT (the quota has no room for so many) or -ENOMEM; after an error the
 * reserve is as it was.
 */
extern int bpf_kcoro_pool_reserve(__u64 pool_id, __u32 size, __u32 count) __ksym;

/*
 * bpf_kcoro_table_create - make a keyed table
 * @attr: what it shall be, in memory that can be written (the verifier wants that
 *	of any pointer given to a kfunc: a constant would stand in .rodata and be
 *	refused); attr__sz is its size
 *
 * Syscall programs. Returns NULL on a wrong attribute or without memory. The
 * caller owns the reference: move it to a map of the program with
 * bpf_kptr_xchg(), so that the table goes when the program's maps go, or
 * give it back with bpf_kcoro_table_release().
 */
extern struct kcoro_table *bpf_kcoro_table_create(const struct kcoro_table_attr *attr,
						  __u32 attr__sz) __ksym;

/*
 * bpf_kcoro_table_id - the number by which programs name the table
 *
 * Syscall programs. Never 0, never used again for another table.
 */
extern __u64 bpf_kcoro_table_id(struct kcoro_table *table) __ksym;

/*
 * bpf_kcoro_table_release - end a table
 *
 * Syscall programs. Takes the table. Its id stops working soon after; entries that
 * are entered now end with their leave or end, all others at once.
 */
extern void bpf_kcoro_table_release(struct kcoro_table *table) __ksym;

/*
 * bpf_kcoro_table_enter - take the entry of a key for this program run alone
 * @table_id: from bpf_kcoro_table_id()
 * @key: the key; key__sz must be the table's key_size
 * @opts: in: whether to create; out: error, created
 *
 * Packet and syscall programs. Returns NULL and sets opts->error (see
 * struct kcoro_enter_opts). End with bpf_kcoro_table_leave() or _end().
 */
extern struct kcoro_entry *bpf_kcoro_table_enter(__u64 table_id, const void *key,
						 __u32 key__sz,
						 struct kcoro_enter_opts *opts,
						 __u32 opts__sz) __ksym;

/*
 * bpf_kcoro_table_leave - suspend: the entry stays until it is entered again
 * @timeout_ns: the table ends the entry this long from now, to the jiffy; 0: never;
 *	KCORO_TIMEOUT_KEEP: when the last leave said, or never
 *
 * Packet and syscall programs. Takes the entry; its frame belongs to the table.
 */
extern void bpf_kcoro_table_leave(struct kcoro_entry *entry, __u64 timeout_ns) __ksym;

/*
 * bpf_kcoro_table_end - remove the entry from its table and free its frame
 *
 * Packet and syscall programs. Takes the entry.
 */
extern void bpf_kcoro_table_end(struct kcoro_entry *entry) __ksym;

/*
 * bpf_kcoro_table_read - a table's counters
 * @out: filled with as many of the counters as out__sz holds
 *
 * Packet, syscall and tracing (iterator) programs. 0, -ESTALE or -EINVAL.
 */
extern int bpf_kcoro_table_read(__u64 table_id, struct kcoro_table_counters *out,
				__u32 out__sz) __ksym;

/*
 * bpf_kcoro_counters_read - the module's frame counters, summed over CPUs and pools
 * @level: enum kcoro_level
 * @size_class: enum kcoro_class
 * @out: filled with as many of the counters as out__sz holds
 *
 * Packet, syscall and tracing (iterator) programs. 0 or -EINVAL.
 */
extern int bpf_kcoro_counters_read(__u32 level, __u32 size_class,
				   struct kcoro_frame_counters *out,
				   __u32 out__sz) __ksym;

/*
 * bpf_kcoro_pool_next - the pool that was created after another
 * @pool_id: of the other, 0 for none
 *
 * Packet, syscall and tracing (iterator) programs. Returns its number, or 0: no more.
 */
extern __u64 bpf_kcoro_pool_next(__u64 pool_id) __ksym;

/*
 * bpf_kcoro_pool_read - what a pool is, has and holds
 * @pool_id: of any pool, not 0
 * @out: filled with as much as out__sz holds
 *
 * Packet, syscall and tracing (iterator) programs. 0, or -ENOENT: it may go at any time.
 */
extern int bpf_kcoro_pool_read(__u64 pool_id, struct kcoro_pool_info *out,
			       __u32 out__sz) __ksym;

/*
 * bpf_kcoro_pool_counters_read - the frame counters of one pool, summed over CPUs
 * @pool_id: of any pool, not 0
 * @level: enum kcoro_level
 * @size_class: enum kcoro_class
 * @out: filled with as many of the counters as out__sz holds
 *
 * Packet, syscall and tracing (iterator) programs. 0, -ENOENT or -EINVAL.
 */
extern int bpf_kcoro_pool_counters_read(__u64 pool_id, __u32 level, __u32 size_class,
					struct kcoro_frame_counters *out,
					__u32 out__sz) __ksym;

/*
 * Scheduled coroutines: bodies that the module calls when what they await has come.
 *
 *	struct answer { __u64 table_id; __u32 key; };	(the state, zero at first)
 *
 *	SEC("struct_ops/resume")
 *	int BPF_PROG(wait_resume, struct kcoro_bpf_coro *co, __s64 value, __s32 error)
 *	{
 *		bpf_printk("%lld, %d", value, error);
 *		return KCORO_NEXT_DONE;
 *	}
 *
 *	SEC(".struct_ops.link")
 *	struct kcoro_ops waits = {
 *		.start = (void *)wait_start, .resume = (void *)wait_resume,
 *		.name = "waits", .frame_size = sizeof(struct answer),
 *	};
 *
 * bpf_map__attach_struct_ops() attaches it. When the link goes, and it goes with its
 * loader unless it is pinned, all its coroutines are killed and nobody is in a program any
 * more. bpf_link__update_map() puts other programs in their place, with the same name,
 * frame_size, executor, limit and pool; coroutines go on in these.
 */

/* A coroutine, in its own program. Opaque; reach its state with bpf_kcoro_coro_data(). */
struct kcoro_bpf_coro {
	__u32 data_size;
} __attribute__((preserve_access_index));

/*
 * The struct_ops. @start and @resume return enum kcoro_next, or a negative errno to end
 * with. They are called at task or softirq level, not in NMI, and can't sleep.
 */
struct kcoro_ops {
	/* Called first, in place of resume; may be missing. */
	int (*start)(struct kcoro_bpf_coro *co);
	/*
	 * Called with what came: value, or error. 0; -ETIMEDOUT: the timeout; -ECANCELED: it
	 * is asked to end, and is killed when it awaits again; -ESTALE: no such table, or it
	 * has gone; -EINVAL: the key has another length than the table's; -ECHILD: no child
	 */
	int (*resume)(struct kcoro_bpf_coro *co, __s64 value, __s32 error);
	/* It is killed, and not called any more; may be missing. */
	void (*cancel)(struct kcoro_bpf_coro *co);
	char name[KCORO_NAME_LEN];	/* not empty; no two are attached at a time */
	__u32 frame_size;		/* bytes of state, 1 .. KCORO_FRAME_DATA_MAX */
	__u32 executor;			/* enum kcoro_executor */
	__u32 limit;			/* most that live; 0: KCORO_OPS_LIMIT_MAX */
	__u32 flags;			/* 0 */
	__u64 pool_id;			/* of the frames; 0: the default pool of BPF programs */
};

/*
 * bpf_kcoro_ops_id - the number of attached ops
 * @name: theirs, a constant
 *
 * Packet, syscall and struct_ops programs. 0: none of that name are attached. Look it up
 * once and keep it in a global variable; it is never used again for others.
 */
extern __u64 bpf_kcoro_ops_id(const char *name) __ksym;

/*
 * bpf_kcoro_spawn - start a coroutine
 * @ops_id: from bpf_kcoro_ops_id()
 * @args: copied to the beginning of its state; args__sz bytes
 *
 * Packet, syscall and struct_ops programs. 0; -ESTALE: no such ops (any more); -EAGAIN: its
 * limit is reached; -ENOMEM; -E2BIG: args__sz is more than frame_size; -ESHUTDOWN: it is
 * being detached.
 */
extern int bpf_kcoro_spawn(__u64 ops_id, const void *args, __u32 args__sz) __ksym;

/*
 * bpf_kcoro_spawn_await_key - start a coroutine that awaits a key already
 * @what: of which ops, the key's table, and a timeout
 * @args: copied to the beginning of its state; args__sz bytes
 * @key: copied; key__sz must be the table's key_size
 *
 * Packet, syscall and struct_ops programs. When this returns 0 the key can be woken: no
 * answer comes too early. start is not called; resume is, with what came. With
 * KCORO_KEY_ONLY nothing is spawned when the key is awaited already: a query that is sent
 * again is told by that. With KCORO_KEY_HOLD the coroutine holds the key: what comes while
 * it does not wait is kept for bpf_kcoro_await_next().
 *
 * What bpf_kcoro_spawn() returns, and -EEXIST: KCORO_KEY_ONLY; -ESTALE: no such table (any
 * more); -EINVAL: the key has another length, or a flag is wrong.
 */
extern int bpf_kcoro_spawn_await_key(const struct kcoro_spawn_key *what, const void *args,
				     __u32 args__sz, const void *key, __u32 key__sz) __ksym;

/*
 * bpf_kcoro_coro_data - the state of a coroutine
 * @rdwr_buf_size: bytes wanted, a compile-time constant
 *
 * struct_ops programs. NULL when the state is smaller. Valid during the call.
 */
extern __u8 *bpf_kcoro_coro_data(struct kcoro_bpf_coro *co, const size_t rdwr_buf_size) __ksym;

/*
 * bpf_kcoro_spawn_child - start a coroutine of the same ops, whose result is for this one
 * @args: copied to the beginning of its state; args__sz bytes
 *
 * struct_ops programs. It counts for limit. 0; -EAGAIN, -ENOMEM, -E2BIG, -ESHUTDOWN as for
 * bpf_kcoro_spawn().
 */
extern int bpf_kcoro_spawn_child(struct kcoro_bpf_coro *co, const void *args,
				 __u32 args__sz) __ksym;

/*
 * bpf_kcoro_await_child - what to wait for: a child that ends, whichever does
 * @timeout_ns: then resume is told -ETIMEDOUT; 0: never
 *
 * struct_ops programs, as bpf_kcoro_await_timer(). resume is given the child's result as
 * value, each child's once: 0, a negative errno that it returned, -EINTR when it was
 * killed; -ECHILD as error when there is none left. Children of one that has ended go on,
 * and nobody is told of their results. Returns 0.
 */
extern int bpf_kcoro_await_child(struct kcoro_bpf_coro *co, __u64 timeout_ns) __ksym;

/*
 * bpf_kcoro_await_timer - what to wait for: time that passes
 * @ns: from the return on
 *
 * struct_ops programs. Takes effect when the program returns KCORO_NEXT_WAIT; the last one
 * that was asked for in a call counts. Who waits and has asked for nothing ends with
 * -EDEADLK. Returns 0.
 */
extern int bpf_kcoro_await_timer(struct kcoro_bpf_coro *co, __u64 ns) __ksym;

/*
 * bpf_kcoro_await_key - what to wait for: somebody who wakes a key
 * @table_id: from bpf_kcoro_table_id(); the table need not have an entry of that key
 * @key: copied; key__sz must be the table's key_size, or resume is told -EINVAL
 * @timeout_ns: then resume is told -ETIMEDOUT; 0: never
 *
 * struct_ops programs, as bpf_kcoro_await_timer(). What comes before that, or between two
 * awaits, finds nobody: bpf_kcoro_key_hold() is for that. 0; -EINVAL: the key is longer
 * than any; -EBUSY: it holds a key, and awaits that with bpf_kcoro_await_next().
 */
extern int bpf_kcoro_await_key(struct kcoro_bpf_coro *co, __u64 table_id, const void *key,
			       __u32 key__sz, __u64 timeout_ns) __ksym;

/*
 * bpf_kcoro_key_hold - be who a key's values are for, also while not waiting
 * @flags: 0, or KCORO_KEY_ONLY: nobody else may await or hold it
 *
 * struct_ops programs. Up to KCORO_KEY_VALUES values are kept, in order. The key is held
 * until the coroutine ends, or bpf_kcoro_key_release(). 0; -EEXIST: KCORO_KEY_ONLY; -EBUSY:
 * it holds one, or has asked for one in this call; -ESTALE: no such table (any more);
 * -EINVAL: the key's length, or a flag.
 */
extern int bpf_kcoro_key_hold(struct kcoro_bpf_coro *co, __u64 table_id, const void *key,
			      __u32 key__sz, __u32 flags) __ksym;

/*
 * bpf_kcoro_await_next - what to wait for: the next value of the key that it holds
 * @timeout_ns: then resume is told -ETIMEDOUT; 0: never
 *
 * struct_ops programs, as bpf_kcoro_await_timer(). 0, or -ENOENT: it holds none.
 */
extern int bpf_kcoro_await_next(struct kcoro_bpf_coro *co, __u64 timeout_ns) __ksym;

/*
 * bpf_kcoro_key_release - no longer hold the key; values that were kept are gone
 *
 * struct_ops programs.
 */
extern void bpf_kcoro_key_release(struct kcoro_bpf_coro *co) __ksym;

/*
 * bpf_kcoro_key_wake - have who awaits a key go on
 * @value: for it; of several that await the key the one that has waited longest has it
 *
 * Packet, syscall and struct_ops programs. 0; -ENOENT: nobody awaits it, and the value is
 * gone; -ENOSPC: who holds it has not taken KCORO_KEY_VALUES others, and the value is gone;
 * -ESTALE: no such table (any more); -EINVAL: the key has another length.
 */
extern int bpf_kcoro_key_wake(__u64 table_id, const void *key, __u32 key__sz,
			      __s64 value) __ksym;

/*
 * bpf_kcoro_key_wake_all - the same for all who await or hold the key, as an event does
 *
 * Packet, syscall and struct_ops programs; interrupts are off until all are woken. How many
 * have the value; -ENOENT; -ESTALE; -EINVAL.
 */
extern int bpf_kcoro_key_wake_all(__u64 table_id, const void *key, __u32 key__sz,
				  __s64 value) __ksym;

/*
 * bpf_kcoro_key_cancel - ask all who await or hold the key to end
 *
 * Packet, syscall and struct_ops programs. Their resume is told -ECANCELED. How many were
 * asked; -ENOENT: nobody awaits it; -ESTALE; -EINVAL.
 */
extern int bpf_kcoro_key_cancel(__u64 table_id, const void *key, __u32 key__sz) __ksym;

/*
 * bpf_kcoro_key_status - what the coroutine does that the next bpf_kcoro_key_wake() would be for
 *
 * Packet, syscall and struct_ops programs. An enum kcoro_status, a snapshot:
 * KCORO_STATUS_SUSPENDED for one that awaits the key and has no answer yet. -ENOENT: nobody
 * awaits or holds it; -ESTALE; -EINVAL.
 */
extern int bpf_kcoro_key_status(__u64 table_id, const void *key, __u32 key__sz) __ksym;

/*
 * bpf_kcoro_key_wake_nolock - bpf_kcoro_key_wake() where any lock may be held, a moment later
 *
 * Tracing programs (fentry, fexit, tp_btf, iterators), in NMI, too. What it wants to say is
 * kept in a cached frame of the default pool of BPF programs meanwhile. 0: it will be
 * said, whether anybody listens or not; -ENOMEM: nothing is cached, which a worker cures
 * a little later; -EINVAL: the key is longer than any.
 */
extern int bpf_kcoro_key_wake_nolock(__u64 table_id, const void *key, __u32 key__sz,
				     __s64 value) __ksym;

/*
 * bpf_kcoro_coro_list - live coroutines
 * @query: in: which ones, and row_size; out: filled and matched
 * @rows: filled with struct kcoro_coro_info, as many as fit; each has row_size bytes, what
 *	the module does not know is 0
 *
 * Syscall programs; sleeps. Those that were never suspended are not on any list: a scope
 * only counts them. One that lives during the whole call is told exactly once, if there is
 * room; the rows are no picture of one moment. A scope that is destroyed meanwhile goes
 * when the call is over. 0 or -EINVAL.
 */
extern int bpf_kcoro_coro_list(struct kcoro_coro_query *query, __u32 query__sz, void *rows,
			       __u32 rows__sz) __ksym;

/*
 * bpf_kcoro_scope_list - the scopes
 * @rows: filled with struct kcoro_scope_info, as many as fit
 * @row_size: bytes from one row to the next
 *
 * Syscall programs; sleeps. Returns how many scopes there are, or -EINVAL.
 */
extern int bpf_kcoro_scope_list(void *rows, __u32 rows__sz, __u32 row_size) __ksym;

#endif /* KCORO_BPF_H */
