// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * cxx.c - the C side of the server in C++: its scope, and what cxx_body.cc asks of sockets.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "cxx.h"
#include "echo.h"

static struct kcoro_scope *scope;
static struct kcoro_event room;

struct wait_queue_head *echo_cxx_queue(struct socket *sock)
{
	return sk_sleep(sock->sk);
}

/* Where its packets come in, so that connections spread as packets do. */
unsigned int echo_cxx_cpu(struct socket *sock)
{
	return READ_ONCE(sock->sk->sk_incoming_cpu);
}

int echo_cxx_can_accept(struct socket *listener)
{
	return echo_can_accept(listener);
}

int echo_cxx_can_receive(struct socket *sock)
{
	return echo_can_receive(sock);
}

int echo_cxx_can_send(struct socket *sock)
{
	return echo_can_send(sock);
}

int echo_cxx_is_full(void)
{
	return echo_is_full();
}

unsigned long echo_cxx_stall_ns(void)
{
	return echo_stall_ms * NSEC_PER_MSEC;
}

void echo_cxx_no_linger(struct socket *sock)
{
	sock_no_linger(sock->sk);
}

/**
 * echo_cxx_start() - begin to serve
 * @listener: from echo_listen()
 *
 * Context: process context. Return: 0 or an error.
 */
int echo_cxx_start(struct socket *listener)
{
	const struct kcoro_scope_attr attr = {
		.size = sizeof(attr),
		.owner = THIS_MODULE,
		.name = "echo",
		.pool = echo_pool,
	};
	int err;

	kcoro_event_init(&room, true);
	scope = kcoro_scope_create(&attr);
	if (IS_ERR(scope))
		return PTR_ERR(scope);
	err = echo_cxx_serve(scope, listener, &room);
	if (err)
		kcoro_scope_destroy(scope);
	return err;
}

void echo_cxx_stop(void)
{
	kcoro_scope_destroy(scope);
}
