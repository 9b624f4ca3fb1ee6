// SPDX-License-Identifier: GPL-2.0-only
// cases.hpp - Google Benchmark cases of a library (bodies.hpp), under limit_bench.cpp's names.
#ifndef KCORO_TESTS_CXX_BENCH_CASES_HPP
#define KCORO_TESTS_CXX_BENCH_CASES_HPP

#include <string>

#include <benchmark/benchmark.h>

#include "bodies.hpp"

namespace cases {

using bodies::batch;

template <typename L> void leaf_await(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(L::run(bodies::await_leaves<L>(batch)));
	st.SetItemsProcessed(st.iterations() * batch);
}

template <typename L> void create_destroy(benchmark::State &st)
{
	for (auto _ : st) {
		auto t = bodies::leaf<L>(1);

		benchmark::DoNotOptimize(t);
	}
	st.SetItemsProcessed(st.iterations());
}

template <typename L> void suspend_resume(benchmark::State &st)
{
	for (auto _ : st) {
		typename L::event e;
		typename L::started t(e, bodies::await_events<L>(e, batch));

		while (!t.done())
			e.wake();
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

template <typename L> void fib_25(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(L::run(bodies::fib<L>(25)));
}

template <typename L> void chain_1000(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(L::run(bodies::chain<L>(1000)));
}

template <typename L> int add(const std::string &name)
{
	benchmark::RegisterBenchmark((name + "/leaf_await").c_str(), leaf_await<L>);
	benchmark::RegisterBenchmark((name + "/create_destroy").c_str(), create_destroy<L>);
	benchmark::RegisterBenchmark((name + "/suspend_resume").c_str(), suspend_resume<L>);
	benchmark::RegisterBenchmark((name + "/fib_25").c_str(), fib_25<L>);
	benchmark::RegisterBenchmark((name + "/chain_1000").c_str(), chain_1000<L>);
	return 0;
}

} // namespace cases

#endif
