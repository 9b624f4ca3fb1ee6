// SPDX-License-Identifier: GPL-2.0-only
// kcoro_bench.cc - kcoro's tasks, under the limit's names.

#include "cases.hpp"
#include "kcoro_lib.hpp"

namespace {

using kcoro::failure;
using kcoro::task;
using kcoro_lib::lib;

// With a look at each error, as most bodies have it.
task<int> await_checked(int n)
{
	int sum = 0;

	for (int i = 0; i < n; ++i) {
		auto got = co_await bodies::leaf<lib>(i);

		if (!got)
			co_return failure{got.error};
		sum += got.value;
	}
	co_return sum;
}

void leaf_await_checked(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(await_checked(cases::batch).run());
	st.SetItemsProcessed(st.iterations() * cases::batch);
}

[[maybe_unused]] const int added = cases::add<lib>("kcoro");

} // namespace

BENCHMARK(leaf_await_checked)->Name("kcoro/leaf_await_checked");
