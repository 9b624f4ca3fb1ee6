/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcoro_frame_map.bpf.h - a frame for each key of a BPF map, for those who prefer a map to a
 * keyed table (bpf_kcoro_table_enter()): it can be read and shared as any map, may be one of
 * the LRU kind; it has no deadlines, and tells nobody what it has evicted.
 *
 *	struct visit { __u64 packets; };	(the state; zero at first)
 *
 *	struct kcoro_take take = {};
 *	struct kcoro_map_frame *value = kcoro_map_value(&visits, &key);
 *	struct kcoro_frame *frame;
 *
 *	if (!value)
 *		return;
 *	frame = kcoro_map_take(&visits, value, &key, sizeof(key), sizeof(*visit), &take);
 *	if (!frame)
 *		return;				(take.error says why)
 *	visit = kcoro_map_state(frame, sizeof(key), sizeof(*visit));
 *	if (visit)
 *		visit->packets++;
 *	kcoro_map_put(value, frame);
 *
 * Who has taken a frame has it alone. It must be put back, or end with kcoro_map_drop() or
 * kcoro_map_end(); the verifier refuses a program that forgets it.
 *
 * Why not bpf_kptr_xchg() alone: an element that is deleted or evicted may keep its frame
 * (it does on 7.x), and the next key that gets its memory inherits it. So a frame has its
 * key and a generation, which its element has as well, and both are tested after each
 * exchange. The other way about a program may hold an element that meanwhile is another
 * key's; it must not touch that one's frame, and is told -ESTALE.
 *
 * For programs that may call bpf_kcoro_frame_alloc(). Include kcoro.bpf.h before.
 */
#ifndef KCORO_FRAME_MAP_BPF_H
#define KCORO_FRAME_MAP_BPF_H

#define KCORO_MAP_ENOMEM	12
#define KCORO_MAP_EBUSY		16
#define KCORO_MAP_EEXIST	17
#define KCORO_MAP_ESTALE	116

/* The value of the map. All zero in a new element. */
struct kcoro_map_frame {
	struct kcoro_frame __kptr *frame;
	__u64 generation;	/* of the frame that belongs here; 0: none was made yet */
};

/* What stands in front of the key and the state in each frame. */
struct kcoro_kept {
	__u64 generation;
};

struct kcoro_take {
	__u64 pool_id;		/* in: as for bpf_kcoro_frame_alloc_from() */
	__s32 error;		/* out: 0, or why NULL came back, a negative errno:
				 *  -EBUSY   another CPU has the frame
				 *  -ENOMEM  no frame to be had
				 *  -ESTALE  the element is another key's by now: look it up again
				 */
	__u16 created;		/* out: 1 when this call made the frame; its state is zero */
	__u16 inherited;	/* out: 1 when there was a frame that did not belong there */
};

/* The last generation; each program object has its own, and maps of its own. */
static __u64 kcoro_map_generation;

#define KCORO_MAP_KEY_ROOM(size)	(((size) + 7) & ~7UL)
#define KCORO_MAP_HEADER(key_size)	(sizeof(struct kcoro_kept) + KCORO_MAP_KEY_ROOM(key_size))

/*
 * kcoro_map_value - the element of a key, which is made when there is none
 * @map: a hash map with struct kcoro_map_frame as its value; may be LRU, and not preallocated
 *
 * NULL: the map is full, there is no memory, or somebody deleted it as soon as it was made.
 */
static __always_inline struct kcoro_map_frame *kcoro_map_value(void *map, const void *key)
{
	struct kcoro_map_frame *value = bpf_map_lookup_elem(map, key);
	struct kcoro_map_frame empty = {};
	long err;

	if (value)
		return value;
	err = bpf_map_update_elem(map, key, &empty, 1 /* BPF_NOEXIST */);
	if (err && err != -KCORO_MAP_EEXIST)
		return NULL;
	return bpf_map_lookup_elem(map, key);
}

/* Of a frame that is taken: its state, or NULL when it is smaller. Sizes are constants. */
static __always_inline void *kcoro_map_state(struct kcoro_frame *frame, const size_t key_size,
					     const size_t state_size)
{
	__u8 *data = bpf_kcoro_frame_data(frame, KCORO_MAP_HEADER(key_size) + state_size);

	return data ? data + KCORO_MAP_HEADER(key_size) : NULL;
}

static __always_inline __u64 kcoro_map_generation_of(struct kcoro_frame *frame)
{
	struct kcoro_kept *kept = (void *)bpf_kcoro_frame_data(frame, sizeof(*kept));

	return kept ? kept->generation : 0;
}

static __always_inline bool kcoro_map_is_key(struct kcoro_frame *frame, const void *key,
					     const size_t key_size)
{
	__u8 *data = bpf_kcoro_frame_data(frame, KCORO_MAP_HEADER(key_size));
	const __u8 *wanted = key;
	__u8 differs = 0;

	if (!data)
		return false;
	for (size_t i = 0; i < key_size; i++)
		differs |= data[sizeof(struct kcoro_kept) + i] ^ wanted[i];
	return !differs;
}

/*
 * kcoro_map_drop - free a frame that was taken; the next one who takes makes another
 *
 * The element stays.
 */
static __always_inline void kcoro_map_drop(struct kcoro_map_frame *value,
					   struct kcoro_frame *frame)
{
	__u64 generation = kcoro_map_generation_of(frame);

	bpf_kcoro_frame_free(frame);
	__sync_val_compare_and_swap(&value->generation, generation, 0);
}

/*
 * kcoro_map_put - give a frame that was taken back to its element
 *
 * 0; -ESTALE: the element was deleted or evicted meanwhile, and the frame is freed.
 */
static __always_inline int kcoro_map_put(struct kcoro_map_frame *value, struct kcoro_frame *frame)
{
	volatile __u64 *now = &value->generation;
	__u64 generation = kcoro_map_generation_of(frame);
	struct kcoro_frame *old;

	if (*now != generation) {
		bpf_kcoro_frame_free(frame);
		return -KCORO_MAP_ESTALE;
	}
	old = bpf_kptr_xchg(&value->frame, frame);
	if (*now == generation) {
		if (old) /* inherited, and nobody has looked at it yet */
			bpf_kcoro_frame_free(old);
		return 0;
	}
	/* It was evicted between the two: what belongs there goes back. */
	if (old)
		frame = bpf_kptr_xchg(&value->frame, old);
	else
		frame = bpf_kptr_xchg(&value->frame, NULL);
	if (frame)
		kcoro_map_drop(value, frame);
	return -KCORO_MAP_ESTALE;
}

/*
 * This caller has given the element a generation: it makes the frame, if the element is still
 * the key's.
 */
static __always_inline struct kcoro_frame *
kcoro_map_make(void *map, struct kcoro_map_frame *value, __u64 generation, const void *key,
	       const size_t key_size, const size_t state_size, struct kcoro_take *take)
{
	struct kcoro_map_frame *of_key = bpf_map_lookup_elem(map, key);
	struct kcoro_frame *frame = NULL;
	struct kcoro_kept *kept;

	take->error = -KCORO_MAP_ESTALE;
	if (of_key && of_key->generation == generation) {
		take->error = -KCORO_MAP_ENOMEM;
		frame = bpf_kcoro_frame_alloc_from(take->pool_id,
						   KCORO_MAP_HEADER(key_size) + state_size);
	}
	if (!frame) {
		__sync_val_compare_and_swap(&value->generation, generation, 0);
		return NULL;
	}
	kept = (void *)bpf_kcoro_frame_data(frame, KCORO_MAP_HEADER(key_size));
	if (kept) {
		kept->generation = generation;
		__builtin_memcpy(kept + 1, key, key_size);
	}
	take->error = 0;
	take->created = 1;
	return frame;
}

/*
 * kcoro_map_take - take the frame of a key, which is made when there is none
 * @value: from kcoro_map_value()
 * @key: key_size bytes, a constant
 * @state_size: bytes of state, a constant
 * @take: in: pool_id; out: error, created, inherited
 *
 * A frame that the element has inherited is freed. NULL: see @take->error.
 */
static __always_inline struct kcoro_frame *
kcoro_map_take(void *map, struct kcoro_map_frame *value, const void *key, const size_t key_size,
	       const size_t state_size, struct kcoro_take *take)
{
	volatile __u64 *now = &value->generation;
	struct kcoro_frame *frame;
	__u64 generation = 0;

	take->error = 0;
	take->created = 0;
	take->inherited = 0;
	if (!*now) {
		generation = __sync_fetch_and_add(&kcoro_map_generation, 1) + 1;
		if (__sync_val_compare_and_swap(&value->generation, 0, generation))
			generation = 0; /* another CPU makes it */
	}
	frame = bpf_kptr_xchg(&value->frame, NULL);
	if (frame && kcoro_map_generation_of(frame) == *now) {
		if (kcoro_map_is_key(frame, key, key_size))
			return frame;
		/* Not the frame is foreign here, but we are. */
		kcoro_map_put(value, frame);
		take->error = -KCORO_MAP_ESTALE;
		return NULL;
	}
	if (frame) {
		take->inherited = 1;
		bpf_kcoro_frame_free(frame);
	}
	if (generation)
		return kcoro_map_make(map, value, generation, key, key_size, state_size, take);
	take->error = -KCORO_MAP_EBUSY;
	return NULL;
}

/*
 * kcoro_map_end - free a frame that was taken, and delete its element
 *
 * Only who has the frame may delete the element: so no frame is left in it, and none is on
 * its way there. What bpf_map_delete_elem() returns.
 */
static __always_inline long kcoro_map_end(void *map, const void *key, struct kcoro_frame *frame)
{
	bpf_kcoro_frame_free(frame);
	return bpf_map_delete_elem(map, key);
}

#endif /* KCORO_FRAME_MAP_BPF_H */
