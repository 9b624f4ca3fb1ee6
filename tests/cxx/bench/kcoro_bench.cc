// SPDX-License-Identifier: GPL-2.0-only
// kcoro_bench.cc - the limit's cases, and more, with the library's tasks; the names behind the
// slash are those of limit_bench.cpp.

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <kcoro/channel.hpp>
#include <kcoro/event.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>
#include <kcoro/user/run_loop.hpp>
#include <kcoro/when.hpp>

namespace {

using namespace kcoro;
constexpr int batch = 1000;

task<int> leaf(int i)
{
	co_return i;
}

task<int> await_leaves(int n)
{
	int sum = 0;

	for (int i = 0; i < n; ++i)
		sum += (co_await leaf(i)).value;
	co_return sum;
}

task<int> await_events(light_event &e, int n)
{
	for (int i = 0; i < n; ++i)
		co_await e;
	co_return n;
}

task<int> fib(int n)
{
	if (n < 2)
		co_return n;
	int a = (co_await fib(n - 1)).value;
	int b = (co_await fib(n - 2)).value;

	co_return a + b;
}

task<int> chain(int depth)
{
	if (depth == 0)
		co_return 0;
	int below = (co_await chain(depth - 1)).value;

	co_return below + 1;
}

task<int> all_of_50()
{
	task<int> tasks[50];
	struct range {
		task<int> *at;
		task<int> *begin() const { return at; }
		task<int> *end() const { return at + 50; }
	} all{tasks};
	int sum = 0;

	for (int i = 0; i < 50; ++i)
		tasks[i] = leaf(i);
	auto got = co_await when_all(all);
	for (auto &t : tasks)
		sum += t.take().value;
	co_return got.error ? -1 : sum;
}

void leaf_await(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(await_leaves(batch).run());
	st.SetItemsProcessed(st.iterations() * batch);
}

void create_destroy(benchmark::State &st)
{
	for (auto _ : st) {
		auto t = leaf(1);
		benchmark::DoNotOptimize(t);
	}
	st.SetItemsProcessed(st.iterations());
}

void suspend_resume(benchmark::State &st)
{
	user::run_loop loop(user::run_loop::alone);

	for (auto _ : st) {
		light_event e;
		auto h = spawn(loop, await_events(e, batch));

		loop.run_until_idle();
		for (int left = batch; left; left--)
			e.wake();
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

void fib_25(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(fib(25).run());
}

void chain_1000(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(chain(1000).run());
}

void when_all_50(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(all_of_50().run());
	st.SetItemsProcessed(st.iterations() * 50);
}

template <typename T> T make(int i)
{
	if constexpr (std::is_same_v<T, std::string>)
		return std::string(40, static_cast<char>('a' + i % 26));
	else
		return static_cast<T>(i);
}

template <typename T, typename Ch> task<void> send(Ch &ch, int n)
{
	for (int i = 0; i < n; i++)
		(void)co_await ch.send(make<T>(i));
}

template <typename T, typename Ch> task<int> receive(Ch &ch, int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		auto got = co_await ch.receive();
		if constexpr (std::is_same_v<T, int>)
			sum += got.value;
		else
			sum += static_cast<int>(got.value.size());
	}
	co_return sum;
}

// One sender and one receiver; the loop and the channel with atomic operations or without.
template <typename T, std::size_t Capacity, typename Threads>
void channel_case(benchmark::State &st)
{
	using ch_type = channel<T, Capacity, Threads>;
	user::run_loop loop(Threads::alone ? user::run_loop::alone : user::run_loop::shared);

	for (auto _ : st) {
		ch_type ch;
		auto s = spawn(loop, send<T>(ch, batch));
		auto r = spawn(loop, receive<T>(ch, batch));

		loop.run_until_idle();
		benchmark::DoNotOptimize(r.take());
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

// Row L30: many coroutines, each with its own channel to the next: one value goes through all.
template <typename T, typename Threads> void matrix(benchmark::State &st)
{
	using ch_type = channel<T, 1, Threads>;
	const int n = static_cast<int>(st.range(0));
	user::run_loop loop(Threads::alone ? user::run_loop::alone : user::run_loop::shared);
	std::vector<std::unique_ptr<ch_type>> chs;
	auto relay = [](ch_type &from, ch_type &to) -> task<void> {
		for (;;) {
			auto got = co_await from.receive();

			if (!got)
				co_return;
			(void)co_await to.send(std::move(got.value));
		}
	};
	std::vector<join_handle<void>> hs;

	for (int i = 0; i <= n; i++)
		chs.push_back(std::make_unique<ch_type>());
	for (int i = 0; i < n; i++)
		hs.push_back(spawn(loop, relay(*chs[i], *chs[i + 1])));
	loop.run_until_idle();
	for (auto _ : st) {
		T v = make<T>(1);

		chs[0]->try_send(v);
		loop.run_until_idle();
		auto got = chs[n]->try_receive();
		benchmark::DoNotOptimize(got);
	}
	st.SetItemsProcessed(st.iterations() * n);
	for (auto &c : chs)
		c->close();
	loop.run_until_idle();
}

} // namespace

BENCHMARK(leaf_await)->Name("kcoro/leaf_await");
BENCHMARK(create_destroy)->Name("kcoro/create_destroy");
BENCHMARK(suspend_resume)->Name("kcoro/suspend_resume");
BENCHMARK(fib_25)->Name("kcoro/fib_25");
BENCHMARK(chain_1000)->Name("kcoro/chain_1000");
BENCHMARK(when_all_50)->Name("kcoro/when_all_50");
BENCHMARK(channel_case<int, 1, threads::many>)->Name("kcoro/channel_1");
BENCHMARK(channel_case<int, 1, threads::one>)->Name("kcoro/channel_1_one_thread");
BENCHMARK(channel_case<int, 64, threads::many>)->Name("kcoro/channel_64");
BENCHMARK(channel_case<int, 64, threads::one>)->Name("kcoro/channel_64_one_thread");
BENCHMARK(matrix<int, threads::many>)->Name("matrix/atomics/int")->Arg(10)->Arg(10000);
BENCHMARK(matrix<int, threads::one>)->Name("matrix/none/int")->Arg(10)->Arg(10000);
BENCHMARK(matrix<std::string, threads::many>)->Name("matrix/atomics/string")->Arg(10)->Arg(10000);
BENCHMARK(matrix<std::string, threads::one>)->Name("matrix/none/string")->Arg(10)->Arg(10000);
