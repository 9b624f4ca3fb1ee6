// SPDX-License-Identifier: GPL-2.0-only
// counted.cc - the same bodies, for counting instructions: tests/cxx/bench/run has this run
// by valgrind --tool=callgrind --collect-atstart=no, which counts between two toggles. Each
// operation is done 1000 and 2000 times; the difference is free of what the ends cost. With
// --frames it prints bytes of the frame of `int leaf(int)` instead.

#include <cstdio>
#include <string>
#include <string_view>

#include <valgrind/callgrind.h>

#include "by_hand.hpp"
#include "capy.hpp"
#include "kcoro_lib.hpp"
#include "limit.hpp"

#include "bodies.hpp"

namespace {

struct limit_lib {
	template <typename T> using task = limit::task<T>;
	using event = limit::event;

	static int value(int got) noexcept { return got; }
	static int run(task<int> t) { return t.run(); }
	class started {
	public:
		started(event &, task<int> t) : task_(std::move(t)) { task_.start(); }
		bool done() const noexcept { return task_.done(); }

	private:
		task<int> task_;
	};
};

template <typename T> void keep(T &&value)
{
	__asm__ volatile("" : : "g"(&value) : "memory");
}

template <typename F> void count(const std::string &name, F f)
{
	// What is to be had from malloc is had before.
	f(2000);
	for (int n : {1000, 2000}) {
		const std::string label = name + " " + std::to_string(n);

		keep(label);
		CALLGRIND_ZERO_STATS;
		CALLGRIND_TOGGLE_COLLECT;
		f(n);
		CALLGRIND_TOGGLE_COLLECT;
		CALLGRIND_DUMP_STATS_AT(label.c_str());
		keep(label);
	}
}

template <typename L> void count_all(const std::string &name)
{
	count(name + "/leaf_await", [](int n) { keep(L::run(bodies::await_leaves<L>(n))); });
	count(name + "/create_destroy", [](int n) {
		for (int i = 0; i < n; ++i) {
			auto t = bodies::leaf<L>(i);

			keep(t);
		}
	});
	count(name + "/chain", [](int n) { keep(L::run(bodies::chain<L>(n))); });
	count(name + "/suspend_resume", [](int n) {
		typename L::event e;
		typename L::started t(e, bodies::await_events<L>(e, n));

		while (!t.done())
			e.wake();
	});
}

// kcoro's own frames, and a look at their size.
struct noted_frames {
	static inline std::size_t last = 0;

	static void *alloc(std::size_t size) noexcept
	{
		last = size;
		return kcoro::platform_frames::alloc(size);
	}
	static void free(void *frame, std::size_t size) noexcept
	{
		kcoro::platform_frames::free(frame, size);
	}
};

kcoro::task<int, noted_frames> noted_leaf(int i)
{
	co_return i;
}

void print_frames()
{
	keep(noted_leaf(1));
	keep(bodies::leaf<by_hand::lib>(1));
	keep(bodies::leaf<capy::lib>(1));
	std::printf("frame\tkcoro\t%zu\nframe\tby_hand\t%zu\nframe\tcapy\t%zu\n",
		    noted_frames::last, by_hand::task<int>::last_size,
		    capy::frame_alloc_mixin::last_size);
}

} // namespace

int main(int argc, char **argv)
{
	capy::current_frame_allocator = &capy::recycling;
	if (argc > 1 && std::string_view(argv[1]) == "--frames") {
		print_frames();
		return 0;
	}
	count_all<limit_lib>("limit");
	count_all<by_hand::lib>("by_hand");
	count_all<capy::lib>("capy");
	count_all<kcoro_lib::lib>("kcoro");
	count("kcoro/when_all_50", [](int n) {
		long sum = 0;

		(void)kcoro_lib::join_leaves(n / kcoro_lib::members, sum).run();
		keep(sum);
	});
}
