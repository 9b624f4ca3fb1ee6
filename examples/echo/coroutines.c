// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * coroutines.c - the server as coroutines: one accepts, and there is one for each
 * connection. All are in a scope, which ends them.
 *
 * The bodies may sleep (KCORO_DESC_SLEEPS), because a socket's lock does: so each has a
 * work item of its own, and a kernel thread only while it runs.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "echo.h"

/* How long to leave alone what memory was short for. */
#define RETRY_NS (100 * NSEC_PER_MSEC)

/* With what kcoro puts behind it the frame has 256 bytes: all that an idle one has. */
struct connection {
	struct kcoro_coro co;
	struct kcoro_queue_wait wait;
	struct socket *sock;
	struct echo_buffer *buffer;
};

struct acceptor {
	struct kcoro_coro co;
	struct kcoro_queue_wait wait;
	struct kcoro_timer timer;
	struct socket *listener;
};

static struct kcoro_scope *scope;
static struct kcoro_event room;		/* a connection has ended */

static long connection_body(struct kcoro_coro *co)
{
	struct connection *c = container_of(co, struct connection, co);
	struct socket *sock = c->sock;
	struct echo_buffer *buffer = c->buffer;
	long err;

	KCORO_BEGIN(co);
	for (;;) {
		KCORO_WAIT_EVENT(err, co, &c->wait, sk_sleep(sock->sk), echo_can_receive(sock),
				 NULL, 0);
		if (err)
			KCORO_RETURN(err);
		buffer = echo_receive(sock);
		if (buffer == ERR_PTR(-EAGAIN)) {
			KCORO_YIELD();
			continue;
		}
		if (IS_ERR_OR_NULL(buffer))
			KCORO_RETURN(PTR_ERR(buffer));
		c->buffer = buffer;
		/* Nothing more is received before this is sent: TCP holds the client back. */
		while ((err = echo_send(sock, buffer)) == -EAGAIN) {
			if (echo_can_send(sock))
				KCORO_AWAIT(err, kcoro_timer_await(co, &buffer->timer, RETRY_NS));
			else
				KCORO_WAIT_EVENT(err, co, &c->wait, sk_sleep(sock->sk),
						 echo_can_send(sock), &buffer->timer,
						 echo_stall_ms * NSEC_PER_MSEC);
			if (err)
				break;
		}
		/* What the client does not take is not to be kept by TCP either. */
		if (err == -ETIMEDOUT)
			sock_no_linger(sock->sk);
		if (err)
			KCORO_RETURN(err);
		echo_buffer_free(buffer);
		c->buffer = NULL;
		/* A buffer each, in turns. */
		if (echo_can_receive(sock))
			KCORO_YIELD();
	}
	KCORO_END(0);
}

static void connection_destroy(struct kcoro_coro *co)
{
	struct connection *c = container_of(co, struct connection, co);

	echo_buffer_free(c->buffer);
	echo_close(c->sock);
	kcoro_event_set(&room);
}

static const struct kcoro_desc connection_desc = {
	.owner = THIS_MODULE,
	.name = "echo",
	.frame_size = sizeof(struct connection),
	.flags = KCORO_DESC_SLEEPS,
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = connection_body,
	.destroy = connection_destroy,
};

/* Without memory the connection is closed at once. */
static void connection_start(struct socket *sock)
{
	struct kcoro_coro *co = kcoro_coro_create(scope, &connection_desc);

	if (IS_ERR(co)) {
		echo_close(sock);
		return;
	}
	container_of(co, struct connection, co)->sock = sock;
	/* Where its packets come in, so that connections spread as packets do. */
	kcoro_coro_pin(co, READ_ONCE(sock->sk->sk_incoming_cpu));
	kcoro_coro_start(co);
}

static long acceptor_body(struct kcoro_coro *co)
{
	struct acceptor *a = container_of(co, struct acceptor, co);
	struct socket *sock;
	long err;

	KCORO_BEGIN(co);
	for (;;) {
		/* Who is too many waits in the backlog. */
		while (echo_is_full()) {
			KCORO_AWAIT(err, kcoro_event_await(co, &room));
			if (err)
				KCORO_RETURN(err);
		}
		KCORO_WAIT_EVENT(err, co, &a->wait, sk_sleep(a->listener->sk),
				 echo_can_accept(a->listener), NULL, 0);
		if (err)
			KCORO_RETURN(err);
		sock = echo_accept(a->listener);
		if (!IS_ERR(sock)) {
			connection_start(sock);
			KCORO_YIELD();
			continue;
		}
		/* It has gone again, or memory or file handles are short. */
		KCORO_AWAIT(err, kcoro_timer_await(co, &a->timer, RETRY_NS));
		if (err)
			KCORO_RETURN(err);
	}
	KCORO_END(0);
}

static const struct kcoro_desc acceptor_desc = {
	.owner = THIS_MODULE,
	.name = "echo_accept",
	.frame_size = sizeof(struct acceptor),
	.flags = KCORO_DESC_SLEEPS,
	.executor = KCORO_EXECUTOR_WORKER,
	.resume = acceptor_body,
};

/**
 * echo_coroutines_start() - begin to serve
 * @listener: from echo_listen()
 *
 * Context: process context. Return: 0 or an error.
 */
int echo_coroutines_start(struct socket *listener)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.owner = THIS_MODULE,
		.name = "echo",
		.pool = echo_pool,
	};
	struct kcoro_coro *co;

	kcoro_event_init(&room, true);
	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	co = kcoro_coro_create(scope, &acceptor_desc);
	if (IS_ERR(co)) {
		kcoro_scope_destroy(scope);
		return PTR_ERR(co);
	}
	container_of(co, struct acceptor, co)->listener = listener;
	kcoro_coro_start(co);
	return 0;
}

/* However many there are, and whatever they wait for: nobody is in our code afterwards. */
void echo_coroutines_stop(void)
{
	kcoro_scope_destroy(scope);
}
