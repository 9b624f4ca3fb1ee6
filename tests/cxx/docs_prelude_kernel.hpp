// SPDX-License-Identifier: GPL-2.0-only
// docs_prelude_kernel.hpp - what the code blocks for the kernel of docs/cxx.md take for granted.
#include <kcoro/kernel/executor.hpp>
#include <kcoro/spawn.hpp>

kcoro::task<int> body(int n);
