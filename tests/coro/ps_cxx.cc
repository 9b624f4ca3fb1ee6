// SPDX-License-Identifier: GPL-2.0-only
// ps_cxx.cc - C++20 coroutines that wait, in functions that await each other.
#include <kcoro/kernel/executor.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>

namespace net {

using namespace kcoro::literals;

template <typename T> kcoro::task<T> rest(T value)
{
	co_await kcoro::sleep_for(1000_s);
	co_return value;
}

struct server {
	kcoro::task<int> accept(int backlog) { co_return co_await rest<int>(backlog); }
};

kcoro::task<int> serve(server *s)
{
	co_return co_await s->accept(10);
}

kcoro::task<int> wait_for(kcoro::join_handle<int> other)
{
	co_return co_await other;
}

kcoro::task<int> deep(int depth)
{
	if (depth)
		co_return co_await deep(depth - 1);
	co_return co_await rest(depth);
}

// Always about to be woken.
kcoro::task<void> tick(unsigned long *ticks)
{
	while (auto slept = co_await kcoro::sleep_for(100_us))
		__atomic_add_fetch(ticks, 1, __ATOMIC_RELAXED);
}

} // namespace net

// One awaits another, which is in serve(), accept() and rest(); a third is 40 calls deep; a fourth
// counts ticks.
extern "C" int ps_cxx_start(kcoro_scope *scope, unsigned long *ticks)
{
	static kcoro::kernel::executor executor(kcoro::kernel::queue::softirq);
	static net::server server;

	executor.use(scope);
	auto inner = kcoro::spawn(executor, net::serve(&server));
	auto deep = kcoro::spawn(executor, net::deep(40));
	auto ticker = kcoro::spawn(executor, net::tick(ticks));
	if (!inner || !deep || !ticker)
		return -12;
	deep.detach();
	ticker.detach();
	auto outer = kcoro::spawn(executor, net::wait_for(std::move(inner)));
	if (!outer)
		return -12;
	outer.detach();
	return 0;
}
