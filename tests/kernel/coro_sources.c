// SPDX-License-Identifier: GPL-2.0-only
/*
 * coro_sources.c - channels, wait queues, calls and completions; and a part of a body
 * that awaits.
 */
#include <linux/poll.h>

#include "awaiter.h"

/* Channels. */
static long await_send(struct awaiter *w)
{
	return kcoro_channel_send_await(&w->co, w->channel, w->value, w->timeout, w->ns);
}

static long await_receive(struct awaiter *w)
{
	return kcoro_channel_receive_await(&w->co, w->channel, &w->value, w->timeout, w->ns);
}

static struct awaiter *start_channel(long (*await)(struct awaiter *w), struct kcoro_channel *ch,
				     s64 value)
{
	struct awaiter *w = create(await);

	if (!w)
		return NULL;
	w->channel = ch;
	w->value = value;
	kcoro_coro_start(&w->co);
	return w;
}

static int channel_of(u32 capacity)
{
	static struct kcoro_channel ch;
	struct awaiter *s[4], *r[4];
	s64 slots[2], value;
	u32 i;

	kcoro_channel_init(&ch, slots, capacity);
	EXPECT(kcoro_channel_receive(&ch, &value) == -EAGAIN);
	/* What fits goes in at once, what does not waits in order. */
	for (i = 0; i < 4; i++) {
		s[i] = start_channel(await_send, &ch, i + 1);
		EXPECT(s[i]);
		EXPECT(i < capacity ? FINISHED(&s[i]->co) : SUSPENDED(&s[i]->co));
	}
	EXPECT(kcoro_channel_send(&ch, 99) == -EAGAIN);
	for (i = 0; i < 2; i++) {
		r[i] = start_channel(await_receive, &ch, 0);
		EXPECT(r[i]);
		EXPECT(FINISHED(&r[i]->co));
		EXPECT(r[i]->value == i + 1);
		EXPECT(result(r[i]) == 0);
	}
	for (i = 2; i < 4; i++) {
		EXPECT(!kcoro_channel_receive(&ch, &value));
		EXPECT(value == i + 1);
	}
	for (i = 0; i < 4; i++)
		EXPECT(result(s[i]) == 0);
	/* Receivers that wait are served in order, by a send from anywhere. */
	for (i = 0; i < 4; i++) {
		r[i] = start_channel(await_receive, &ch, 0);
		EXPECT(r[i]);
		EXPECT(SUSPENDED(&r[i]->co));
	}
	kcoro_coro_cancel(&r[1]->co);
	EXPECT(FINISHED(&r[1]->co));
	EXPECT(!kcoro_channel_send(&ch, 10));
	EXPECT(!kcoro_channel_send(&ch, 11));
	EXPECT(FINISHED(&r[0]->co) && r[0]->value == 10);
	EXPECT(FINISHED(&r[2]->co) && r[2]->value == 11);
	kcoro_channel_close(&ch);
	EXPECT(FINISHED(&r[3]->co));
	EXPECT(kcoro_coro_result(&r[3]->co) == -EPIPE);
	EXPECT(result(r[0]) == 0 && result(r[1]) == -ECANCELED && result(r[2]) == 0);
	EXPECT(result(r[3]) == -EPIPE);
	EXPECT(kcoro_channel_send(&ch, 1) == -EPIPE);
	EXPECT(kcoro_channel_receive(&ch, &value) == -EPIPE);
	return 0;
}

static int channels(void)
{
	return channel_of(0) ?: channel_of(1) ?: channel_of(2);
}

static int channel_close(void)
{
	static struct kcoro_channel ch;
	struct awaiter *s[3];
	s64 slots[1], value;
	int i;

	kcoro_channel_init(&ch, slots, 1);
	for (i = 0; i < 3; i++) {
		s[i] = start_channel(await_send, &ch, i + 1);
		EXPECT(s[i]);
		EXPECT(i ? SUSPENDED(&s[i]->co) : FINISHED(&s[i]->co));
	}
	kcoro_channel_close(&ch);
	EXPECT(result(s[0]) == 0);
	EXPECT(result(s[1]) == -EPIPE && result(s[2]) == -EPIPE);
	/* What was in it is still there. */
	EXPECT(!kcoro_channel_receive(&ch, &value) && value == 1);
	EXPECT(kcoro_channel_receive(&ch, &value) == -EPIPE);
	/* A timeout takes nothing. */
	kcoro_channel_init(&ch, slots, 0);
	s[0] = create(await_send);
	EXPECT(s[0]);
	s[0]->channel = &ch;
	s[0]->timeout = &s[0]->timer;
	s[0]->ns = NSEC_PER_MSEC;
	kcoro_coro_start(&s[0]->co);
	EXPECT(result(s[0]) == -ETIMEDOUT);
	EXPECT(kcoro_channel_receive(&ch, &value) == -EAGAIN);
	return 0;
}

/* Wait queues. */
static long await_queue(struct awaiter *w)
{
	if (!w->begun)
		kcoro_queue_prepare(&w->co, &w->queue_wait, w->queue);
	w->begun = true;
	return kcoro_queue_await(&w->co, &w->queue_wait, w->timeout, w->ns);
}

static int queues(void)
{
	static struct wait_queue_head head;
	struct awaiter *w;

	init_waitqueue_head(&head);
	w = create(await_queue);
	EXPECT(w);
	w->queue = &head;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	wake_up(&head);
	EXPECT(result(w) == 0);
	EXPECT(!waitqueue_active(&head));

	w = create(await_queue);
	EXPECT(w);
	w->queue = &head;
	w->timeout = &w->timer;
	w->ns = NSEC_PER_MSEC;
	kcoro_coro_start(&w->co);
	EXPECT(result(w) == -ETIMEDOUT);
	EXPECT(!waitqueue_active(&head));

	w = create(await_queue);
	EXPECT(w);
	w->queue = &head;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	kcoro_coro_kill(&w->co);
	EXPECT(result(w) == -EINTR);
	EXPECT(!waitqueue_active(&head));

	/* The queue goes. */
	w = create(await_queue);
	EXPECT(w);
	w->queue = &head;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	wake_up_pollfree(&head);
	EXPECT(result(w) == -ENOENT);
	return 0;
}

/* Calls and completions. */
static long sleeps(void *arg)
{
	usleep_range(1000, 2000);
	return *(int *)arg + 1;
}

static int call_arg = 6;

static long await_call(struct awaiter *w)
{
	return kcoro_call_await(&w->co, &w->call, sleeps, &call_arg);
}

static long await_completion(struct awaiter *w)
{
	return kcoro_completion_await(&w->co, &w->call, w->completion);
}

static int calls(void)
{
	static DECLARE_COMPLETION(completion);
	struct awaiter *w = create(await_call);

	EXPECT(w);
	kcoro_coro_start(&w->co);
	EXPECT(result(w) == 7);
	/* Killed meanwhile: it ends when the function has returned. */
	w = create(await_call);
	EXPECT(w);
	kcoro_coro_start(&w->co);
	kcoro_coro_kill(&w->co);
	EXPECT(result(w) == -EINTR);

	w = create(await_completion);
	EXPECT(w);
	w->completion = &completion;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	complete(&completion);
	EXPECT(result(w) == 0);
	w = create(await_completion);
	EXPECT(w);
	w->completion = &completion;
	kcoro_coro_start(&w->co);
	EXPECT(SUSPENDED(&w->co));
	kcoro_coro_cancel(&w->co);
	EXPECT(result(w) == -ECANCELED);
	return 0;
}

/* A part of a body that awaits, in a loop; and the kernel's wait_event(). */
struct parts {
	struct kcoro_coro co;
	struct kcoro_timer timer;
	struct kcoro_queue_wait wait;
	struct wait_queue_head *head;
	int *left;
	u16 point;
	int i;
	int sum;
};

static long part(struct kcoro_coro *co, struct parts *p)
{
	long err;

	KCORO_SUB_BEGIN(co, &p->point);
	KCORO_AWAIT(err, kcoro_timer_await(co, &p->timer, 1000));
	KCORO_YIELD();
	KCORO_END(err ?: p->i);
}

static long parts_body(struct kcoro_coro *co)
{
	struct parts *p = container_of(co, struct parts, co);
	long got;

	KCORO_BEGIN(co);
	for (p->i = 1; p->i <= 10; p->i++) {
		KCORO_AWAIT(got, part(co, p));
		if (got < 0)
			KCORO_RETURN(got);
		p->sum += got;
	}
	KCORO_WAIT_EVENT(got, co, &p->wait, p->head, !READ_ONCE(*p->left), NULL, 0);
	KCORO_END(got ?: p->sum);
}

static const struct kcoro_desc parts_desc = {
	.owner = THIS_MODULE,
	.name = "parts",
	.frame_size = sizeof(struct parts),
	.resume = parts_body,
};

static int parts(void)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &parts_desc);
	static struct wait_queue_head head;
	struct parts *p;
	int left = 3;
	s64 got;

	init_waitqueue_head(&head);
	EXPECT(!IS_ERR(co));
	p = container_of(kcoro_coro_get(co), struct parts, co);
	p->head = &head;
	p->left = &left;
	kcoro_coro_start(co);
	while (left) {
		EXPECT(SOON(waitqueue_active(&head)));
		WRITE_ONCE(left, left - 1);
		wake_up(&head);
	}
	EXPECT(FINISHED(co));
	got = kcoro_coro_result(co);
	kcoro_coro_put(co);
	EXPECT(got == 55);
	EXPECT(!waitqueue_active(&head));
	return 0;
}

CASE(channels)
CASE(channel_close)
CASE(queues)
CASE(calls)
CASE(parts)

const struct kcoro_test_case kcoro_coro_sources_cases[] = {
	{ "await_channels", run_channels },
	{ "await_channel_close", run_channel_close },
	{ "await_queues", run_queues },
	{ "await_calls", run_calls },
	{ "await_parts", run_parts },
	{}
};
