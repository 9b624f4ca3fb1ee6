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

const struct kcoro_test_case kcoro_coro_key_cases[] = {
	{ "await_keys", run_keys },
	{ "await_key_table_goes", run_table_goes },
	{}
};
