/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * echo.h - a TCP echo server in the kernel, three times: as coroutines in C and in C++, and as
 * kthreads. What is done with a socket is the same code in all; how a connection waits differs.
 *
 * main.c         module, parameters
 * socket.c       accept, receive, send: never wait for the network
 * coroutines.c   a coroutine per connection
 * cxx_body.cc    the same in C++; cxx.c, cxx.h: what that asks of C
 * threads.c      a kthread per connection
 */
#ifndef ECHO_H
#define ECHO_H

#include <linux/atomic.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>

#include <kcoro/kcoro.h>

/* Bytes of a buffer's frame. A connection has one only while it has bytes to send. */
#define ECHO_BUFFER_SIZE 4096

struct echo_buffer {
	struct kcoro_timer timer;	/* of the wait until the client takes them */
	u32 filled;
	u32 sent;
	u8 bytes[];
};

/* Parameters; main.c. */
extern unsigned int echo_connections;
extern unsigned int echo_stall_ms;

extern struct kcoro_pool *echo_pool;
extern atomic_t echo_live;

/* socket.c; process context. A socket that is returned is the caller's. */
struct socket *echo_listen(const char *address, u16 port);
struct socket *echo_accept(struct socket *listener);
struct echo_buffer *echo_receive(struct socket *sock);
int echo_send(struct socket *sock, struct echo_buffer *buffer);
void echo_buffer_free(struct echo_buffer *buffer);
void echo_close(struct socket *sock);

static inline bool echo_is_full(void)
{
	return atomic_read(&echo_live) >= echo_connections;
}

/*
 * What is waited for, as poll() would say it; false positives only cost another turn.
 * Context: any.
 */
static inline bool echo_can_accept(struct socket *listener)
{
	return !reqsk_queue_empty(&inet_csk(listener->sk)->icsk_accept_queue);
}

static inline bool echo_can_receive(struct socket *sock)
{
	struct sock *sk = sock->sk;

	return !skb_queue_empty_lockless(&sk->sk_receive_queue) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

static inline bool echo_can_send(struct socket *sock)
{
	struct sock *sk = sock->sk;

	return sk_stream_is_writeable(sk) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN;
}

/* coroutines.c, cxx.c, threads.c. The listener stays main.c's. */
int echo_coroutines_start(struct socket *listener);
void echo_coroutines_stop(void);
int echo_cxx_start(struct socket *listener);
void echo_cxx_stop(void);
int echo_threads_start(struct socket *listener);
void echo_threads_stop(void);

#endif /* ECHO_H */
