// SPDX-License-Identifier: GPL-2.0-only
// cxx_waits.cc - a body in C++ that awaits what the core has.
#include <kcoro/kernel/call.hpp>
#include <kcoro/kernel/channel.hpp>
#include <kcoro/kernel/event.hpp>
#include <kcoro/kernel/executor.hpp>
#include <kcoro/kernel/join.hpp>
#include <kcoro/kernel/key.hpp>
#include <kcoro/kernel/wait_queue.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/timeout.hpp>
#include <kcoro/when.hpp>

#include "cxx_wait.h"

namespace {

using kcoro::task;
namespace kernel = kcoro::kernel;

class guard {
public:
	explicit guard(cxx_waited *seen) : seen_(seen) {}
	guard(const guard &) = delete;
	guard &operator=(const guard &) = delete;
	~guard()
	{
		__atomic_add_fetch(&seen_->destroyed, 1, __ATOMIC_SEQ_CST);
		kcoro_cxx_wait_is_over(&seen_->over);
	}

private:
	cxx_waited *seen_;
};

// Nothing is 0.
template <typename T> kcoro::result<long long> number(kcoro::result<T> got)
{
	if (!got)
		return kcoro::failure{got.error};
	if constexpr (requires { got.value; })
		return kcoro::result<long long>(got.value);
	else
		return kcoro::result<long long>(0);
}

template <typename W> task<long long> once(W &wait, const cxx_wait &what)
{
	if (what.way == CXX_LIMITED)
		co_return number(co_await kcoro::timeout(wait, {what.ns}));
	co_return number(co_await wait);
}

task<long long> at_queue(const cxx_wait &what)
{
	auto condition = [f = what.condition] { return f() != 0; };
	kcoro::result<void> got;

	if (what.way == CXX_LIMITED)
		got = co_await kernel::wait_event(what.head, condition, {what.ns});
	else
		got = co_await kernel::wait_event(what.head, condition);
	if (!got)
		co_return kcoro::failure{got.error};
	co_return what.condition();
}

task<long long> one(const cxx_wait &what, kernel::key_hold &held)
{
	switch (what.source) {
	case CXX_EVENT: {
		auto wait = kernel::event(what.event).wait();

		co_return co_await once(wait, what);
	}
	case CXX_RECEIVE: {
		auto wait = kernel::channel(what.channel).receive();

		co_return co_await once(wait, what);
	}
	case CXX_SEND: {
		auto wait = kernel::channel(what.channel).send(5);

		co_return co_await once(wait, what);
	}
	case CXX_JOIN: {
		kernel::join wait(what.other);

		co_return co_await once(wait, what);
	}
	case CXX_KEY: {
		kernel::key_wait wait(what.table, &what.key, sizeof(what.key));

		co_return co_await once(wait, what);
	}
	case CXX_HELD: {
		auto wait = held.next();

		co_return co_await once(wait, what);
	}
	case CXX_QUEUE:
		co_return co_await at_queue(what);
	case CXX_CALL: {
		kernel::call wait(what.sleeps);

		co_return co_await once(wait, what);
	}
	default:
		co_return kcoro::err::invalid;
	}
}

task<long long> round(const cxx_wait &what, kernel::key_hold &held)
{
	auto wait = one(what, held);

	if (what.way != CXX_INSIDE)
		co_return co_await wait;
	auto late = kcoro::sleep_for({what.ns});
	auto got = co_await kcoro::when_any(wait, late);
	if (!got)
		co_return kcoro::failure{got.error};
	if (!got.is(0))
		co_return kcoro::failure{kcoro::err::timed_out};
	co_return wait.take();
}

task<void> body(const cxx_wait what, cxx_waited *seen)
{
	guard g(seen);
	kernel::key_hold held;

	if (what.source == CXX_HELD) {
		auto got = co_await held.take(what.table, &what.key, sizeof(what.key));

		if (!got) {
			seen->result = got.error;
			co_return;
		}
	}
	__atomic_store_n(&seen->began, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < what.rounds; i++) {
		auto got = co_await round(what, held);

		seen->result = got ? got.value : got.error;
		if (seen->result < 0)
			co_return;
		seen->rounds++;
	}
}

constinit kernel::executor executors[] = {
	kernel::executor(kernel::queue::softirq),
	kernel::executor(kernel::queue::worker),
	kernel::executor(kernel::queue::sleeper),
};

} // namespace

extern "C" int kcoro_test_cxx_wait(kcoro_scope *scope, const cxx_wait *what, cxx_waited *seen)
{
	kernel::executor &executor = executors[what->queue];

	executor.use(scope);
	auto handle = kcoro::spawn(executor, body(*what, seen));
	const int error = handle.error();

	handle.detach();
	return error;
}
