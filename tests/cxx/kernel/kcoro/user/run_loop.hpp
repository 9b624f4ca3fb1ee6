// SPDX-License-Identifier: GPL-2.0-only
// run_loop.hpp - in place of user space's run loop, for its tests inside the kernel: one of the
// core's queues. Coroutines run in run_until_idle() and its like alone: the test has bottom halves
// off otherwise, and its CPU to itself.
#ifndef KCORO_TESTS_KERNEL_RUN_LOOP_HPP
#define KCORO_TESTS_KERNEL_RUN_LOOP_HPP

#include <kcoro/kernel/executor.hpp>

#include "../../../../kernel/cxx_suites.h"

namespace kcoro::inline KCORO_ABI::user {

class run_loop {
public:
	enum kind { shared, alone };

	explicit run_loop(kind k = shared) noexcept
		: scope_(kcoro_test_suite_begin()), worker_(k == alone),
		  queue_(worker_ ? kernel::queue::worker : kernel::queue::softirq, scope_)
	{
	}
	run_loop(const run_loop &) = delete;
	run_loop &operator=(const run_loop &) = delete;
	~run_loop() { kcoro_test_suite_end(scope_); }

	operator executor &() noexcept { return queue_; }
	void run_until_idle() noexcept { kcoro_test_suite_settle(worker_); }
	template <typename F> void run_until(F done)
	{
		while (!done())
			run_until_idle();
	}

private:
	kcoro_scope *scope_;
	bool worker_;
	kernel::executor queue_;
};

} // namespace kcoro::inline KCORO_ABI::user

#endif
