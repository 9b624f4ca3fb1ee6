// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame_debug.c - misuse of frames, told with class, owner and stacks.
 *
 * What is found, and when:
 *   double free, free with another size, to another pool,
 *   of what is no frame                      at that free; the free is then undone
 *                                            or put right, so that counters agree
 *   a write before or behind the frame       at the free (KASAN: at the write)
 *   a write after the free                   when the frame leaves the quarantine, at
 *                                            the latest when a pool ends (KASAN: at once)
 *   a read after the free                    KASAN and KFENCE only; else it reads 0x6b
 *   a leak                                   kmemleak; the pool's end on every kernel
 *
 * With KASAN a freed frame goes to the slab at once, because KASAN has a quarantine
 * of its own and sees reads too. Otherwise the QUARANTINE frames freed last are kept.
 *
 * prepare, release, flush: where the slab may be called. The others: any context,
 * NMI included. The states, each change made by who owns the frame at that time:
 *
 *   CACHED --alloc--> LIVE --free--> FREED --release--> slab
 *                      ^               |
 *                      +----alloc------+   (through a magazine: NMI, RT)
 *
 * LIVE -> FREED is a compare-and-exchange: of two frees at once, one is told.
 */
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "../context.h"
#include "frame_debug.h"
#include "pool.h"

#define STACK_DEPTH 8
#define QUARANTINE 256		/* frames */
#define ZONE_SIZE 64
#define ZONE_BYTE 0xbb
#define FRESH_BYTE 0x5a		/* what a new frame is filled with */
#define FREED_BYTE 0x6b		/* what a freed one is filled with, as the slab does it */

/* For a report that is not about one byte. */
#define NO_OFFSET LONG_MIN

/* KASAN has its own zone behind each object. */
#define ZONE_BEHIND (IS_ENABLED(CONFIG_KASAN) ? 0 : ZONE_SIZE)

enum frame_state {
	FRAME_CACHED = 0x6b63a001,
	FRAME_LIVE = 0x6b63a002,
	FRAME_FREED = 0x6b63a003,
};

struct stack {
	unsigned long entries[STACK_DEPTH];
	unsigned int depth;
	int cpu;
	pid_t pid;
	enum kcoro_level level;
};

/* KASAN keeps its notes in the first bytes of what was freed: nothing is read there then. */
struct header {
	u64 kasan[4];
	struct kcoro_deferred deferred;
	struct stack alloc;
	struct stack free;
	struct kcoro_pool *pool;
	char pool_name[KCORO_NAME_LEN];
	u32 cls;
	u32 state;
};

#define HEADER_SIZE (ALIGN(sizeof(struct header), 64) + ZONE_SIZE)

bool kcoro_frame_debug;
module_param_named(frame_debug, kcoro_frame_debug, bool, 0444);
MODULE_PARM_DESC(frame_debug, "make each frame a slab object with red zones and poison, and tell misuse (slow)");

/* A ring of frames that were freed last. */
static struct {
	raw_spinlock_t lock;
	void *frames[QUARANTINE];
	unsigned int next;
} quarantine = { .lock = __RAW_SPIN_LOCK_UNLOCKED(quarantine.lock) };

static struct header *header_of(void *frame)
{
	return frame - HEADER_SIZE;
}

/* Bytes of a slab object around a frame of @frame_size bytes. */
size_t kcoro_frame_debug_size(size_t frame_size)
{
	return HEADER_SIZE + frame_size + ZONE_BEHIND;
}

/* The note about a frame that waits to be freed: not in the frame, which is poisoned. */
struct kcoro_deferred *kcoro_frame_debug_deferred(void *frame)
{
	return &header_of(frame)->deferred;
}

void *kcoro_frame_debug_of_deferred(struct kcoro_deferred *deferred)
{
	return (void *)container_of(deferred, struct header, deferred) + HEADER_SIZE;
}

/*
 * A copy of a header that may have gone to the slab: KASAN must not object, because
 * what we find there is what we tell. Word by word, so that no memcpy() is made of it.
 */
static noinline __no_sanitize_address void header_peek(struct header *to, void *frame)
{
	const unsigned long *from = (const void *)header_of(frame);
	unsigned int i;

	for (i = 0; i < sizeof(*to) / sizeof(long); i++)
		((unsigned long *)to)[i] = READ_ONCE_NOCHECK(from[i]);
}

static void stack_save(struct stack *stack)
{
	/* Without this function and the one that calls it. */
	stack->depth = stack_trace_save(stack->entries, STACK_DEPTH, 2);
	stack->cpu = raw_smp_processor_id();
	stack->pid = current->pid;
	stack->level = kcoro_context_level();
}

static void stack_print(const char *what, const struct stack *stack)
{
	static const char *const levels[] = { "task", "softirq", "hardirq", "nmi" };
	unsigned int i;

	if (!stack->depth || stack->depth > STACK_DEPTH || stack->level >= KCORO_LEVELS)
		return;
	pr_err("kcoro: %s at level %s, PID %d on CPU %d:\n", what, levels[stack->level],
	       stack->pid, stack->cpu);
	for (i = 0; i < stack->depth; i++)
		pr_err("kcoro:  %pS\n", (void *)stack->entries[i]);
}

/* Who asked for the frame: the first caller outside of kcoro. */
static void *owner_of(const struct stack *stack)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, stack->depth, STACK_DEPTH); i++)
		if (!within_module(stack->entries[i], THIS_MODULE))
			return (void *)stack->entries[i];
	return (void *)stack->entries[0];
}

/* The trace at the end makes it a splat for whoever reads logs. */
static void report(const char *what, const struct header *h, ssize_t offset)
{
	pr_err("kcoro: frame error: %s: class %zu pool \"%.*s\" owner %ps\n", what,
	       h->cls < KCORO_CLASSES ? kcoro_class_size(h->cls) : 0, KCORO_NAME_LEN,
	       h->pool_name, owner_of(&h->alloc));
	if (offset != NO_OFFSET)
		pr_err("kcoro: the first wrong byte is byte %zd of the frame\n", offset);
	stack_print("allocated", &h->alloc);
	if (h->state != FRAME_LIVE)
		stack_print("freed", &h->free);
	pr_err("kcoro: found here:\n");
	dump_stack();
}

/* Zones and poison must be whole; what is not is told once, and put right. */
static void check_bytes(const char *what, void *frame, u8 *from, size_t size, u8 byte)
{
	const u8 *bad = memchr_inv(from, byte, size);

	if (!bad)
		return;
	report(what, header_of(frame), bad - (u8 *)frame);
	memset(from, byte, size);
}

static void check_zones(void *frame, unsigned int cls)
{
	check_bytes("a write before the frame", frame, frame - ZONE_SIZE, ZONE_SIZE, ZONE_BYTE);
	check_bytes("a write past the end", frame, frame + kcoro_class_size(cls), ZONE_BEHIND,
		    ZONE_BYTE);
}

static void check_poison(void *frame)
{
	struct header *h = header_of(frame);

	check_bytes("a write after the free", frame, frame, kcoro_class_size(h->cls), FREED_BYTE);
}

/**
 * kcoro_frame_debug_prepare() - make a frame of a slab object
 * @object: kcoro_frame_debug_size() bytes
 * @cls: class of the frame
 *
 * Return: the frame, CACHED.
 */
void *kcoro_frame_debug_prepare(void *object, unsigned int cls)
{
	struct header *h = object;
	void *frame = object + HEADER_SIZE;

	memset(h, 0, sizeof(*h));
	h->cls = cls;
	memset(frame - ZONE_SIZE, ZONE_BYTE, ZONE_SIZE);
	memset(frame, FREED_BYTE, kcoro_class_size(cls));
	memset(frame + kcoro_class_size(cls), ZONE_BYTE, ZONE_BEHIND);
	h->state = FRAME_CACHED;
	return frame;
}

/**
 * kcoro_frame_debug_alloc() - a frame is handed out
 * @pool: to whom it belongs from now on
 * @frame: CACHED or FREED, the caller's
 *
 * Context: any.
 */
void kcoro_frame_debug_alloc(struct kcoro_pool *pool, void *frame)
{
	struct header *h = header_of(frame);

	check_poison(frame);
	h->pool = pool;
	memcpy(h->pool_name, pool->name, sizeof(h->pool_name));
	stack_save(&h->alloc);
	h->free.depth = 0;
	memset(frame, FRESH_BYTE, kcoro_class_size(h->cls));
	/* Live only when all of the header is written. */
	smp_store_release(&h->state, FRAME_LIVE);
}

/**
 * kcoro_frame_debug_free() - a frame comes back: is all well with it?
 * @pool: in: what the caller says; out: the pool that it came from
 * @frame: what the caller says is a frame
 * @cls: likewise
 *
 * Context: any. Return: false when the free must not happen; it has been told then.
 * Else the frame is poisoned, FREED, and the caller's.
 */
bool kcoro_frame_debug_free(struct kcoro_pool **pool, void *frame, unsigned int *cls)
{
	struct header *h = header_of(frame), seen;

	header_peek(&seen, frame);
	if (seen.state != FRAME_LIVE) {
		if (seen.state == FRAME_FREED)
			report("double free", &seen, NO_OFFSET);
		else
			pr_err("kcoro: frame error: free of what is no frame\n"), dump_stack();
		return false;
	}
	/* In this order: what is reported is the frame as its owner had it. */
	if (seen.cls != *cls)
		report("free with the wrong size", h, NO_OFFSET);
	if (seen.pool != *pool)
		report("free to another pool", h, NO_OFFSET);
	check_zones(frame, seen.cls);
	if (cmpxchg(&h->state, FRAME_LIVE, FRAME_FREED) != FRAME_LIVE) {
		report("double free, at the same time", h, NO_OFFSET);
		return false;
	}
	stack_save(&h->free);
	memset(frame, FREED_BYTE, kcoro_class_size(seen.cls));
	*cls = seen.cls;
	*pool = seen.pool;
	return true;
}

static void give_back(void *frame)
{
	check_poison(frame);
	check_zones(frame, header_of(frame)->cls);
	kfree(header_of(frame));
}

/**
 * kcoro_frame_debug_release() - a frame that nobody has goes to the slab, by and by
 * @frame: CACHED or FREED
 */
void kcoro_frame_debug_release(void *frame)
{
	unsigned long flags;
	void *oldest;

	if (IS_ENABLED(CONFIG_KASAN)) {
		give_back(frame);
		return;
	}
	raw_spin_lock_irqsave(&quarantine.lock, flags);
	oldest = quarantine.frames[quarantine.next];
	quarantine.frames[quarantine.next] = frame;
	quarantine.next = (quarantine.next + 1) % QUARANTINE;
	raw_spin_unlock_irqrestore(&quarantine.lock, flags);
	if (oldest)
		give_back(oldest);
}

/* All that is in quarantine is looked at and goes to the slab. May sleep. */
void kcoro_frame_debug_flush(void)
{
	unsigned long flags;
	unsigned int i;
	void *frame;

	for (i = 0; kcoro_frame_debug && i < QUARANTINE; i++) {
		raw_spin_lock_irqsave(&quarantine.lock, flags);
		frame = quarantine.frames[i];
		quarantine.frames[i] = NULL;
		raw_spin_unlock_irqrestore(&quarantine.lock, flags);
		if (frame)
			give_back(frame);
	}
}
