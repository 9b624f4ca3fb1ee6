// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * socket.c - what the server does with sockets, none of which waits for the network.
 *
 * Contexts: process context: a socket's lock may sleep, whatever MSG_DONTWAIT says.
 */
#include <linux/in.h>
#include <linux/inet.h>
#include <linux/net.h>
#include <linux/uio.h>

#include "echo.h"

#define BACKLOG 1024

/**
 * echo_listen() - a socket that listens
 * @address: IPv4, in dots
 * @port: of TCP
 *
 * Return: the socket, or ERR_PTR.
 */
struct socket *echo_listen(const char *address, u16 port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct socket *sock;
	int err;

	if (!in4_pton(address, -1, (u8 *)&name.sin_addr, -1, NULL))
		return ERR_PTR(-EINVAL);
	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return ERR_PTR(err);
	sock_set_reuseaddr(sock->sk);
	/* The type of an address has changed in the kernel: void fits both. */
	err = kernel_bind(sock, (void *)&name, sizeof(name));
	if (!err)
		err = kernel_listen(sock, BACKLOG);
	if (!err)
		return sock;
	sock_release(sock);
	return ERR_PTR(err);
}

/**
 * echo_accept() - the next connection
 * @listener: from echo_listen()
 *
 * Counted in echo_live until echo_close(). Return: the socket, or ERR_PTR: -EAGAIN:
 * there is none; other errors pass, or are one connection's.
 */
struct socket *echo_accept(struct socket *listener)
{
	struct socket *sock;
	int err = kernel_accept(listener, &sock, O_NONBLOCK);

	if (err)
		return ERR_PTR(err);
	atomic_inc(&echo_live);
	/* An answer is not to wait for more; a client that is gone is found. */
	tcp_sock_set_nodelay(sock->sk);
	sock_set_keepalive(sock->sk);
	return sock;
}

/**
 * echo_close() - the end of a connection
 * @sock: from echo_accept()
 */
void echo_close(struct socket *sock)
{
	sock_release(sock);
	atomic_dec(&echo_live);
}

/**
 * echo_receive() - take what has come, as much as a buffer holds
 * @sock: a connection
 *
 * Return: a buffer, for echo_buffer_free(); NULL: the client has sent its last byte; or
 * ERR_PTR: -EAGAIN, -ENOMEM, -ECONNRESET...
 */
struct echo_buffer *echo_receive(struct socket *sock)
{
	struct echo_buffer *buffer = kcoro_pool_alloc(echo_pool, ECHO_BUFFER_SIZE);
	struct msghdr msg = {};
	struct kvec vec;
	int got;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	/* A frame's contents are undefined. */
	memset(buffer, 0, sizeof(*buffer));
	vec.iov_base = buffer->bytes;
	vec.iov_len = ECHO_BUFFER_SIZE - sizeof(*buffer);
	got = kernel_recvmsg(sock, &msg, &vec, 1, vec.iov_len, MSG_DONTWAIT);
	if (got > 0) {
		buffer->filled = got;
		return buffer;
	}
	echo_buffer_free(buffer);
	return ERR_PTR(got);
}

/**
 * echo_send() - send what is left in a buffer, as much as there is room for
 * @sock: a connection
 * @buffer: from echo_receive(); says how far it has come
 *
 * Return: 0: all was sent; -EAGAIN: no room, and the socket's wait queue will be woken;
 * or another error.
 */
int echo_send(struct socket *sock, struct echo_buffer *buffer)
{
	while (buffer->sent < buffer->filled) {
		struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
		struct kvec vec = {
			.iov_base = buffer->bytes + buffer->sent,
			.iov_len = buffer->filled - buffer->sent,
		};
		int n = kernel_sendmsg(sock, &msg, &vec, 1, vec.iov_len);

		if (n < 0)
			return n;
		buffer->sent += n;
	}
	return 0;
}

/* NULL is ignored. */
void echo_buffer_free(struct echo_buffer *buffer)
{
	kcoro_pool_free(echo_pool, buffer, ECHO_BUFFER_SIZE);
}
