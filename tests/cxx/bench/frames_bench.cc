// SPDX-License-Identifier: GPL-2.0-only
// frames_bench.cc - a leaf created and destroyed, with its frame from each of the places that
// frame.hpp and user/resource.hpp know.

#include <cstdlib>
#include <memory>
#include <memory_resource>

#include <benchmark/benchmark.h>

#include <kcoro/frame.hpp>
#include <kcoro/task.hpp>
#include <kcoro/user/recycling.hpp>
#include <kcoro/user/resource.hpp>

namespace {

using kcoro::task;
namespace user = kcoro::user;

task<int> platform_leaf(int i)
{
	co_return i;
}

struct malloc_frames {
	static void *alloc(std::size_t size) noexcept
	{
		return std::aligned_alloc(64, (size + 63) & ~std::size_t{63});
	}
	static void free(void *frame, std::size_t) noexcept { std::free(frame); }
};

task<int, malloc_frames> policy_leaf(int i)
{
	co_return i;
}

task<int> source_leaf(kcoro::frame_source &, int i)
{
	co_return i;
}

task<int> resource_leaf(std::pmr::memory_resource *, int i)
{
	co_return i;
}

user::inherited_task<int> inherited_leaf(int i)
{
	co_return i;
}

task<int> allocator_leaf(std::allocator_arg_t, std::allocator<std::byte>, int i)
{
	co_return i;
}

template <typename Make> void repeat(benchmark::State &st, Make make)
{
	for (auto _ : st) {
		auto t = make();

		benchmark::DoNotOptimize(t);
	}
	st.SetItemsProcessed(st.iterations());
}

void platform(benchmark::State &st)
{
	repeat(st, [] { return platform_leaf(1); });
}

void policy_malloc(benchmark::State &st)
{
	repeat(st, [] { return policy_leaf(1); });
}

// A pool of one's own, over the platform's frames.
void source(benchmark::State &st)
{
	kcoro::frame_source pool{
		[](kcoro::frame_source &, std::size_t size) noexcept {
			return kcoro::platform_frames::alloc(size);
		},
		[](kcoro::frame_source &, void *frame, std::size_t size) noexcept {
			kcoro::platform_frames::free(frame, size);
		},
	};

	repeat(st, [&] { return source_leaf(pool, 1); });
}

void resource_new_delete(benchmark::State &st)
{
	repeat(st, [] { return resource_leaf(std::pmr::new_delete_resource(), 1); });
}

template <typename Pool> void resource_recycling(benchmark::State &st)
{
	Pool pool;

	repeat(st, [&] { return resource_leaf(&pool, 1); });
}

void inherited_none(benchmark::State &st)
{
	repeat(st, [] { return inherited_leaf(1); });
}

void inherited_recycling(benchmark::State &st)
{
	user::local_recycling pool;
	user::with_resource use(&pool);

	repeat(st, [] { return inherited_leaf(1); });
}

void allocator(benchmark::State &st)
{
	repeat(st,
	       [] { return allocator_leaf(std::allocator_arg, std::allocator<std::byte>(), 1); });
}

} // namespace

BENCHMARK(platform)->Name("frames/platform");
BENCHMARK(policy_malloc)->Name("frames/policy_malloc");
BENCHMARK(source)->Name("frames/source");
BENCHMARK(resource_new_delete)->Name("frames/resource_new_delete");
BENCHMARK(resource_recycling<user::local_recycling>)->Name("frames/resource_recycling_local");
BENCHMARK(resource_recycling<user::recycling_resource>)->Name("frames/resource_recycling_shared");
BENCHMARK(inherited_none)->Name("frames/inherited_platform");
BENCHMARK(inherited_recycling)->Name("frames/inherited_recycling_local");
BENCHMARK(allocator)->Name("frames/allocator");
