// SPDX-License-Identifier: GPL-2.0-only
// cxx_suite_rc_ptr.cc - tests/cxx/rc_ptr_test.cc inside the kernel: tests/cxx/kernel says how.
#define KCORO_SUITE_IS kcoro_suite_rc_ptr

// clang-format off: the order matters.
#include "../cxx/kernel/frames.hpp"
#include "../cxx/rc_ptr_test.cc"
#include "../cxx/kernel/run.hpp"

// A virtual destructor refers to it, and nobody calls it: there is no new either.
void operator delete(void *) noexcept
{
	__builtin_trap();
}
void operator delete(void *, std::size_t) noexcept
{
	__builtin_trap();
}

KCORO_SUITE(kcoro_suite_rc_ptr, nullptr)
