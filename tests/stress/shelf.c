// SPDX-License-Identifier: GPL-2.0-only
/*
 * shelf.c - one random operation, in whatever context it is called.
 *
 * A frame that was allocated is filled with a pattern made of its address and of
 * a ticket that nobody else has, and put on a shelf, from where anybody takes it:
 * another CPU, another level. Who takes it compares it with the ticket on the
 * shelf and frees it. Two owners of one frame write two patterns.
 *
 * A place on the shelf is claimed with one compare-and-exchange; who finds it
 * claimed goes on, so that an NMI never waits for whom it interrupted.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/smp.h>

#include "stress.h"

#define PLACES 512
#define BURST_MAX 40
/* Large frames are written and compared sparsely: emulation is slow. */
#define DENSE 512

enum place_state {
	PLACE_EMPTY,
	PLACE_CLAIMED,
	PLACE_FULL,
};

struct held {
	void *frame;
	struct stress_pool *pool;
	u64 ticket;
	u32 size;
	u8 actor;
	u8 level;
	u16 cpu;
};

static struct place {
	atomic_t state;
	struct held held;
} places[PLACES];

DEFINE_PER_CPU(struct stress_done[STRESS_ACTOR_COUNT], stress_done);
atomic64_t stress_events[STRESS_EVENTS];
atomic_t stress_errors = ATOMIC_INIT(0);

static atomic64_t tickets = ATOMIC64_INIT(1);

#define done(actor, what) this_cpu_inc(stress_done[actor].what)

static const char *const actor_names[] = {
#define X(name) #name,
	STRESS_ACTORS(X)
#undef X
};

static u32 step_of(u32 size)
{
	return size <= DENSE ? 1 : 8;
}

static u64 word_of(const void *frame, u64 ticket, u32 i)
{
	return (ticket * 0x9e3779b97f4a7c15ULL ^ (unsigned long)frame) + i;
}

static void fill(void *frame, u32 size, u64 ticket)
{
	u32 i, step = step_of(size), words = size / 8;
	u64 *word = frame;

	for (i = 0; i < words; i += step)
		WRITE_ONCE(word[i], word_of(frame, ticket, i));
	if (words)
		WRITE_ONCE(word[words - 1], word_of(frame, ticket, words - 1));
}

static bool is_filled(const void *frame, u32 size, u64 ticket, u64 *found)
{
	u32 i, step = step_of(size), words = size / 8;
	const u64 *word = frame;

	for (i = 0; i < words; i += step) {
		*found = READ_ONCE(word[i]);
		if (*found != word_of(frame, ticket, i))
			return false;
	}
	if (!words)
		return true;
	*found = READ_ONCE(word[words - 1]);
	return *found == word_of(frame, ticket, words - 1);
}

/* Whom a fentry program is attached to, so that BPF runs at every level. */
noinline void stress_hook(u32 actor)
{
	barrier();
}

/* Compare and free. A frame that somebody else wrote to stays where it is: leaked, not spread. */
static void give_back(const struct held *h, enum stress_actor actor)
{
	u64 found = 0;

	if (unlikely(!is_filled(h->frame, h->size, h->ticket, &found))) {
		stress_error("content: frame of %u bytes, allocated by %s at level %u on CPU %u, has two owners: %#llx found by %s at level %u on CPU %u",
			     h->size, actor_names[h->actor], h->level, h->cpu, found,
			     actor_names[actor], interrupt_context_level(),
			     raw_smp_processor_id());
		return;
	}
	/* Should somebody else hold it too, it is no longer as that one left it. */
	fill(h->frame, h->size, 0);
	kcoro_pool_free(stress_pool_of(h->pool), h->frame, h->size);
	done(actor, frees);
	if (h->cpu != raw_smp_processor_id())
		done(actor, other_cpu);
	if (h->level != interrupt_context_level())
		done(actor, other_level);
	stress_pool_put(h->pool);
}

static u32 random_size(struct stress_rng *rng)
{
	/* Small ones more often: two draws, the smaller counts; now and then a large one. */
	u32 cls = min(stress_below(rng, KCORO_CLASSES), stress_below(rng, KCORO_CLASSES));
	u32 most = KCORO_CLASS_SIZE(cls), least = cls ? KCORO_CLASS_SIZE(cls - 1) + 1 : 1;

	if (!stress_below(rng, 128))
		return KCORO_FRAME_SIZE_MAX + 1 +
		       stress_below(rng, KCORO_FRAME_LARGE_MAX - KCORO_FRAME_SIZE_MAX);
	switch (stress_below(rng, 4)) {
	case 0:
		return least;
	case 1:
		return most;
	default:
		return least + stress_below(rng, most - least + 1);
	}
}

static gfp_t random_gfp(enum stress_actor actor, struct stress_rng *rng)
{
	static const gfp_t any[] = {
		KCORO_GFP_AUTO, GFP_ATOMIC, GFP_NOWAIT, GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO,
		/* From here on: sleeping, or in NMI, where flags are ignored. */
		GFP_KERNEL, GFP_NOIO, GFP_KERNEL | __GFP_ZERO, GFP_KERNEL_ACCOUNT,
	};
	bool all = actor == STRESS_kthread || actor == STRESS_work || in_nmi();

	return any[stress_below(rng, all ? ARRAY_SIZE(any) : 4)];
}

static void *allocate(struct stress_pool *pool, u32 size, gfp_t gfp, enum stress_actor actor)
{
	struct kcoro_pool *p = stress_pool_of(pool);
	void *frame;

	/* The compile-time classes too. */
	if (gfp == KCORO_GFP_AUTO && size == 64)
		frame = kcoro_pool_alloc(p, 64);
	else if (gfp == KCORO_GFP_AUTO && size == 8192)
		frame = kcoro_pool_alloc(p, 8192);
	else
		frame = kcoro_pool_alloc_gfp(p, size, gfp);
	if (!frame) {
		done(actor, failures);
		stress_pool_failed(pool, size);
		return NULL;
	}
	done(actor, allocs);
	if (unlikely(!IS_ALIGNED((unsigned long)frame, 64)))
		stress_error("alignment: frame of %u bytes", size);
	if (unlikely(stress_pool_is_zeroed(pool) && memchr_inv(frame, 0, size)))
		stress_error("zero: frame of %u bytes is not", size);
	return frame;
}

static void put_on_shelf(struct place *place, enum stress_actor actor, struct stress_rng *rng)
{
	struct stress_pool *pool = stress_pool_get(rng);
	u32 size = random_size(rng);
	u64 ticket;
	void *frame;

	if (!pool)
		return;
	frame = allocate(pool, size, random_gfp(actor, rng), actor);
	if (!frame) {
		stress_pool_put(pool);
		return;
	}
	ticket = atomic64_inc_return(&tickets);
	fill(frame, size, ticket);
	/* Notes for the reader of a failure; the task may move on meanwhile. */
	const struct held h = {
		.frame = frame, .pool = pool, .ticket = ticket, .size = size, .actor = actor,
		.level = interrupt_context_level(), .cpu = raw_smp_processor_id(),
	};
	if (atomic_cmpxchg(&place->state, PLACE_EMPTY, PLACE_CLAIMED) != PLACE_EMPTY) {
		give_back(&h, actor);
		return;
	}
	place->held = h;
	atomic_set_release(&place->state, PLACE_FULL);
}

static bool take_off_shelf(struct place *place, enum stress_actor actor)
{
	struct held h;

	if (atomic_cmpxchg(&place->state, PLACE_FULL, PLACE_CLAIMED) != PLACE_FULL)
		return false;
	h = place->held;
	atomic_set_release(&place->state, PLACE_EMPTY);
	give_back(&h, actor);
	return true;
}

/* Many of one class at once: past what a magazine holds, and past a batch. */
static void burst(enum stress_actor actor, struct stress_rng *rng)
{
	struct stress_pool *pool = stress_pool_get(rng);
	gfp_t gfp = random_gfp(actor, rng);
	u32 size = min(random_size(rng), 2048U), n, want;
	void *frames[BURST_MAX];
	u64 ticket;

	if (!pool)
		return;
	want = 1 + stress_below(rng, size <= DENSE ? BURST_MAX : 8);
	ticket = atomic64_add_return(want, &tickets);
	for (n = 0; n < want; n++) {
		frames[n] = allocate(pool, size, gfp, actor);
		if (!frames[n])
			break;
		fill(frames[n], size, ticket - n);
	}
	done(actor, bursts);
	while (n--) {
		u64 found;

		if (unlikely(!is_filled(frames[n], size, ticket - n, &found))) {
			stress_error("content: frame of %u bytes in a burst of %s at level %u has two owners: %#llx found",
				     size, actor_names[actor], interrupt_context_level(), found);
			continue;
		}
		fill(frames[n], size, 0);
		kcoro_pool_free(stress_pool_of(pool), frames[n], size);
		done(actor, frees);
	}
	stress_pool_put(pool);
}

/* None of these changes anything. */
static void bad_calls(enum stress_actor actor, struct stress_rng *rng)
{
	struct stress_pool *pool = stress_pool_get(rng);
	static u64 nothing[8] __aligned(64);
	/* In 64 bits: in 32 the sum would now and then be a good size. */
	size_t too_large = (size_t)KCORO_FRAME_LARGE_MAX + 1 + stress_random(rng);
	struct kcoro_frame_counters c;
	struct kcoro_pool *p;

	if (!pool)
		return;
	p = stress_pool_of(pool);
	kcoro_pool_free(p, NULL, 64);
	kcoro_pool_free(p, nothing, 0);
	kcoro_pool_free(p, nothing, too_large);
	if (kcoro_pool_alloc(p, 0) ||
	    kcoro_pool_alloc_gfp(p, too_large, GFP_ATOMIC) ||
	    kcoro_pool_read(p, KCORO_LEVELS + stress_random(rng) / 2, 0, &c) != -EINVAL ||
	    kcoro_pool_read(p, 0, KCORO_CLASSES + stress_random(rng) / 2, &c) != -EINVAL)
		stress_error("bad_call: was not refused");
	stress_pool_failed(pool, too_large);
	done(actor, bad_calls);
	stress_pool_put(pool);
}

void stress_step(enum stress_actor actor, struct stress_rng *rng)
{
	struct place *place = &places[stress_below(rng, PLACES)];
	u32 what = stress_below(rng, 64);

	stress_hook(actor);
	if (what < 3)
		burst(actor, rng);
	else if (what < 4)
		bad_calls(actor, rng);
	else if (what < 16)
		stress_coro_step(rng);
	else if (!take_off_shelf(place, actor))
		put_on_shelf(place, actor, rng);
}

void stress_shelf_clear(struct stress_pool *pool)
{
	u32 i;

	for (i = 0; i < PLACES; i++) {
		struct place *place = &places[i];

		/* Who put a frame there in between holds the pool; the next round gets it. */
		if (atomic_read(&place->state) == PLACE_FULL && (!pool || place->held.pool == pool))
			take_off_shelf(place, STRESS_kthread);
	}
}
