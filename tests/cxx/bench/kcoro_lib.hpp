// SPDX-License-Identifier: GPL-2.0-only
// kcoro_lib.hpp - kcoro as a library of bodies.hpp.
#ifndef KCORO_TESTS_CXX_BENCH_KCORO_LIB_HPP
#define KCORO_TESTS_CXX_BENCH_KCORO_LIB_HPP

#include <array>
#include <utility>

#include <kcoro/event.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>
#include <kcoro/when.hpp>

#include "bodies.hpp"

namespace kcoro_lib {

struct lib {
	template <typename T> using task = kcoro::task<T>;

	// The lightest wake that kcoro has.
	using event = kcoro::light_event;

	// Without a look at the error; leaf_await_checked has one.
	static int value(kcoro::result<int> got) noexcept { return got.value; }
	static int run(task<int> t) noexcept { return t.run().value; }

	// done() is a flag that the body's end sets: a join_handle would take its lock to tell.
	class started {
	public:
		started(event &, task<int> t) noexcept
			: handle_(kcoro::spawn(loop(), tell(std::move(t), done_)))
		{
			loop().run_until_idle();
		}
		bool done() const noexcept { return done_; }

	private:
		static kcoro::user::run_loop &loop()
		{
			static kcoro::user::run_loop the_loop(kcoro::user::run_loop::alone);

			return the_loop;
		}
		static task<void> tell(task<int> t, bool &done)
		{
			(void)co_await t;
			done = true;
		}

		bool done_ = false;
		kcoro::join_handle<void> handle_;
	};
};

inline constexpr int members = 50;

// All members of a when_all() end at once: what is measured is the group.
inline kcoro::task<void> join_leaves(int rounds, long &sum)
{
	for (int i = 0; i < rounds; ++i) {
		std::array<kcoro::task<int>, members> all;
		int n = 0;

		for (auto &t : all)
			t = bodies::leaf<lib>(n++);
		auto got = co_await kcoro::when_all(all);

		if (got.count != members)
			co_return;
		for (auto &t : all)
			sum += t.take().value;
	}
}

} // namespace kcoro_lib

#endif
