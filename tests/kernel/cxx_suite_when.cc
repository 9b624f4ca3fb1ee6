// SPDX-License-Identifier: GPL-2.0-only
// cxx_suite_when.cc - tests/cxx/when_test.cc inside the kernel: tests/cxx/kernel says how.
#define KCORO_SUITE_IS kcoro_suite_when

// clang-format off: the order matters.
#include "../cxx/kernel/frames.hpp"
#include "../cxx/when_test.cc"
#include "../cxx/kernel/run.hpp"

KCORO_SUITE(kcoro_suite_when, nullptr)
