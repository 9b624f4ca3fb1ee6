// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// hello.cc - a coroutine in C++ inside the kernel: says hello, sleeps in between, never ends.
#include <kcoro/kernel/executor.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>

using namespace kcoro::literals;

extern "C" int _printk(const char *format, ...);

static kcoro::task<int> greet(int n)
{
	_printk("kcoro_hello: hello %d\n", n);
	co_await kcoro::sleep_for(100_ms);
	co_return n + 1;
}

static kcoro::task<void> hello()
{
	int n = 1;

	while (auto next = co_await greet(n))
		n = next.value;
}

extern "C" int hello_start(kcoro_scope *scope)
{
	static kcoro::kernel::executor softirq(kcoro::kernel::queue::softirq);

	softirq.use(scope);
	auto handle = kcoro::spawn(softirq, hello());
	const int error = handle.error();

	handle.detach();
	return error;
}
