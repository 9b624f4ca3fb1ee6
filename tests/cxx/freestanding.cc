// SPDX-License-Identifier: GPL-2.0-only
// freestanding.cc - uses what each freestanding header has, for freestanding.test.

#include <kcoro/channel.hpp>
#include <kcoro/completion.hpp>
#include <kcoro/event.hpp>
#include <kcoro/scope.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/stop.hpp>
#include <kcoro/task.hpp>
#include <kcoro/then.hpp>
#include <kcoro/timeout.hpp>
#include <kcoro/when.hpp>

using namespace kcoro;

struct everything {
	explicit everything(executor &where) : in(where) {}

	event e;
	light_event s;
	channel<int, 4> ch;
	completion<int, fn_callback> c;
	scope in;
};

static task<int> leaf(everything &all)
{
	(void)co_await all.e.wait();
	co_await all.s;
	(void)co_await all.ch.send(1);
	auto got = co_await all.ch.receive();
	auto stop = co_await stopping();
	if (!got && stop)
		co_await accept_stop();
	co_return got;
}

static task<int> root(everything &all)
{
	auto a = leaf(all);
	auto b = sleep_for(5_ms);
	auto any = co_await when_any(a, b);
	task<int> many[3] = {leaf(all), leaf(all), leaf(all)};
	struct {
		task<int> *at;
		task<int> *begin() { return at; }
		task<int> *end() { return at + 3; }
	} span{many};
	auto all_of = co_await when_all(span);
	auto waits = all.c.wait();
	auto timed = co_await timeout(waits, 1_s);
	auto next = then(leaf(all), [](result<int> n) { return value_or_status(std::move(n)); });
	auto last = co_await next;

	co_return static_cast<int>(any.count + all_of.count) + timed.value + last.value;
}

int use(executor &where);
int use(executor &where)
{
	everything all(where);
	auto handle = all.in.spawn(root(all));

	all.e.set();
	all.s.wake();
	all.c.set_value(1);
	all.ch.close();
	handle.cancel();
	return handle.take().value + leaf(all).run().value;
}
