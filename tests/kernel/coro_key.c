// SPDX-License-Identifier: GPL-2.0-only
/* coro_key.c - coroutines that await a key of a keyed table. */
#include "coro.h"

struct asker {
	struct kcoro_coro co;
	struct kcoro_key_wait wait;
	struct kcoro_timer timer;
	u64 table;
	u64 ns;
	u32 key;
	u32 key_size;
	s64 value;
};

static struct kcoro_scope *scope;
static struct kcoro_table *table;
static u64 id;

static long ask(struct kcoro_coro *co)
{
	struct asker *a = container_of(co, struct asker, co);
	long err;

	KCORO_BEGIN(co);
	KCORO_AWAIT(err, kcoro_key_await(co, &a->wait, a->table, &a->key, a->key_size, &a->value,
					 a->ns ? &a->timer : NULL, a->ns));
	KCORO_END(err ?: a->value);
}

static const struct kcoro_desc asker_desc = {
	.owner = THIS_MODULE,
	.name = "asker",
	.frame_size = sizeof(struct asker),
	.resume = ask,
};

static struct kcoro_coro *start(u32 key, u64 ns)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &asker_desc);
	struct asker *a;

	if (IS_ERR(co))
		return co;
	a = container_of(kcoro_coro_get(co), struct asker, co);
	a->table = id;
	a->key = key;
	a->key_size = sizeof(key);
	a->ns = ns;
	kcoro_coro_start(co);
	return co;
}

static s64 result(struct kcoro_coro *co)
{
	s64 got = FINISHED(co) ? kcoro_coro_result(co) : -EINPROGRESS;

	kcoro_coro_put(co);
	return got;
}

static int keys(void)
{
	struct kcoro_coro *one, *two, *other;
	struct asker *a;
	u32 key = 5, unknown = 6;

	EXPECT(kcoro_key_wake(id, &key, sizeof(key), 1) == -ENOENT);
	one = start(5, 0);
	EXPECT(!IS_ERR(one) && SUSPENDED(one));
	two = start(5, 0);
	other = start(7, 0);
	EXPECT(!IS_ERR(two) && !IS_ERR(other) && SUSPENDED(two) && SUSPENDED(other));
	EXPECT(kcoro_key_wake(id, &unknown, sizeof(unknown), 1) == -ENOENT);
	EXPECT(kcoro_key_wake(id, &key, 3, 1) == -EINVAL);
	EXPECT(kcoro_key_wake(id + 1, &key, sizeof(key), 1) == -ESTALE);
	/* The oldest first. */
	EXPECT(!kcoro_key_wake(id, &key, sizeof(key), 11));
	EXPECT(result(one) == 11);
	EXPECT(kcoro_coro_status(two) == KCORO_STATUS_SUSPENDED);
	EXPECT(!kcoro_key_wake(id, &key, sizeof(key), 12));
	EXPECT(result(two) == 12);
	EXPECT(kcoro_key_wake(id, &key, sizeof(key), 13) == -ENOENT);
	kcoro_coro_cancel(other);
	EXPECT(result(other) == -ECANCELED);
	key = 7;
	EXPECT(kcoro_key_wake(id, &key, sizeof(key), 1) == -ENOENT);
	one = start(5, NSEC_PER_MSEC);
	EXPECT(!IS_ERR(one) && result(one) == -ETIMEDOUT);

	/* All of them, one who holds it among them; none. */
	EXPECT(kcoro_key_wake_all(id, &unknown, sizeof(unknown), 1) == -ENOENT);
	EXPECT(kcoro_key_wake_all(id, &key, 3, 1) == -EINVAL);
	EXPECT(kcoro_key_wake_all(id + 1, &key, sizeof(key), 1) == -ESTALE);
	EXPECT(kcoro_key_status(id, &unknown, sizeof(unknown)) == -ENOENT);
	EXPECT(kcoro_key_status(id, &key, 3) == -EINVAL);
	EXPECT(kcoro_key_status(id + 1, &key, sizeof(key)) == -ESTALE);
	EXPECT(kcoro_key_cancel(id, &key, 3) == -EINVAL);
	EXPECT(kcoro_key_cancel(id + 1, &key, sizeof(key)) == -ESTALE);
	one = start(7, 0);
	two = start(7, 3600ULL * NSEC_PER_SEC);
	EXPECT(!IS_ERR(one) && !IS_ERR(two) && SUSPENDED(one) && SUSPENDED(two));
	EXPECT(kcoro_key_wake_all(id, &key, sizeof(key), 21) == 2);
	EXPECT(result(one) == 21 && result(two) == 21);
	one = start(7, 0);
	two = start(7, 0);
	EXPECT(!IS_ERR(one) && !IS_ERR(two) && SUSPENDED(one) && SUSPENDED(two));
	EXPECT(kcoro_key_status(id, &key, sizeof(key)) == KCORO_STATUS_SUSPENDED);
	EXPECT(kcoro_key_cancel(id, &key, sizeof(key)) == 2);
	EXPECT(result(one) == -ECANCELED && result(two) == -ECANCELED);
	EXPECT(kcoro_key_cancel(id, &key, sizeof(key)) == -ENOENT);

	/* A wrong length, and no such table. */
	one = kcoro_coro_create(scope, &asker_desc);
	EXPECT(!IS_ERR(one));
	a = container_of(kcoro_coro_get(one), struct asker, co);
	a->table = id;
	a->key_size = 8;
	kcoro_coro_start(one);
	EXPECT(result(one) == -EINVAL);
	one = kcoro_coro_create(scope, &asker_desc);
	EXPECT(!IS_ERR(one));
	a = container_of(kcoro_coro_get(one), struct asker, co);
	a->table = id + 1;
	a->key_size = sizeof(key);
	kcoro_coro_start(one);
	EXPECT(result(one) == -ESTALE);
	return 0;
}

#define MANY 200

/* The table goes, and with it what is awaited; one of them is cancelled meanwhile. */
static int table_goes(void)
{
	static struct kcoro_coro *co[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		co[i] = start(i % 50, i & 1 ? 3600ULL * NSEC_PER_SEC : 0);
		EXPECT(!IS_ERR(co[i]));
	}
	for (i = 0; i < MANY; i++)
		EXPECT(SUSPENDED(co[i]));
	kcoro_table_release(table);
	table = NULL;
	kcoro_coro_cancel(co[7]);
	for (i = 0; i < MANY; i++) {
		s64 got = result(co[i]);

		EXPECT(got == -ESTALE || (i == 7 && got == -ECANCELED));
	}
	return 0;
}

/* Holds a key; waits for an event in between, and takes what has come then. */
struct holder {
	struct kcoro_coro co;
	struct kcoro_key_hold hold;
	struct kcoro_timer timer;
	struct kcoro_event *go;
	u32 key;
	u32 flags;
	u64 ns;
	s64 value;
	s64 sum;
};

static struct kcoro_event go;
static int released;

static long hold(struct kcoro_coro *co)
{
	struct holder *h = container_of(co, struct holder, co);
	long err;

	KCORO_BEGIN(co);
	err = kcoro_key_hold(co, &h->hold, id, &h->key, sizeof(h->key), h->flags);
	if (err)
		KCORO_RETURN(err);
	KCORO_AWAIT(err, kcoro_event_await(co, &go));
	do {
		KCORO_AWAIT(err, kcoro_key_next_await(co, &h->hold, &h->value, &h->timer, h->ns));
		if (!err)
			h->sum = h->sum * 10 + h->value;
	} while (!err && h->value);
	KCORO_END(err ?: h->sum);
}

static void hold_end(struct kcoro_coro *co)
{
	struct holder *h = container_of(co, struct holder, co);

	kcoro_key_release(&h->hold);
	released++;
}

static const struct kcoro_desc holder_desc = {
	.owner = THIS_MODULE,
	.name = "holder",
	.frame_size = sizeof(struct holder),
	.resume = hold,
	.destroy = hold_end,
};

static struct kcoro_coro *start_holder(u32 key, u32 flags, u64 ns)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &holder_desc);
	struct holder *h;

	if (IS_ERR(co))
		return co;
	h = container_of(kcoro_coro_get(co), struct holder, co);
	h->key = key;
	h->flags = flags;
	h->ns = ns;
	kcoro_coro_start(co);
	return co;
}

static int holds(void)
{
	u64 never = 3600ULL * NSEC_PER_SEC;
	struct kcoro_coro *one, *two;
	u32 key = 9;
	int i;

	kcoro_event_init(&go, false);
	released = 0;
	one = start_holder(key, 0, never);
	EXPECT(!IS_ERR(one) && SUSPENDED(one));
	two = start_holder(key, KCORO_KEY_ONLY, 0);
	EXPECT(!IS_ERR(two) && result(two) == -EEXIST);
	two = start_holder(key, 1U << 5, 0);
	EXPECT(!IS_ERR(two) && result(two) == -EINVAL);
	/* It waits for something else: they are kept, as many as there is room for. */
	for (i = 1; i <= KCORO_KEY_VALUES; i++)
		EXPECT(!kcoro_key_wake(id, &key, sizeof(key), i));
	EXPECT(kcoro_key_wake(id, &key, sizeof(key), 5) == -ENOSPC);
	EXPECT(kcoro_key_wake_all(id, &key, sizeof(key), 5) == 0);
	kcoro_event_set(&go);
	EXPECT(SOON(!kcoro_key_wake(id, &key, sizeof(key), 5)));
	EXPECT(SOON(!kcoro_key_wake(id, &key, sizeof(key), 0)));
	EXPECT(result(one) == 123450);
	EXPECT(kcoro_key_wake(id, &key, sizeof(key), 1) == -ENOENT);
	/* In vain, and cancelled. */
	one = start_holder(key, KCORO_KEY_ONLY, NSEC_PER_MSEC);
	EXPECT(!IS_ERR(one) && result(one) == -ETIMEDOUT);
	one = start_holder(key, KCORO_KEY_ONLY, never);
	EXPECT(!IS_ERR(one) && SUSPENDED(one));
	kcoro_coro_cancel(one);
	EXPECT(result(one) == -ECANCELED);
	EXPECT(SOON(released == 5));
	return 0;
}

/* The table goes while it holds a key: waiting for it, and not. */
static int holds_table_goes(void)
{
	struct kcoro_coro *one, *two;

	kcoro_event_init(&go, false);
	two = start_holder(8, 0, 3600ULL * NSEC_PER_SEC);
	EXPECT(!IS_ERR(two) && SUSPENDED(two));
	kcoro_event_set(&go);
	EXPECT(SOON(READ_ONCE(two->wait.kind) == KCORO_WAIT_KEY));
	kcoro_event_reset(&go);
	one = start_holder(9, 0, 0);
	EXPECT(!IS_ERR(one) && SUSPENDED(one));
	kcoro_table_release(table);
	table = NULL;
	EXPECT(result(two) == -ESTALE);
	kcoro_event_set(&go);
	EXPECT(result(one) == -ESTALE);
	return 0;
}

/* The scope goes; what it holds is killed. */
static int holds_killed(void)
{
	int i;

	kcoro_event_init(&go, false);
	released = 0;
	for (i = 0; i < 20; i++) {
		struct kcoro_coro *co = start_holder(i, 0, 3600ULL * NSEC_PER_SEC);

		EXPECT(!IS_ERR(co) && SUSPENDED(co));
		kcoro_coro_put(co);
		if (i == 9)
			kcoro_event_set(&go);
	}
	EXPECT(!kcoro_scope_destroy(scope));
	scope = NULL;
	EXPECT(released == 20);
	for (i = 0; i < 20; i++)
		EXPECT(kcoro_key_wake(id, &i, sizeof(i), 1) == -ENOENT);
	return 0;
}

static int with_table(int (*run)(void))
{
	const struct kcoro_table_attr attr = {
		.key_size = 4, .frame_size = 64, .max_entries = 64, .name = "keys",
	};
	int line;

	scope = test_scope(0, 0);
	EXPECT(!IS_ERR(scope));
	table = kcoro_table_create(&attr);
	EXPECT(!IS_ERR(table));
	id = kcoro_table_id(table);
	line = run();
	if (table)
		kcoro_table_release(table);
	if (scope)
		EXPECT(!kcoro_scope_destroy(scope));
	return line;
}

static int run_keys(void)
{
	return with_table(keys);
}

static int run_table_goes(void)
{
	return with_table(table_goes);
}

static int run_holds(void)
{
	return with_table(holds);
}

static int run_holds_table_goes(void)
{
	return with_table(holds_table_goes);
}

static int run_holds_killed(void)
{
	return with_table(holds_killed);
}

const struct kcoro_test_case kcoro_coro_key_cases[] = {
	{ "await_keys", run_keys },
	{ "await_key_table_goes", run_table_goes },
	{ "coro_key_hold", run_holds },
	{ "coro_key_hold_table_goes", run_holds_table_goes },
	{ "coro_key_hold_killed", run_holds_killed },
	{}
};
