// SPDX-License-Identifier: GPL-2.0-only
// cxx_suite_task.cc - tests/cxx/task_test.cc inside the kernel: tests/cxx/kernel says how.
#define KCORO_SUITE_IS kcoro_suite_task

// clang-format off: the order matters.
#include "../cxx/kernel/frames.hpp"
#include "../cxx/task_test.cc"
#include "../cxx/kernel/run.hpp"

KCORO_SUITE(kcoro_suite_task, nullptr)
