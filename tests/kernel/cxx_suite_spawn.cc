// SPDX-License-Identifier: GPL-2.0-only
// cxx_suite_spawn.cc - tests/cxx/spawn_test.cc inside the kernel: tests/cxx/kernel says how.
#define KCORO_SUITE_IS kcoro_suite_spawn

// clang-format off: the order matters.
#include "../cxx/kernel/frames.hpp"
#include "../cxx/spawn_test.cc"
#include "../cxx/kernel/run.hpp"

// Queues of the kernel have no timers of their own; scopes in C have deadlines there.
KCORO_SUITE(kcoro_suite_spawn, "scope_has_a_deadline")
