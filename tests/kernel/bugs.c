// SPDX-License-Identifier: GPL-2.0-only
/*
 * bugs.c - kcoro_bugs.ko: misuses a frame, a pool or a scope when it is loaded, as bug=NAME
 * says: a frame, so that frame_debug=1 has something to tell. Each bug is one function,
 * whose name must then stand in the log.
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/string.h>

#include <kcoro/kcoro.h>

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "what to do wrong");

/* The compiler must not see that it is wrong. */
static noinline u8 *frame_of(struct kcoro_pool *pool, size_t size)
{
	u8 *frame = kcoro_pool_alloc(pool, size);

	if (frame)
		memset(frame, 1, size);
	OPTIMIZER_HIDE_VAR(frame);
	return frame;
}

static noinline void no_bug(struct kcoro_pool *pool)
{
	kcoro_pool_free(pool, frame_of(pool, 128), 128);
}

static noinline void double_free(struct kcoro_pool *pool)
{
	u8 *frame = frame_of(pool, 128);

	kcoro_pool_free(pool, frame, 128);
	OPTIMIZER_HIDE_VAR(frame);
	kcoro_pool_free(pool, frame, 128);
}

static noinline void wrong_size(struct kcoro_pool *pool)
{
	kcoro_pool_free(pool, frame_of(pool, 128), 256);
}

static noinline void wrong_pool(struct kcoro_pool *pool)
{
	kcoro_pool_free(kcoro_pool_default(), frame_of(pool, 128), 128);
}

static noinline void no_frame(struct kcoro_pool *pool)
{
	u8 *frame = frame_of(pool, 8192);

	kcoro_pool_free(pool, frame + 4096, 128);
	kcoro_pool_free(pool, frame, 8192);
}

static noinline void write_past_end(struct kcoro_pool *pool)
{
	u8 *frame = frame_of(pool, 128);

	frame[128 + 3] = 2;
	kcoro_pool_free(pool, frame, 128);
}

static noinline void write_before(struct kcoro_pool *pool)
{
	u8 *frame = frame_of(pool, 128);

	frame[-5] = 2;
	kcoro_pool_free(pool, frame, 128);
}

static noinline void use_after_free(struct kcoro_pool *pool)
{
	u8 *frame = frame_of(pool, 128);

	kcoro_pool_free(pool, frame, 128);
	OPTIMIZER_HIDE_VAR(frame);
	frame[7] = 2;
}

static noinline void leak(struct kcoro_pool *pool)
{
	frame_of(pool, 128);
}

/* The pool ends first: it says so, and stays, because of frees like this one. */
static noinline void late_free(struct kcoro_pool *pool)
{
	u8 *frame = frame_of(pool, 128);

	kcoro_pool_destroy(pool);
	kcoro_pool_free(pool, frame, 128);
}

/* With frames cached, and a reserve. */
static noinline void forgotten(struct kcoro_pool *pool)
{
	no_bug(pool);
	if (kcoro_pool_reserve(pool, 512, 100))
		pr_err("kcoro_bugs: no reserve\n");
}

static struct kcoro_event never;

static long wait_forever(struct kcoro_coro *co)
{
	long got;

	KCORO_BEGIN(co);
	KCORO_AWAIT(got, kcoro_event_await(co, &never));
	KCORO_END(got);
}

static void tell_end(struct kcoro_coro *co)
{
	pr_info("kcoro_bugs: the body has ended\n");
}

/* With a body that is suspended, and code of this module to run when it ends. */
static noinline void forgotten_scope(struct kcoro_pool *pool)
{
	static const struct kcoro_desc desc = {
		.owner = THIS_MODULE, .name = "forgotten", .frame_size = sizeof(struct kcoro_coro),
		.executor = KCORO_EXECUTOR_SOFTIRQ, .resume = wait_forever, .destroy = tell_end,
	};
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr), .owner = THIS_MODULE, .name = "bugs",
	};
	struct kcoro_scope *scope = kcoro_scope_create(&attr);
	struct kcoro_coro *co;

	kcoro_event_init(&never, false);
	co = IS_ERR(scope) ? ERR_CAST(scope) : kcoro_coro_create(scope, &desc);
	if (IS_ERR(co))
		pr_err("kcoro_bugs: no coroutine\n");
	else
		kcoro_coro_start_here(co);
}

static const struct {
	const char *name;
	void (*run)(struct kcoro_pool *pool);
	bool keeps_pool;	/* as it is, afterwards */
} bugs[] = {
	{ "none", no_bug },
	{ "double_free", double_free },
	{ "wrong_size", wrong_size },
	{ "wrong_pool", wrong_pool },
	{ "no_frame", no_frame },
	{ "write_past_end", write_past_end },
	{ "write_before", write_before },
	{ "use_after_free", use_after_free },
	{ "leak", leak },
	{ "late_free", late_free, true },
	{ "forgotten", forgotten, true },
	{ "forgotten_scope", forgotten_scope },
};

static int __init kcoro_bugs_init(void)
{
	const struct kcoro_pool_attr attr = { .size = sizeof(attr), .name = "bugs" };
	struct kcoro_pool *pool;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bug, bugs[i].name))
			continue;
		pool = kcoro_pool_create(&attr);
		if (IS_ERR(pool))
			return PTR_ERR(pool);
		bugs[i].run(pool);
		if (!bugs[i].keeps_pool)
			kcoro_pool_destroy(pool);
		return 0;
	}
	pr_err("kcoro_bugs: there is no bug=%s\n", bug);
	return -EINVAL;
}

static void __exit kcoro_bugs_exit(void)
{
}

module_init(kcoro_bugs_init);
module_exit(kcoro_bugs_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Provokes what kcoro's frame_debug=1 must tell");
