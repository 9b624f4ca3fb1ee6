// SPDX-License-Identifier: GPL-2.0-only
// ps_table.h - what `kcoro ps` prints, as text.
#ifndef KCORO_USER_PS_TABLE_H
#define KCORO_USER_PS_TABLE_H

#include "user/ps_tree.h"

namespace kcoro {

// "S", "Sc": the status as a letter, and what else there is to say.
std::string ps_stat(const kcoro_coro_info &coro);

// What it waits for: "-" when it does not wait.
const char *ps_wait(const kcoro_coro_info &coro);

// The functions that a coroutine in C++ is in, each awaits the next one: "root(int)", "leaf()".
// The first one may be "...", for those that found no room. None for other coroutines.
std::vector<std::string> ps_functions(const kcoro_coro_info &coro);

// A heading and a line for each; at most 80 columns. The tree has fewer columns, so that it
// has room, and lines below a coroutine in C++ for the functions it is in.
std::string ps_table(std::span<const kcoro_coro_info> coros, const std::vector<ps_line> &lines,
		     bool tree);

// A heading and a line for each scope.
std::string ps_scopes(std::span<const kcoro_scope_info> scopes);

} // namespace kcoro

#endif
