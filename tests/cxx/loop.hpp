// SPDX-License-Identifier: GPL-2.0-only
// loop.hpp - what tests with a run loop share.
#ifndef KCORO_TESTS_CXX_LOOP_HPP
#define KCORO_TESTS_CXX_LOOP_HPP

#include "support.hpp"

#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>

// Both kinds of loop: with atomic operations and without.
class on_loop : public nothing_left,
		public testing::WithParamInterface<kcoro::user::run_loop::kind> {
protected:
	kcoro::user::run_loop loop{GetParam()};

	// Run until all is done that can be done without waiting.
	void settle() { loop.run_until_idle(); }
};

#define ON_BOTH_LOOPS(suite)      \
	INSTANTIATE_TEST_SUITE_P( \
		loops, suite,     \
		testing::Values(kcoro::user::run_loop::shared, kcoro::user::run_loop::alone))

#endif
