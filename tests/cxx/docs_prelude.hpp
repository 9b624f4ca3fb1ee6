// SPDX-License-Identifier: GPL-2.0-only
// docs_prelude.hpp - what the code blocks of docs/cxx.md speak of.

#include <kcoro/channel.hpp>
#include <kcoro/completion.hpp>
#include <kcoro/event.hpp>
#include <kcoro/scope.hpp>
#include <kcoro/sleep.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/stop.hpp>
#include <kcoro/then.hpp>
#include <kcoro/timeout.hpp>
#include <kcoro/user/resource.hpp>
#include <kcoro/user/run_loop.hpp>
#include <kcoro/user/sync_wait.hpp>
#include <kcoro/user/thread_pool.hpp>
#include <kcoro/when.hpp>

using namespace kcoro;
extern user::run_loop loop;
extern event ready;
extern channel<int, 8> numbers;
task<int> body(int n);
void start_io(completion<int> *c);
