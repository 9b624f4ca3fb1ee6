// SPDX-License-Identifier: GPL-2.0-only
// cxx_bodies.cc - the bodies in C++ that cxx.c counts.
#include <new>

#include <kcoro/event.hpp>
#include <kcoro/kernel/event.hpp>
#include <kcoro/kernel/executor.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>

#include "cxx.h"

namespace {

using kcoro::task;

constinit kcoro::kernel::executor softirq(kcoro::kernel::queue::softirq);

// In a module nobody calls the constructors of static objects.
alignas(kcoro::event) unsigned char own_room[64][sizeof(kcoro::event)];

kcoro::event &own(unsigned int i)
{
	return *std::launder(reinterpret_cast<kcoro::event *>(own_room[i]));
}

task<int> leaf(int n)
{
	co_return n;
}

task<int> awaits(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		auto got = co_await leaf(i);

		if (!got)
			co_return kcoro::failure{got.error};
		sum += got.value;
	}
	co_return sum;
}

task<void> follow(kcoro_event *of_core)
{
	kcoro::kernel::event event(of_core);

	auto ready = event.wait();

	for (;;) {
		auto got = co_await ready;

		if (!got)
			break;
	}
}

task<void> follow_own(kcoro::event *event)
{
	for (;;) {
		auto got = co_await event->wait();

		if (!got)
			break;
	}
}

task<void> nothing()
{
	co_return;
}

template <typename T> int start(kcoro_scope *scope, task<T> &&body)
{
	softirq.use(scope);
	auto handle = kcoro::spawn(softirq, static_cast<task<T> &&>(body));
	const int error = handle.error();

	handle.detach();
	return error;
}

} // namespace

extern "C" int bench_cxx_await(int n)
{
	auto got = awaits(n).run();

	return got ? (got.value == n * (n - 1) / 2 ? 0 : kcoro::err::invalid) : got.error;
}

extern "C" int bench_cxx_follow(kcoro_scope *scope, kcoro_event *event)
{
	return start(scope, follow(event));
}

extern "C" int bench_cxx_follow_own(kcoro_scope *scope, unsigned int i)
{
	return start(scope, follow_own(new (own_room[i]) kcoro::event(true)));
}

extern "C" void bench_cxx_set_own(unsigned int i)
{
	own(i).set();
}

extern "C" int bench_cxx_spawn(kcoro_scope *scope)
{
	return start(scope, nothing());
}
