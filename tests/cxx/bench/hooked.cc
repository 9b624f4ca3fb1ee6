// SPDX-License-Identifier: GPL-2.0-only
// hooked.cc - a leaf created and destroyed where the program has hooks for all frames: a program
// of its own, since they are there for all of it. Prints what report.cc reads.
//
//   hook_malloc   over malloc: beside frames/policy_malloc it shows what the hooks cost
//   hook_list     over one list of free blocks

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <kcoro/task.hpp>

namespace {

struct block {
	block *next;
};
block *list;
bool use_list;

std::size_t whole(std::size_t size)
{
	return (size + 63) & ~std::size_t{63};
}

kcoro::task<int> leaf(int i)
{
	co_return i;
}

double cpu_ns()
{
	timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return 1e9 * static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec);
}

// The least of some rounds, as report.cc has it of the others.
double measure()
{
	constexpr int rounds = 40, operations = 200000;
	double least = 1e9;

	for (int r = 0; r < rounds; r++) {
		const double begin = cpu_ns();

		for (int i = 0; i < operations; i++) {
			auto t = leaf(i);

			__asm__ volatile("" : : "g"(&t) : "memory");
		}
		least = std::min(least, (cpu_ns() - begin) / operations);
	}
	return least;
}

} // namespace

extern "C" void *kcoro_frame_alloc_hook(std::size_t size) noexcept
{
	if (block *b = use_list ? list : nullptr) {
		list = b->next;
		return b;
	}
	return std::aligned_alloc(64, whole(size));
}

extern "C" void kcoro_frame_free_hook(void *frame, std::size_t) noexcept
{
	if (!use_list) {
		std::free(frame);
		return;
	}
	auto *b = static_cast<block *>(frame);

	b->next = list;
	list = b;
}

int main()
{
	std::printf("time\tframes/hook_malloc\t%.2f\n", measure());
	use_list = true;
	std::printf("time\tframes/hook_list\t%.2f\n", measure());
	while (block *b = list) {
		list = b->next;
		std::free(b);
	}
	return 0;
}
