// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - the keyed table.
 *
 * Contexts: create may sleep. enter, leave, end: task, softirq, hardirq; not NMI.
 * release: any. read: any but NMI.
 *
 * An entry's states; each change is made under its bucket's lock, except that of a
 * leave() that has nothing to do with the timer:
 *
 *   enter(CREATE)        leave            enter
 *   -----------> BUSY <---------> IDLE ----------> BUSY
 *                  | end            | deadline, table gone
 *                  v                v
 *                ENDED            ENDED     unlinked, freed with the last reference
 *
 * BUSY means that one CPU is in it: nobody else touches its frame or its deadline, and
 * neither deadline nor release ends it. LATE is BUSY, and the timer has come meanwhile:
 * so leave() arms it again.
 *
 * References (entry->refs, under the bucket's lock): one while the entry is in
 * the table, one while its timer is armed (pending, or its callback is on the
 * way). end() takes the timer's reference only when it has deleted a pending
 * timer; a callback that is on the way drops its own.
 *
 * The deadline is lazy: leave() writes it, and touches the timer only when it is
 * not armed or would fire too late; a timer that fires too early arms itself
 * again. So a flow with many packets pays a store per packet.
 *
 * A table is named by an id that is never used again; programs can't hold a
 * trusted pointer to it in a map. table->users is held while an entry is entered,
 * so destruction starts when nobody is inside:
 *
 *   release -> irq_work -> work: id gone, users killed
 *           -> RCU, last leave -> work: entries ended, memory freed
 *
 * live = created - ended - expired, and live <= max_entries.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "../compat.h"
#include "table_inside.h"

#define MAX_ENTRIES_LIMIT BIT(24)

enum entry_state {
	ENTRY_IDLE,
	ENTRY_BUSY,
	ENTRY_LATE,
	ENTRY_ENDED,
};

struct kcoro_entry {
	struct kcoro_frame frame;	/* first: BPF sees the entry as a frame */
	struct hlist_node node;
	struct kcoro_table *table;
	struct timer_list timer;
	unsigned long deadline;		/* jiffies; meaningful when has_deadline */
	u32 hash;
	u8 state;			/* also changed by leave(), without the lock */
	u8 refs;
	bool armed;			/* the timer has its reference */
	bool has_deadline;
	u8 key[];			/* key_size bytes; then, aligned to 8, the state */
};

static atomic_t tables_alive = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(tables_gone);
static struct workqueue_struct *table_wq;

/* After the last reference is gone, outside the lock. The table may go with it. */
static void entry_free(struct kcoro_entry *entry)
{
	struct kcoro_table *table = entry->table;

	/* The frame first: the table holds the pool. */
	kcoro_frame_destroy(&entry->frame);
	atomic_dec_return_release(&table->live);
}

/* Under the bucket's lock: out of the table. True when the caller must free the entry. */
static bool entry_unlink(struct kcoro_entry *entry)
{
	entry->state = ENTRY_ENDED;
	hlist_del(&entry->node);
	if (entry->armed && timer_delete(&entry->timer)) {
		entry->armed = false;
		entry->refs--;
	}
	return !--entry->refs;
}

static void entry_timer(struct timer_list *timer)
{
	struct kcoro_entry *entry = timer_container_of(entry, timer, timer);
	struct kcoro_table *table = entry->table;
	struct kcoro_bucket *bucket = kcoro_table_bucket(table, entry->hash);
	unsigned long flags;
	bool gone = false, expired = false;
	u8 state;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	/* A leave() may be on its way without the lock: it comes before this, or sees LATE. */
	state = cmpxchg(&entry->state, ENTRY_BUSY, ENTRY_LATE);
	if (state == ENTRY_IDLE && entry->has_deadline && time_before(jiffies, entry->deadline)) {
		mod_timer(&entry->timer, entry->deadline);
	} else {
		WRITE_ONCE(entry->armed, false);
		gone = !--entry->refs;
		if (state == ENTRY_IDLE && entry->has_deadline) {
			expired = true;
			gone = entry_unlink(entry);
		}
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	if (expired)
		kcoro_table_count(table, expired);
	if (gone)
		entry_free(entry);
}

static struct kcoro_entry *entry_find(struct kcoro_table *table, struct kcoro_bucket *bucket,
				      const void *key, u32 hash)
{
	struct kcoro_entry *entry;

	hlist_for_each_entry(entry, &bucket->head, node)
		if (entry->hash == hash && kcoro_table_same_key(table, entry->key, key))
			return entry;
	return NULL;
}

static struct kcoro_entry *entry_create(struct kcoro_table *table, const void *key, u32 hash,
					int *error)
{
	struct kcoro_entry *entry;
	struct kcoro_frame *frame;

	if (atomic_inc_return(&table->live) > table->max_entries) {
		atomic_dec(&table->live);
		*error = -ENOSPC;
		return NULL;
	}
	/* The caller may be a BPF program that must not sleep, which can't be seen from here. */
	frame = kcoro_frame_create(table->pool, table->data_offset, table->frame_size,
				   GFP_ATOMIC | __GFP_NOWARN);
	if (!frame) {
		atomic_dec(&table->live);
		*error = -ENOMEM;
		return NULL;
	}
	entry = container_of(frame, struct kcoro_entry, frame);
	entry->table = table;
	entry->hash = hash;
	entry->state = ENTRY_BUSY;
	entry->refs = 1;
	memcpy(entry->key, key, table->key_size);
	timer_setup(&entry->timer, entry_timer, 0);
	return entry;
}

/* Find or make; the entry comes back BUSY and the caller's. */
static struct kcoro_entry *enter(struct kcoro_table *table, struct kcoro_bucket *bucket,
				 const void *key, u32 hash, struct kcoro_enter_opts *opts)
{
	struct kcoro_entry *entry, *fresh = NULL;
	unsigned long flags;

again:
	raw_spin_lock_irqsave(&bucket->lock, flags);
	entry = entry_find(table, bucket, key, hash);
	if (!entry && fresh) {
		hlist_add_head(&fresh->node, &bucket->head);
		entry = fresh;
	} else if (!entry) {
		opts->error = -ENOENT;
	/* Pairs with a leave() without the lock. */
	} else if (smp_load_acquire(&entry->state) != ENTRY_IDLE) {
		opts->error = -EBUSY;
		entry = NULL;
	} else {
		WRITE_ONCE(entry->state, ENTRY_BUSY);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);

	if (fresh && entry != fresh) {
		/* Another CPU was first. */
		entry_free(fresh);
	} else if (fresh) {
		opts->created = 1;
		opts->error = 0;
		kcoro_table_count(table, created);
	} else if (!entry && opts->error == -ENOENT && opts->flags & KCORO_ENTER_CREATE) {
		fresh = entry_create(table, key, hash, &opts->error);
		if (fresh)
			goto again;
	}
	return entry;
}

static void count_refusal(struct kcoro_table *table, int error)
{
	if (error == -EBUSY)
		kcoro_table_count(table, busy);
	else if (error == -ENOSPC)
		kcoro_table_count(table, full);
	else if (error == -ENOMEM)
		kcoro_table_count(table, nomem);
}

/**
 * kcoro_table_enter() - take the entry of a key for the caller alone
 * @id: of the table
 * @key: the key
 * @key_size: its length, which must be the table's
 * @opts: in: flags; out: error, created
 *
 * Context: task, softirq, hardirq; never sleeps.
 * Return: the entry, to be ended by kcoro_table_leave() or kcoro_table_end() by
 * the same caller, soon; or NULL, and @opts->error tells why.
 */
struct kcoro_entry *kcoro_table_enter(u64 id, const void *key, u32 key_size,
				      struct kcoro_enter_opts *opts)
{
	struct kcoro_bucket *bucket = NULL;
	struct kcoro_entry *entry;
	struct kcoro_table *table;
	u32 hash = 0;

	opts->created = 0;
	opts->error = 0;
	if ((opts->flags & ~KCORO_ENTER_CREATE) || opts->reserved) {
		opts->error = -EINVAL;
		return NULL;
	}
	rcu_read_lock();
	table = kcoro_table_find(id);
	if (!table) {
		opts->error = -ESTALE;
	} else if (key_size != table->key_size) {
		opts->error = -EINVAL;
	} else {
		hash = kcoro_table_hash(table, key);
		bucket = kcoro_table_bucket(table, hash);
		/* Most packets are of no flow here: they need neither reference nor lock. */
		if (!(opts->flags & KCORO_ENTER_CREATE) && hlist_empty(&bucket->head))
			opts->error = -ENOENT;
		else if (!percpu_ref_tryget_live_rcu(&table->users))
			opts->error = -ESTALE;
	}
	rcu_read_unlock();
	if (opts->error)
		return NULL;

	entry = enter(table, bucket, key, hash, opts);
	if (entry) {
		kcoro_table_count(table, entered);
		return entry;
	}
	count_refusal(table, opts->error);
	kcoro_table_put(table);
	return NULL;
}

static unsigned long deadline_of(u64 timeout_ns)
{
	return jiffies + min_t(u64, div_u64(timeout_ns, TICK_NSEC) + 1, MAX_JIFFY_OFFSET);
}

/**
 * kcoro_table_leave() - suspend: the entry stays until it is entered again
 * @entry: entered by the caller, no longer the caller's afterwards
 * @timeout_ns: end the entry this long from now, to the jiffy; 0: never;
 *	KCORO_TIMEOUT_KEEP: when the last leave said, or never
 *
 * Context: task, softirq, hardirq; never sleeps.
 */
void kcoro_table_leave(struct kcoro_entry *entry, u64 timeout_ns)
{
	struct kcoro_table *table = entry->table;
	struct kcoro_bucket *bucket;
	unsigned long flags;

	if (timeout_ns != KCORO_TIMEOUT_KEEP) {
		entry->has_deadline = timeout_ns;
		entry->deadline = deadline_of(timeout_ns);
	}
	/*
	 * The timer is armed and comes early enough: so nothing but the state has to change.
	 * When it has come just now the state is LATE.
	 */
	if ((!entry->has_deadline ||
	     (READ_ONCE(entry->armed) && !time_before(entry->deadline, entry->timer.expires))) &&
	    cmpxchg(&entry->state, ENTRY_BUSY, ENTRY_IDLE) == ENTRY_BUSY)
		goto put;

	bucket = kcoro_table_bucket(table, entry->hash);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	if (entry->has_deadline) {
		if (!entry->armed) {
			entry->armed = true;
			entry->refs++;
			mod_timer(&entry->timer, entry->deadline);
		} else if (time_before(entry->deadline, entry->timer.expires)) {
			/* Not pending: the callback is on the way and will look. */
			mod_timer_pending(&entry->timer, entry->deadline);
		}
	}
	/* As the cmpxchg above, for who reads it without the lock. */
	smp_store_release(&entry->state, ENTRY_IDLE);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
put:
	kcoro_table_put(table);
}

/**
 * kcoro_table_end() - remove the entry from its table and free its frame
 * @entry: entered by the caller
 *
 * Context: task, softirq, hardirq; never sleeps.
 */
void kcoro_table_end(struct kcoro_entry *entry)
{
	struct kcoro_table *table = entry->table;
	struct kcoro_bucket *bucket = kcoro_table_bucket(table, entry->hash);
	unsigned long flags;
	bool gone;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	gone = entry_unlink(entry);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	kcoro_table_count(table, ended);
	if (gone)
		entry_free(entry);
	kcoro_table_put(table);
}

/* Nobody is in the table, nobody can find it: end one bucket's entries. */
static void destroy_bucket(struct kcoro_table *table, struct kcoro_bucket *bucket)
{
	struct kcoro_entry *entry;
	unsigned long flags;
	bool gone;

	for (;;) {
		raw_spin_lock_irqsave(&bucket->lock, flags);
		entry = hlist_entry_safe(bucket->head.first, struct kcoro_entry, node);
		gone = entry && entry_unlink(entry);
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
		if (!entry)
			return;
		kcoro_table_count(table, ended);
		if (gone)
			entry_free(entry);
	}
}

static void table_free(struct kcoro_table *table)
{
	percpu_ref_exit(&table->users);
	free_percpu(table->count);
	kvfree(table->buckets);
	kcoro_bpf_pool_put(table->pool);
	kfree(table);
}

static void table_destroy(struct work_struct *work)
{
	struct kcoro_table *table = container_of(work, struct kcoro_table, destroy_work);
	u32 i;

	irq_work_sync(&table->irq_work);
	for (i = 0; i <= table->mask; i++) {
		kcoro_key_break(&table->buckets[i]);
		destroy_bucket(table, &table->buckets[i]);
		cond_resched();
	}
	/*
	 * Timer callbacks that were on the way free their entries themselves, and
	 * taking an entry off "live" is the last they do with the table.
	 */
	while (atomic_read_acquire(&table->live))
		schedule_timeout_uninterruptible(1);
	/* Who awaited a key may still be on its way to a bucket's lock: see key.c. */
	synchronize_rcu();
	table_free(table);
	if (atomic_dec_and_test(&tables_alive))
		wake_up_all(&tables_gone);
}

static void table_users_gone(struct percpu_ref *users)
{
	struct kcoro_table *table = container_of(users, struct kcoro_table, users);

	queue_work(table_wq, &table->destroy_work);
}

static void table_release_work(struct work_struct *work)
{
	struct kcoro_table *table = container_of(work, struct kcoro_table, release_work);

	kcoro_table_unpublish(table);
	percpu_ref_kill(&table->users);
}

static void table_irq_work(struct irq_work *irq_work)
{
	struct kcoro_table *table = container_of(irq_work, struct kcoro_table, irq_work);

	queue_work(table_wq, &table->release_work);
}

void kcoro_table_release(struct kcoro_table *table)
{
	irq_work_queue(&table->irq_work);
}
EXPORT_SYMBOL_GPL(kcoro_table_release);

static bool attr_is_valid(const struct kcoro_table_attr *attr)
{
	return attr->key_size && attr->key_size <= KCORO_KEY_SIZE_MAX &&
	       attr->frame_size && attr->frame_size <= KCORO_FRAME_DATA_MAX &&
	       attr->max_entries && attr->max_entries <= MAX_ENTRIES_LIMIT && !attr->flags &&
	       strnlen(attr->name, KCORO_NAME_LEN) < KCORO_NAME_LEN &&
	       !memchr_inv(attr->reserved, 0, sizeof(attr->reserved));
}

struct kcoro_table *kcoro_table_create(const struct kcoro_table_attr *attr)
{
	struct kcoro_table *table;
	u32 i, n;
	int err = -ENOMEM;

	if (!attr_is_valid(attr))
		return ERR_PTR(-EINVAL);
	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	n = roundup_pow_of_two(attr->max_entries);
	table->mask = n - 1;
	get_random_bytes(table->seed, sizeof(table->seed));
	table->key_size = attr->key_size;
	table->frame_size = attr->frame_size;
	table->max_entries = attr->max_entries;
	table->data_offset = ALIGN(offsetof(struct kcoro_entry, key) + attr->key_size, 8);
	strscpy(table->name, attr->name, sizeof(table->name));
	init_irq_work(&table->irq_work, table_irq_work);
	INIT_WORK(&table->release_work, table_release_work);
	INIT_WORK(&table->destroy_work, table_destroy);

	table->pool = kcoro_bpf_pool_get(attr->pool_id);
	if (!table->pool) {
		err = -ENOENT;
		goto err_table;
	}
	table->buckets = kvcalloc(n, sizeof(*table->buckets), GFP_KERNEL_ACCOUNT);
	if (!table->buckets)
		goto err_pool;
	for (i = 0; i < n; i++) {
		raw_spin_lock_init(&table->buckets[i].lock);
		INIT_HLIST_HEAD(&table->buckets[i].head);
		INIT_HLIST_HEAD(&table->buckets[i].waits);
	}
	table->count = alloc_percpu_gfp(struct kcoro_table_counters, GFP_KERNEL_ACCOUNT);
	if (!table->count)
		goto err_buckets;
	err = percpu_ref_init(&table->users, table_users_gone, 0, GFP_KERNEL);
	if (err)
		goto err_count;
	err = kcoro_table_publish(table);
	if (err)
		goto err_users;
	atomic_inc(&tables_alive);
	return table;

err_users:
	percpu_ref_exit(&table->users);
err_count:
	free_percpu(table->count);
err_buckets:
	kvfree(table->buckets);
err_pool:
	kcoro_bpf_pool_put(table->pool);
err_table:
	kfree(table);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(kcoro_table_create);

/**
 * kcoro_table_read() - a table's counters, over all CPUs
 * @id: of the table
 * @out: where to
 *
 * Context: any but NMI. Return: 0, or -ESTALE when there is no such table.
 */
int kcoro_table_read(u64 id, struct kcoro_table_counters *out)
{
	struct kcoro_table *table;
	int cpu;

	memset(out, 0, sizeof(*out));
	rcu_read_lock();
	table = kcoro_table_find(id);
	if (!table) {
		rcu_read_unlock();
		return -ESTALE;
	}
	for_each_possible_cpu(cpu) {
		const struct kcoro_table_counters *c = per_cpu_ptr(table->count, cpu);

		out->created += READ_ONCE(c->created);
		out->ended += READ_ONCE(c->ended);
		out->expired += READ_ONCE(c->expired);
		out->entered += READ_ONCE(c->entered);
		out->busy += READ_ONCE(c->busy);
		out->full += READ_ONCE(c->full);
		out->nomem += READ_ONCE(c->nomem);
		out->awaited += READ_ONCE(c->awaited);
		out->woken += READ_ONCE(c->woken);
		out->unclaimed += READ_ONCE(c->unclaimed);
		out->overrun += READ_ONCE(c->overrun);
	}
	rcu_read_unlock();
	return 0;
}

int __init kcoro_table_init(void)
{
	table_wq = alloc_workqueue("kcoro_table", WQ_UNBOUND, 0);
	return table_wq ? 0 : -ENOMEM;
}

/* Programs and maps hold the module: tables that are left are on their way out. */
void kcoro_table_exit(void)
{
	wait_event(tables_gone, !atomic_read(&tables_alive));
	/* The last timer callback may still be in entry_free(), the last percpu_ref one in ours. */
	synchronize_rcu();
	rcu_barrier();
	destroy_workqueue(table_wq);
}
