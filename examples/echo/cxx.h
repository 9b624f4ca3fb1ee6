/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cxx.h - between the C of the example and cxx_body.cc, which can't include kernel headers:
 * what that asks of sockets. The functions are those of echo.h.
 */
#ifndef ECHO_CXX_H
#define ECHO_CXX_H

struct echo_buffer;
struct kcoro_event;
struct kcoro_scope;
struct socket;
struct wait_queue_head;

#ifdef __cplusplus
extern "C" {
#endif

/* cxx.c. A negative errno stands in place of a pointer where echo.h has ERR_PTR. */
struct wait_queue_head *echo_cxx_queue(struct socket *sock);
unsigned int echo_cxx_cpu(struct socket *sock);
int echo_cxx_can_accept(struct socket *listener);
int echo_cxx_can_receive(struct socket *sock);
int echo_cxx_can_send(struct socket *sock);
int echo_cxx_is_full(void);
unsigned long echo_cxx_stall_ns(void);
void echo_cxx_no_linger(struct socket *sock);

#ifdef __cplusplus
/* socket.c */
struct socket *echo_accept(struct socket *listener);
struct echo_buffer *echo_receive(struct socket *sock);
int echo_send(struct socket *sock, struct echo_buffer *buffer);
void echo_buffer_free(struct echo_buffer *buffer);
void echo_close(struct socket *sock);
#endif

/* cxx_body.cc. @room is set when a connection has ended. 0 or an errno. */
int echo_cxx_serve(struct kcoro_scope *scope, struct socket *listener, struct kcoro_event *room);

#ifdef __cplusplus
}
#endif

#endif /* ECHO_CXX_H */
