// SPDX-License-Identifier: GPL-2.0-only
/*
 * key.c - a C++ coroutine awaits, or holds, a key of a keyed table. Declared in
 * include/kcoro/cxx.h; how keys are woken stands in ../coro/key.c.
 *
 * Contexts: a step of the coroutine.
 */
#include <linux/module.h>

#include "../coro/table.h"
#include "../coro/wait.h"
#include "cxx.h"

static_assert(sizeof(struct kcoro_key_wait) <= KCORO_CXX_KEY_ROOM);
static_assert(sizeof(struct kcoro_key_hold) <= KCORO_CXX_KEY_HOLD_ROOM);
/* One that is held is left as any other. */
static_assert(!offsetof(struct kcoro_key_hold, wait));

int kcoro_cxx_key_wait(struct kcoro_coro *co, void *room, struct kcoro_cxx_wait *cxx,
		       unsigned long long table_id, const void *key, unsigned int key_size)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);
	int err = kcoro_key_or_wait(co, room, wait, table_id, key, key_size);

	return err ?: kcoro_cxx_waits(wait);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_key_wait);

int kcoro_cxx_key_leave(void *room, struct kcoro_cxx_wait *cxx)
{
	return kcoro_cxx_left(kcoro_cxx_wait_of(cxx), kcoro_key_leave(room));
}
EXPORT_SYMBOL_GPL(kcoro_cxx_key_leave);

int kcoro_cxx_key_hold(struct kcoro_coro *co, void *room, unsigned long long table_id,
		       const void *key, unsigned int key_size, unsigned int flags)
{
	return kcoro_key_hold(co, room, table_id, key, key_size, flags);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_key_hold);

int kcoro_cxx_key_next(void *room, struct kcoro_cxx_wait *cxx)
{
	struct kcoro_wait *wait = kcoro_cxx_wait_of(cxx);
	long err = kcoro_key_next_or_wait(room, wait);

	return err == KCORO_WAIT ? kcoro_cxx_waits(wait) : err;
}
EXPORT_SYMBOL_GPL(kcoro_cxx_key_next);

void kcoro_cxx_key_release(void *room)
{
	kcoro_key_release(room);
}
EXPORT_SYMBOL_GPL(kcoro_cxx_key_release);
