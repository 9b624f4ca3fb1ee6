// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * threads.c - the same server with a kthread for each connection, to compare with.
 *
 * What a scope does for coroutines is done by hand here: a list of the connections, so
 * that their sockets can be shut down at the end, and a completion, so that the module
 * goes only when all threads have left its code.
 *
 * Contexts: process context.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "echo.h"

#define RETRY_MS 100

struct connection {
	struct list_head link;
	struct socket *sock;
};

static struct task_struct *acceptor;
static DECLARE_WAIT_QUEUE_HEAD(room);
static LIST_HEAD(connections);
static DEFINE_MUTEX(lock);		/* connections */
static DECLARE_COMPLETION(left);	/* once for each thread */
static unsigned long started;		/* the acceptor's */

/* Until the client closes, or does not take what it is sent. */
static void serve(struct socket *sock)
{
	unsigned long stall = echo_stall_ms ? msecs_to_jiffies(echo_stall_ms) : 1;
	struct echo_buffer *buffer;
	int err;

	for (;;) {
		wait_event_interruptible(*sk_sleep(sock->sk), echo_can_receive(sock));
		buffer = echo_receive(sock);
		if (buffer == ERR_PTR(-EAGAIN)) {
			cond_resched();
			continue;
		}
		if (IS_ERR_OR_NULL(buffer))
			return;
		while ((err = echo_send(sock, buffer)) == -EAGAIN) {
			if (echo_can_send(sock))
				msleep(RETRY_MS);
			else if (!wait_event_interruptible_timeout(*sk_sleep(sock->sk),
								   echo_can_send(sock), stall))
				err = -ETIMEDOUT;
			if (err == -ETIMEDOUT)
				break;
		}
		echo_buffer_free(buffer);
		if (err == -ETIMEDOUT)
			sock_no_linger(sock->sk);
		if (err)
			return;
		cond_resched();
	}
}

static int connection_thread(void *arg)
{
	struct connection *c = arg;

	serve(c->sock);
	mutex_lock(&lock);
	list_del(&c->link);
	mutex_unlock(&lock);
	echo_close(c->sock);
	wake_up(&room);
	kfree(c);
	/* Does not come back: that nobody is in our code is what it completes. */
	kthread_complete_and_exit(&left, 0);
}

/* Without memory the connection is closed at once. */
static void connection_start(struct socket *sock)
{
	struct connection *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct task_struct *task;

	if (!c) {
		echo_close(sock);
		return;
	}
	c->sock = sock;
	mutex_lock(&lock);
	list_add(&c->link, &connections);
	mutex_unlock(&lock);
	task = kthread_run(connection_thread, c, "echo");
	if (!IS_ERR(task)) {
		started++;
		return;
	}
	mutex_lock(&lock);
	list_del(&c->link);
	mutex_unlock(&lock);
	echo_close(sock);
	kfree(c);
}

static int acceptor_thread(void *arg)
{
	struct socket *listener = arg, *sock;

	while (!kthread_should_stop()) {
		wait_event_interruptible(room, !echo_is_full() || kthread_should_stop());
		wait_event_interruptible(*sk_sleep(listener->sk),
					 echo_can_accept(listener) || kthread_should_stop());
		if (kthread_should_stop())
			break;
		sock = echo_accept(listener);
		if (IS_ERR(sock))
			schedule_timeout_interruptible(msecs_to_jiffies(RETRY_MS));
		else
			connection_start(sock);
	}
	return 0;
}

/**
 * echo_threads_start() - begin to serve
 * @listener: from echo_listen()
 *
 * Context: process context. Return: 0 or an error.
 */
int echo_threads_start(struct socket *listener)
{
	acceptor = kthread_run(acceptor_thread, listener, "echo_accept");
	return PTR_ERR_OR_ZERO(acceptor);
}

void echo_threads_stop(void)
{
	struct connection *c;

	kthread_stop(acceptor);
	mutex_lock(&lock);
	list_for_each_entry(c, &connections, link)
		kernel_sock_shutdown(c->sock, SHUT_RDWR);
	mutex_unlock(&lock);
	for (; started; started--)
		wait_for_completion(&left);
}
