// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// hooks.cc - all frames of a program from an allocator of one's own, by two functions that are
// found at link time; here they also count how many frames of which size there were.
// Prints: 4 of 64 bytes, 2 of 128, all back
//
// jemalloc:  return aligned_alloc(64, size) as below, and link with -ljemalloc; or without any
//            hook: LD_PRELOAD=libjemalloc.so.2, as the library takes its blocks from malloc.
// mimalloc:  return mi_malloc_aligned(size, 64); and mi_free_size_aligned(frame, size, 64).
#include <cstdio>
#include <cstdlib>
#include <map>

#include <kcoro/task.hpp>

static std::map<std::size_t, int> sizes;
static int live;

static std::size_t blocks(std::size_t size)
{
	return (size + 63) / 64 * 64;
}

extern "C" void *kcoro_frame_alloc_hook(std::size_t size) noexcept
{
	void *frame = std::aligned_alloc(64, blocks(size));

	if (frame) {
		sizes[blocks(size)]++;
		live++;
	}
	return frame;
}

extern "C" void kcoro_frame_free_hook(void *frame, std::size_t) noexcept
{
	live--;
	std::free(frame);
}

static kcoro::task<int> small(int n)
{
	co_return n;
}

static kcoro::task<int> large(int n)
{
	auto first = co_await small(n);
	auto second = co_await small(n);

	co_return first.value + second.value;
}

int main()
{
	(void)large(1).run();
	(void)large(2).run();
	const char *between = "";

	for (auto [size, count] : sizes) {
		std::printf("%s%d of %zu%s", between, count, size, *between ? "" : " bytes");
		between = ", ";
	}
	std::printf(", %s\n", live ? "some lost" : "all back");
	return live;
}
