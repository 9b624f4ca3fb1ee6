// SPDX-License-Identifier: GPL-2.0-only
/*
 * trim.c - cached frames go back to the slab: under memory pressure, when idle, and
 * when a CPU goes offline. The hot path knows nothing of it.
 *
 *   shrinker   frees the depots' magazines, those that waited longest first, and has
 *              each CPU empty its own a little later: reclaim waits for nobody
 *   idle work  every IDLE_SECONDS, what no one needed since the last time: of a depot
 *              the magazines at the bottom, and both of a CPU's slot that neither
 *              allocated nor freed since then, however busy its other slots are
 *   quota      depots' magazines go when it is reached, and then those of the CPUs
 *   hotplug    the magazines of a CPU that is gone go to its node's depot
 *
 * All of it is process context but kcoro_trim_release(). A CPU's magazines are taken by
 * a work item on that CPU: levels 0..2 with interrupts off; level 3 by exchanging the
 * pointer, and an NMI is done with the old magazine when the exchange returns. An
 * isolated CPU gets no work item: its magazines stay until its pool ends. A dead CPU
 * runs nothing at all.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/sched/isolation.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "pool.h"

#define IDLE_SECONDS 5
/* Magazines freed per depot and run, so that no run takes long; of very many a quarter. */
#define IDLE_BATCH 64
#define ALL_SLOTS GENMASK(KCORO_SLOTS - 1, 0)

static enum cpuhp_state cpuhp_state;

/**
 * kcoro_magazine_free() - a magazine and its frames go to the slab
 * @pool: the pool that has it
 * @cls: class of its frames
 * @mag: the magazine, the caller's alone; NULL and the shared "none" are ignored
 *
 * Context: where the slab may be called.
 */
void kcoro_magazine_free(struct kcoro_pool *pool, unsigned int cls, struct kcoro_magazine *mag)
{
	if (!mag || mag == &kcoro_magazine_none)
		return;
	WARN_ON_ONCE(!kcoro_magazine_is_valid(mag));
	kcoro_slab_free(pool, cls, mag->slots, mag->count);
	kfree(mag);
}

/* One pointer of a slot: the magazine is the caller's afterwards. */
static struct kcoro_magazine *slot_take(struct kcoro_magazine **place)
{
	return xchg(place, &kcoro_magazine_none);
}

static void trim_work(struct work_struct *work)
{
	struct kcoro_pool_cpu *pc = container_of(work, struct kcoro_pool_cpu, trim_work);
	unsigned long slots = xchg(&pc->trim_slots, 0), flags;
	struct kcoro_magazine *loaded, *spare;
	unsigned int slot;

	for_each_set_bit(slot, &slots, KCORO_SLOTS) {
		loaded = NULL;
		spare = NULL;
		local_irq_save(flags);
		/* Else the CPU went offline, and cpu_dead() does this. */
		if (smp_processor_id() == pc->cpu) {
			loaded = slot_take(&pc->loaded[slot]);
			spare = slot_take(&pc->spare[slot]);
		}
		local_irq_restore(flags);
		kcoro_magazine_free(pc->pool, slot % KCORO_CLASSES, loaded);
		kcoro_magazine_free(pc->pool, slot % KCORO_CLASSES, spare);
	}
}

/* Have a CPU empty these slots, soon. */
static void trim_cpu(struct kcoro_pool_cpu *pc, unsigned long slots)
{
	unsigned int slot;

	if (!slots || !housekeeping_cpu(pc->cpu, HK_TYPE_DOMAIN))
		return;
	for_each_set_bit(slot, &slots, KCORO_SLOTS)
		set_bit(slot, &pc->trim_slots);
	queue_work_on(pc->cpu, kcoro_pool_wq, &pc->trim_work);
}

/* Frees the frames of a depot until so many have gone. Returns how many. */
static unsigned long trim_depot(struct kcoro_pool *pool, int node, unsigned int cls,
				unsigned long most)
{
	struct kcoro_depot *depot = &pool->depots[node][cls];
	struct kcoro_magazine *mag;
	unsigned long freed = 0;

	while (freed < most && (mag = kcoro_depot_take(depot, true))) {
		freed += mag->count;
		kcoro_magazine_free(pool, cls, mag);
	}
	while ((mag = kcoro_depot_take(depot, false)))
		kcoro_magazine_free(pool, cls, mag);
	return freed;
}

/**
 * kcoro_trim_release() - give up cached frames, because the quota is in the way
 * @pool: the pool
 * @bytes: how much at least, if the depots have so much
 *
 * The depots' frames go at once, large ones first; if they were too few, what CPUs have
 * goes a little later, for who comes then.
 *
 * Context: where the slab may be called.
 */
void kcoro_trim_release(struct kcoro_pool *pool, size_t bytes)
{
	size_t size, freed = 0;
	int cls, node, cpu;

	for (cls = KCORO_CLASSES - 1; cls >= 0; cls--) {
		size = kcoro_class_size(cls);
		for_each_online_node(node) {
			if (freed >= bytes)
				return;
			if (READ_ONCE(pool->depots[node][cls].full.length))
				freed += size * trim_depot(pool, node, cls,
							   DIV_ROUND_UP(bytes - freed, size));
		}
	}
	for_each_online_cpu(cpu)
		trim_cpu(per_cpu_ptr(pool->cpu, cpu), ALL_SLOTS);
}

static unsigned long shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct kcoro_pool *pool = shrinker->private_data;
	unsigned long frames = 0;
	unsigned int cls;

	for (cls = 0; cls < KCORO_CLASSES; cls++)
		frames += (unsigned long)READ_ONCE(pool->depots[sc->nid][cls].full.length) *
			  kcoro_magazine_capacity(KCORO_LEVEL_TASK, cls);
	return frames ?: SHRINK_EMPTY;
}

static unsigned long shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct kcoro_pool *pool = shrinker->private_data;
	unsigned long freed = 0;
	int cls, cpu;

	/* Large frames first: the fewest steps for the memory. */
	for (cls = KCORO_CLASSES - 1; cls >= 0 && freed < sc->nr_to_scan; cls--)
		freed += trim_depot(pool, sc->nid, cls, sc->nr_to_scan - freed);
	for_each_online_cpu(cpu)
		if (cpu_to_node(cpu) == sc->nid)
			trim_cpu(per_cpu_ptr(pool->cpu, cpu), ALL_SLOTS);
	return freed ?: SHRINK_STOP;
}

static void idle_depot(struct kcoro_pool *pool, int node, unsigned int cls, bool full)
{
	struct kcoro_depot *depot = &pool->depots[node][cls];
	u32 idle = kcoro_depot_look(depot, full);
	struct kcoro_magazine *mag;

	for (idle = min(idle, max(IDLE_BATCH, idle / 4)); idle; idle--) {
		mag = kcoro_depot_take(depot, full);
		if (!mag)
			return;
		kcoro_magazine_free(pool, cls, mag);
	}
}

/*
 * Did nobody allocate or free there since it was asked last? Reads another CPU's counters.
 * Of the sum 16 bits are kept: if it moved by a multiple of 65,536, a slot in use is
 * emptied, and that costs a visit to the depot.
 */
static bool was_idle(struct kcoro_pool_cpu *pc, unsigned int slot)
{
	u16 seen = READ_ONCE(pc->allocs[slot]) + READ_ONCE(pc->frees[slot]);
	bool same = seen == pc->operations_seen[slot];

	pc->operations_seen[slot] = seen;
	return same;
}

static bool has_magazines(struct kcoro_pool_cpu *pc, unsigned int slot)
{
	return READ_ONCE(pc->loaded[slot]) != &kcoro_magazine_none ||
	       READ_ONCE(pc->spare[slot]) != &kcoro_magazine_none;
}

static void trim_idle_slots(struct kcoro_pool_cpu *pc)
{
	unsigned long slots = 0;
	unsigned int slot;

	for (slot = 0; slot < KCORO_SLOTS; slot++)
		if (was_idle(pc, slot) && has_magazines(pc, slot))
			slots |= BIT(slot);
	trim_cpu(pc, slots);
}

static void idle_work(struct work_struct *work)
{
	struct kcoro_pool *pool = container_of(to_delayed_work(work), struct kcoro_pool, idle_work);
	unsigned int cls;
	int node, cpu;

	for_each_node(node) {
		for (cls = 0; cls < KCORO_CLASSES; cls++) {
			idle_depot(pool, node, cls, true);
			idle_depot(pool, node, cls, false);
		}
	}
	cpus_read_lock();
	for_each_online_cpu(cpu)
		trim_idle_slots(per_cpu_ptr(pool->cpu, cpu));
	cpus_read_unlock();
	queue_delayed_work(kcoro_unbound_wq, &pool->idle_work, IDLE_SECONDS * HZ);
}

static void take_over(struct kcoro_pool *pool, unsigned int cpu)
{
	struct kcoro_pool_cpu *pc = per_cpu_ptr(pool->cpu, cpu);
	struct kcoro_magazine *mag;
	unsigned int slot;

	for (slot = 0; slot < KCORO_SLOTS; slot++) {
		struct kcoro_depot *depot = &pool->depots[pc->node][slot % KCORO_CLASSES];

		mag = slot_take(&pc->loaded[slot]);
		if (mag != &kcoro_magazine_none)
			kcoro_depot_give(depot, mag);
		mag = slot_take(&pc->spare[slot]);
		if (mag != &kcoro_magazine_none)
			kcoro_depot_give(depot, mag);
	}
}

/*
 * The CPU is dead: nothing of it runs, and nobody else touches its slots. One state for
 * all pools: an instance for each would have a pool's creator wait for the end of a hotplug
 * operation, and that one waits for who has migration disabled, as BPF programs that create
 * pools have.
 */
static int cpu_dead(unsigned int cpu)
{
	kcoro_pool_for_each(take_over, cpu);
	return 0;
}

/**
 * kcoro_trim_start() - begin to look after a pool
 * @pool: the pool, with its CPUs and depots in place
 *
 * Context: may sleep, with migration disabled, too. Return: 0 or -ENOMEM; then nothing is
 * to be undone.
 */
int kcoro_trim_start(struct kcoro_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_WORK(&per_cpu_ptr(pool->cpu, cpu)->trim_work, trim_work);
	pool->shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "kcoro:%s", pool->name);
	if (!pool->shrinker)
		return -ENOMEM;
	pool->shrinker->count_objects = shrink_count;
	pool->shrinker->scan_objects = shrink_scan;
	pool->shrinker->private_data = pool;
	shrinker_register(pool->shrinker);
	INIT_DEFERRABLE_WORK(&pool->idle_work, idle_work);
	queue_delayed_work(kcoro_unbound_wq, &pool->idle_work, IDLE_SECONDS * HZ);
	return 0;
}

/**
 * kcoro_trim_stop() - and stop
 * @pool: the pool
 *
 * Context: may sleep, when the pool is no longer in the list. Afterwards nothing here
 * touches it any more.
 */
void kcoro_trim_stop(struct kcoro_pool *pool)
{
	int cpu;

	shrinker_free(pool->shrinker);
	cancel_delayed_work_sync(&pool->idle_work);
	for_each_possible_cpu(cpu)
		cancel_work_sync(&per_cpu_ptr(pool->cpu, cpu)->trim_work);
}

int __init kcoro_trim_init(void)
{
	int state;

	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "kcoro/pool:dead", NULL, cpu_dead);
	if (state < 0)
		return state;
	cpuhp_state = state;
	return 0;
}

void kcoro_trim_exit(void)
{
	cpuhp_remove_state_nocalls(cpuhp_state);
}
