// SPDX-License-Identifier: GPL-2.0-only
// waits_bench.cc - kcoro where coroutines wait: for each other, at channels, for the clock;
// and the matrix of few and many coroutines, with atomic operations and without, with trivial
// values and others.

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <kcoro/channel.hpp>
#include <kcoro/completion.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>

#include "bodies.hpp"
#include "kcoro_lib.hpp"

namespace {

using bodies::batch;
using kcoro::join_handle;
using kcoro::spawn;
using kcoro::task;
using kcoro::user::run_loop;
namespace threads = kcoro::threads;

// The loop that goes with a policy.
template <typename Threads> constexpr run_loop::kind loop_kind()
{
	return Threads::alone ? run_loop::alone : run_loop::shared;
}

void run(run_loop &loop, task<void> body)
{
	auto handle = spawn(loop, std::move(body));

	loop.run_until([&] { return handle.done(); });
}

void when_all_50(benchmark::State &st)
{
	constexpr int rounds = 20;
	run_loop loop(run_loop::alone);
	long sum = 0;

	for (auto _ : st) {
		run(loop, kcoro_lib::join_leaves(rounds, sum));
		benchmark::DoNotOptimize(sum);
	}
	st.SetItemsProcessed(st.iterations() * rounds * kcoro_lib::members);
}

template <typename Channel> task<void> send(Channel &ch, int n)
{
	for (int i = 0; i < n; ++i)
		(void)co_await ch.send(i);
}

template <typename Channel> task<void> receive(Channel &ch, int n, long &sum)
{
	for (int i = 0; i < n; ++i) {
		auto got = co_await ch.receive();

		sum += got.value;
	}
}

template <std::size_t Room, typename Threads> void channel(benchmark::State &st)
{
	run_loop loop(loop_kind<Threads>());
	long sum = 0;

	for (auto _ : st) {
		kcoro::channel<int, Room, Threads> ch;
		auto receiver = spawn(loop, receive(ch, batch, sum));
		auto sender = spawn(loop, send(ch, batch));

		loop.run_until_idle();
		benchmark::DoNotOptimize(sum);
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

task<void> sleep_often(int n)
{
	for (int i = 0; i < n; ++i)
		(void)co_await kcoro::sleep_for(kcoro::duration{1});
}

void sleep_1ns(benchmark::State &st)
{
	run_loop loop(run_loop::alone);

	for (auto _ : st)
		run(loop, sleep_often(batch));
	st.SetItemsProcessed(st.iterations() * batch);
}

template <typename T> T make_value(int n);
template <> int make_value<int>(int n)
{
	return n;
}
// Short, so that the value's own memory is not what is measured.
template <> std::string make_value<std::string>(int n)
{
	return std::string(static_cast<std::size_t>(n % 8), 'x');
}
std::size_t use(int n)
{
	return static_cast<std::size_t>(n);
}
std::size_t use(const std::string &s)
{
	return s.size();
}

template <typename T, typename Threads>
using source = kcoro::completion<T, kcoro::no_callback, Threads>;

template <typename T, typename Threads> task<void> serve(source<T, Threads> &from, std::size_t &sum)
{
	for (;;) {
		auto got = co_await from.wait();

		if (!got)
			co_return;
		sum += use(got.value);
	}
}

// Each of st.range(0) coroutines waits at a completion of its own; an operation sets a value,
// and the coroutine takes it and waits again.
template <typename T, typename Threads> void matrix(benchmark::State &st)
{
	const auto n = static_cast<std::size_t>(st.range(0));
	run_loop loop(loop_kind<Threads>());
	std::vector<std::unique_ptr<source<T, Threads>>> sources;
	std::vector<join_handle<void>> handles;
	std::size_t sum = 0;

	for (std::size_t i = 0; i < n; ++i) {
		sources.push_back(std::make_unique<source<T, Threads>>());
		handles.push_back(spawn(loop, serve<T, Threads>(*sources.back(), sum)));
	}
	loop.run_until_idle();
	for (auto _ : st) {
		int i = 0;

		for (auto &s : sources)
			s->set_value(make_value<T>(i++));
		loop.run_until_idle();
	}
	benchmark::DoNotOptimize(sum);
	st.SetItemsProcessed(st.iterations() * st.range(0));
	for (auto &s : sources)
		s->fail(kcoro::err::closed);
	loop.run_until_idle();
	for (auto &h : handles)
		if (!h.done())
			st.SkipWithError("a coroutine did not end");
}

} // namespace

BENCHMARK(when_all_50)->Name("kcoro/when_all_50");
BENCHMARK(channel<1, threads::many>)->Name("kcoro/channel_many/1");
BENCHMARK(channel<64, threads::many>)->Name("kcoro/channel_many/64");
BENCHMARK(channel<1, threads::one>)->Name("kcoro/channel_one/1");
BENCHMARK(channel<64, threads::one>)->Name("kcoro/channel_one/64");
BENCHMARK(sleep_1ns)->Name("kcoro/sleep_1ns");
BENCHMARK(matrix<int, threads::many>)->Name("matrix/atomic/trivial")->Arg(32)->Arg(32768);
BENCHMARK(matrix<int, threads::one>)->Name("matrix/plain/trivial")->Arg(32)->Arg(32768);
BENCHMARK(matrix<std::string, threads::many>)->Name("matrix/atomic/string")->Arg(32)->Arg(32768);
BENCHMARK(matrix<std::string, threads::one>)->Name("matrix/plain/string")->Arg(32)->Arg(32768);
