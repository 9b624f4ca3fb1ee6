// SPDX-License-Identifier: GPL-2.0-only
// cxx_spawn.cc - C++20 coroutines on the executors of the core.
#include <kcoro/channel.hpp>
#include <kcoro/event.hpp>
#include <kcoro/kernel/executor.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>

#include "cxx_spawn.h"

namespace {

using kcoro::task;

// Tells who sleeps in kcoro_cxx_wait() when its frame goes.
class guard {
public:
	guard(cxx_seen *seen) : seen_(seen) {}
	guard(const guard &) = delete;
	guard &operator=(const guard &) = delete;
	~guard() { __atomic_add_fetch(&seen_->destroyed, 1, __ATOMIC_SEQ_CST); }

private:
	cxx_seen *seen_;
};

task<int> sleeper(const cxx_spawn what, cxx_seen *seen)
{
	guard g(seen);

	for (int i = 0; i < what.naps; i++) {
		auto slept = co_await kcoro::sleep_for({what.ns});

		seen->resumed++;
		if (!slept)
			co_return kcoro::failure{slept.error};
	}
	co_return what.naps;
}

task<int> nested(int depth, const cxx_spawn what, cxx_seen *seen)
{
	if (!depth)
		co_return co_await sleeper(what, seen);
	co_return co_await nested(depth - 1, what, seen);
}

// The outermost one: it has what another coroutine had.
task<void> watch(kcoro::executor *where, const cxx_spawn what, cxx_seen *seen)
{
	auto handle = kcoro::spawn(*where, nested(what.depth, what, seen));
	auto got = co_await handle;

	seen->result = got ? got.value : got.error;
	seen->status = static_cast<int>(handle.status());
	kcoro_cxx_wait_is_over(&seen->over);
}

task<void> nothing()
{
	co_return;
}

// Spawns when it goes: into a scope that is being destroyed.
class spawner {
public:
	spawner(kcoro::executor *where, int *error) : where_(where), error_(error) {}
	spawner(const spawner &) = delete;
	spawner &operator=(const spawner &) = delete;
	~spawner()
	{
		auto handle = kcoro::spawn(*where_, nothing());

		*error_ = handle.error();
		handle.detach();
	}

private:
	kcoro::executor *where_;
	int *error_;
};

task<void> spawns_late(kcoro::executor *where, int *error)
{
	spawner s(where, error);

	(void)co_await kcoro::sleep_for({~0UL / 4});
}

constinit kcoro::kernel::executor executors[] = {
	kcoro::kernel::executor(kcoro::kernel::queue::softirq),
	kcoro::kernel::executor(kcoro::kernel::queue::worker),
	kcoro::kernel::executor(kcoro::kernel::queue::sleeper),
};

} // namespace

extern "C" int kcoro_test_cxx_spawn(kcoro_scope *scope, const cxx_spawn *what, cxx_seen *seen)
{
	kcoro::kernel::executor &executor = executors[what->queue];

	executor.use(scope);
	auto handle = kcoro::spawn(executor, watch(&executor, *what, seen));
	const int error = handle.error();

	handle.detach();
	return error;
}

extern "C" int kcoro_test_cxx_spawn_late(kcoro_scope *scope, int *error)
{
	executors[0].use(scope);
	auto handle = kcoro::spawn(executors[0], spawns_late(&executors[0], error));
	const int err = handle.error();

	handle.detach();
	return err;
}
