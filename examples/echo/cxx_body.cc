// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// cxx_body.cc - the server as coroutines in C++: one accepts, and there is one for each
// connection. Read connection() first, beside connection_body() of coroutines.c.
//
// What a connection has is destroyed with its frame, wherever a kill finds it.

#include <kcoro/kernel/event.hpp>
#include <kcoro/kernel/executor.hpp>
#include <kcoro/kernel/pin.hpp>
#include <kcoro/kernel/wait_queue.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>
#include <kcoro/yield.hpp>

#include "cxx.h"

namespace {

using kcoro::failure;
using kcoro::task;
using kcoro::kernel::wait_event;
using namespace kcoro::literals;

// The bodies may sleep, because a socket's lock does.
constinit kcoro::kernel::executor sleeper(kcoro::kernel::queue::sleeper);

// How long to leave alone what memory was short for.
constexpr kcoro::duration retry = 100_ms;

// In place of a pointer, as IS_ERR() knows it.
int error_of(const void *p)
{
	const long value = reinterpret_cast<long>(p);

	return value < 0 && value >= -4095 ? static_cast<int>(value) : 0;
}

// An accepted socket. Whoever waits for room is told when it is closed.
class connection_socket {
public:
	connection_socket(socket *s, kcoro::kernel::event room) : socket_(s), room_(room) {}
	connection_socket(connection_socket &&other) noexcept
		: socket_(other.socket_), room_(other.room_)
	{
		other.socket_ = nullptr;
	}
	connection_socket &operator=(connection_socket &&) = delete;
	~connection_socket()
	{
		if (!socket_)
			return;
		echo_close(socket_);
		room_.set();
	}
	socket *get() const { return socket_; }

private:
	socket *socket_;
	kcoro::kernel::event room_;
};

class buffer {
public:
	explicit buffer(echo_buffer *b) : error(error_of(b)), buffer_(error ? nullptr : b) {}
	buffer(const buffer &) = delete;
	buffer &operator=(const buffer &) = delete;
	~buffer() { echo_buffer_free(buffer_); }
	echo_buffer *get() const { return buffer_; }

	const int error;

private:
	echo_buffer *buffer_;
};

// The client does not take it all at once: wait until it does, but not for ever. 0 or an errno.
task<int> send_rest(socket *sock, echo_buffer *bytes)
{
	int err;

	while ((err = echo_send(sock, bytes)) == kcoro::err::again) {
		kcoro::result<void> got;

		if (echo_cxx_can_send(sock))
			got = co_await kcoro::sleep_for(retry);
		else
			got = co_await wait_event(
				echo_cxx_queue(sock), [sock] { return echo_cxx_can_send(sock); },
				kcoro::duration{echo_cxx_stall_ns()});
		err = got.error;
		if (err)
			break;
	}
	// What the client does not take is not to be kept by TCP either.
	if (err == kcoro::err::timed_out)
		echo_cxx_no_linger(sock);
	co_return err;
}

task<void> connection(connection_socket owned)
{
	socket *const sock = owned.get();

	(void)co_await kcoro::kernel::pin(echo_cxx_cpu(sock));
	for (;;) {
		auto ready = co_await wait_event(echo_cxx_queue(sock),
						 [sock] { return echo_cxx_can_receive(sock); });

		if (!ready)
			co_return;
		{
			buffer bytes(echo_receive(sock));

			if (bytes.error != kcoro::err::again) {
				// The client's last byte, or an error.
				if (!bytes.get())
					co_return;
				// Nothing more is received before this is sent: TCP holds the
				// client back. A frame more only for who has to wait.
				int err = echo_send(sock, bytes.get());

				if (err == kcoro::err::again) {
					auto sent = co_await send_rest(sock, bytes.get());

					err = sent ? sent.value : sent.error;
				}
				if (err)
					co_return;
			}
		}
		// A buffer each, in turns.
		if (echo_cxx_can_receive(sock))
			co_await kcoro::yield();
	}
}

task<void> accept(socket *listener, kcoro::kernel::event room)
{
	for (;;) {
		// Who is too many waits in the backlog.
		while (echo_cxx_is_full()) {
			auto ended = co_await room.wait();

			if (!ended)
				co_return;
		}
		auto ready = co_await wait_event(echo_cxx_queue(listener), [listener] {
			return echo_cxx_can_accept(listener);
		});
		if (!ready)
			co_return;
		socket *sock = echo_accept(listener);
		if (!error_of(sock)) {
			// Without memory the connection is closed at once.
			kcoro::spawn(sleeper, connection(connection_socket(sock, room))).detach();
			co_await kcoro::yield();
			continue;
		}
		// It has gone again, or memory or file handles are short.
		auto slept = co_await kcoro::sleep_for(retry);
		if (!slept)
			co_return;
	}
}

} // namespace

extern "C" int echo_cxx_serve(kcoro_scope *scope, socket *listener, kcoro_event *room)
{
	sleeper.use(scope);
	auto acceptor = kcoro::spawn(sleeper, accept(listener, kcoro::kernel::event(room)));
	const int error = acceptor.error();

	acceptor.detach();
	return error;
}
