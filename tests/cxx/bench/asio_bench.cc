// SPDX-License-Identifier: GPL-2.0-only
// asio_bench.cc - Asio's awaitables, channels and timer.
//
// All runs inside of an io_context, where Asio recycles memory. "_one" is its way without
// locks: channel instead of concurrent_channel, and a context that is told of no threads.

#include <optional>

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/experimental/concurrent_channel.hpp>
#include <benchmark/benchmark.h>

#include "bodies.hpp"

namespace {

using asio::awaitable;
using asio::use_awaitable;
using bodies::batch;

awaitable<int> leaf(int i)
{
	co_return i;
}

awaitable<int> await_leaves(int n)
{
	int sum = 0;

	for (int i = 0; i < n; ++i)
		sum += co_await leaf(i);
	co_return sum;
}

awaitable<int> fib(int n)
{
	if (n < 2)
		co_return n;
	int a = co_await fib(n - 1);
	int b = co_await fib(n - 2);
	co_return a + b;
}

awaitable<int> chain(int depth)
{
	if (depth == 0)
		co_return 0;
	int below = co_await chain(depth - 1);
	co_return below + 1;
}

// Spawn what @make makes, and run it to its end.
template <typename Make> void run(asio::io_context &ctx, Make make)
{
	asio::co_spawn(ctx, make(), asio::detached);
	ctx.restart();
	ctx.run();
}

awaitable<void> keep(awaitable<int> from, int &to)
{
	to = co_await std::move(from);
}

template <typename Make> void repeat(benchmark::State &st, Make make)
{
	asio::io_context ctx(1);
	int result = 0;

	for (auto _ : st) {
		run(ctx, [&] { return keep(make(), result); });
		benchmark::DoNotOptimize(result);
	}
}

void leaf_await(benchmark::State &st)
{
	repeat(st, [] { return await_leaves(batch); });
	st.SetItemsProcessed(st.iterations() * batch);
}

void fib_25(benchmark::State &st)
{
	repeat(st, [] { return fib(25); });
}

void chain_1000(benchmark::State &st)
{
	repeat(st, [] { return chain(1000); });
}

awaitable<void> create_many(benchmark::State &st)
{
	for (auto _ : st) {
		auto t = leaf(1);

		benchmark::DoNotOptimize(t);
	}
	co_return;
}

void create_destroy(benchmark::State &st)
{
	asio::io_context ctx(1);

	run(ctx, [&] { return create_many(st); });
	st.SetItemsProcessed(st.iterations());
}

// An operation that is completed by wake().
struct event {
	using handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;
	std::optional<handler> waiter;

	auto wait()
	{
		return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
			[this](auto &&h) { waiter.emplace(std::move(h)); }, use_awaitable);
	}
	void wake()
	{
		handler h = std::move(*waiter);

		waiter.reset();
		std::move(h)();
	}
};

awaitable<void> await_events(event &e, int n, bool &done)
{
	for (int i = 0; i < n; ++i)
		co_await e.wait();
	done = true;
}

void suspend_resume(benchmark::State &st)
{
	asio::io_context ctx(1);

	for (auto _ : st) {
		event e;
		bool done = false;

		asio::co_spawn(ctx, await_events(e, batch, done), asio::detached);
		ctx.restart();
		ctx.poll();
		asio::post(ctx, [&] {
			while (!done)
				e.wake();
		});
		ctx.restart();
		ctx.run();
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

template <typename Channel> awaitable<void> send(Channel &ch, int n)
{
	for (int i = 0; i < n; ++i)
		co_await ch.async_send(asio::error_code(), i, use_awaitable);
}

template <typename Channel> awaitable<void> receive(Channel &ch, int n, long &sum)
{
	for (int i = 0; i < n; ++i)
		sum += co_await ch.async_receive(use_awaitable);
}

// st.range(0): room in the channel.
template <typename Channel> void channel(benchmark::State &st, int hint)
{
	asio::io_context ctx(hint);
	long sum = 0;

	for (auto _ : st) {
		Channel ch(ctx, static_cast<std::size_t>(st.range(0)));

		asio::co_spawn(ctx, receive(ch, batch, sum), asio::detached);
		asio::co_spawn(ctx, send(ch, batch), asio::detached);
		ctx.restart();
		ctx.run();
		benchmark::DoNotOptimize(sum);
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

void channel_many(benchmark::State &st)
{
	channel<asio::experimental::concurrent_channel<void(asio::error_code, int)>>(
		st, ASIO_CONCURRENCY_HINT_DEFAULT);
}

void channel_one(benchmark::State &st)
{
	channel<asio::experimental::channel<void(asio::error_code, int)>>(
		st, ASIO_CONCURRENCY_HINT_UNSAFE);
}

awaitable<void> sleep_often(int n)
{
	asio::steady_timer timer(co_await asio::this_coro::executor);

	for (int i = 0; i < n; ++i) {
		timer.expires_after(std::chrono::nanoseconds(1));
		co_await timer.async_wait(use_awaitable);
	}
}

void sleep_1ns(benchmark::State &st)
{
	asio::io_context ctx(1);

	for (auto _ : st)
		run(ctx, [] { return sleep_often(batch); });
	st.SetItemsProcessed(st.iterations() * batch);
}

} // namespace

BENCHMARK(leaf_await)->Name("asio/leaf_await");
BENCHMARK(create_destroy)->Name("asio/create_destroy");
BENCHMARK(suspend_resume)->Name("asio/suspend_resume");
BENCHMARK(fib_25)->Name("asio/fib_25");
BENCHMARK(chain_1000)->Name("asio/chain_1000");
BENCHMARK(channel_many)->Name("asio/channel_many")->Arg(1)->Arg(64);
BENCHMARK(channel_one)->Name("asio/channel_one")->Arg(1)->Arg(64);
BENCHMARK(sleep_1ns)->Name("asio/sleep_1ns");
