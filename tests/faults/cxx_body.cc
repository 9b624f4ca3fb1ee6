// SPDX-License-Identifier: GPL-2.0-only
// cxx_body.cc - a coroutine in C++ that spawns another one and joins it, any of whose frames may
// be refused: the core's, the spawned block's, those of the tasks.
#include <kcoro/kernel/event.hpp>
#include <kcoro/kernel/executor.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>

#include "scenario.h"

namespace {

using kcoro::failure;
using kcoro::task;

constinit kcoro::kernel::executor worker(kcoro::kernel::queue::worker);

class counted {
public:
	explicit counted(faults_cxx_seen *seen) : seen_(seen)
	{
		__atomic_add_fetch(&seen_->made, 1, __ATOMIC_SEQ_CST);
	}
	counted(const counted &) = delete;
	counted &operator=(const counted &) = delete;
	~counted() { __atomic_add_fetch(&seen_->destroyed, 1, __ATOMIC_SEQ_CST); }

private:
	faults_cxx_seen *seen_;
};

task<int> leaf(kcoro_event *go, faults_cxx_seen *seen)
{
	counted c(seen);
	auto got = co_await kcoro::kernel::event(go).wait();

	if (!got)
		co_return failure{got.error};
	co_return 42;
}

task<int> child(kcoro_event *go, faults_cxx_seen *seen)
{
	counted c(seen);

	co_return co_await leaf(go, seen);
}

task<void> parent(kcoro_event *go, faults_cxx_seen *seen)
{
	counted c(seen);
	auto handle = kcoro::spawn(worker, child(go, seen));
	auto got = co_await handle;

	seen->result = got ? got.value : got.error;
}

} // namespace

extern "C" int faults_cxx_start(kcoro_scope *scope, kcoro_event *go, faults_cxx_seen *seen)
{
	worker.use(scope);
	auto handle = kcoro::spawn(worker, parent(go, seen));
	const int error = handle.error();

	handle.detach();
	return error;
}
