// SPDX-License-Identifier: GPL-2.0-only
/*
 * cxx.c - the same as coro.c for bodies in C++: what they take to await a leaf, to be woken by an
 * event, to be spawned. The patterns are those of coro.c. Subjects:
 *
 *   kcoro_cxx            event_wake: the core's event, as bodies in C await it
 *   kcoro_cxx_own_event  event_wake: the C++ library's
 */
#include <linux/bottom_half.h>
#include <linux/err.h>
#include <linux/module.h>

#include <kcoro/kcoro.h>

#include "bench.h"
#include "cxx.h"

#define MANY BENCH_PAIRS
/* So many that the body that awaits them does not count. */
#define AWAITS (16 * BENCH_PAIRS)

static struct kcoro_scope *scope;

static int setup(const struct bench_entry *e)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "bench_cxx",
	};

	scope = kcoro_scope_create(&attr);
	return PTR_ERR_OR_ZERO(scope);
}

static void teardown(void)
{
	kcoro_scope_destroy(scope);
}

static int setup_waiters(const struct bench_entry *e)
{
	bool own = !strcmp(e->subject, "kcoro_cxx_own_event");
	unsigned int i;
	int err = setup(e);

	if (err)
		return err;
	for (i = 0; i < MANY && !err; i++) {
		kcoro_event_init(&bench_events[i], true);
		local_bh_disable();
		err = own ? bench_cxx_follow_own(scope, i) :
			    bench_cxx_follow(scope, &bench_events[i]);
		local_bh_enable();
	}
	if (err)
		teardown();
	return err;
}

static bool await_leaf(struct bench_batch *b)
{
	int err;

	bench_begin(b);
	err = bench_cxx_await(AWAITS);
	bench_end(b);
	return !err;
}

static bool wake_own(struct bench_batch *b)
{
	unsigned int i;

	bench_begin(b);
	local_bh_disable();
	for (i = 0; i < MANY; i++)
		bench_cxx_set_own(i);
	local_bh_enable();
	bench_end(b);
	return true;
}

static bool spawn_kick(struct bench_batch *b)
{
	unsigned int i;
	int err = 0;

	bench_begin(b);
	local_bh_disable();
	for (i = 0; i < MANY && !err; i++)
		err = bench_cxx_spawn(scope);
	local_bh_enable();
	bench_end(b);
	return !err;
}

#define ROW(subject_, op, pat, n, set, run_)					\
	{									\
		.subject = subject_, .operation = op, .pattern = pat, .pairs = (n), \
		.levels = BENCH_TASK, .setup = set, .teardown = teardown, .run = run_, \
	}

const struct bench_entry bench_cxx[] = {
	ROW("kcoro_cxx", "await_leaf", "hot", AWAITS, setup, await_leaf),
	ROW("kcoro_cxx", "event_wake", "here", MANY, setup_waiters, bench_wake_here),
	ROW("kcoro_cxx", "event_wake", "kick", MANY, setup_waiters, bench_wake_kick),
	ROW("kcoro_cxx", "event_wake", "cold", 1, setup_waiters, bench_wake_cold),
	ROW("kcoro_cxx_own_event", "event_wake", "kick", MANY, setup_waiters, wake_own),
	ROW("kcoro_cxx", "spawn_finish", "kick", MANY, setup, spawn_kick),
	{}
};
