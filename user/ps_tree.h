// SPDX-License-Identifier: GPL-2.0-only
// ps_tree.h - coroutines in the order in which `kcoro ps` prints them.
#ifndef KCORO_USER_PS_TREE_H
#define KCORO_USER_PS_TREE_H

#include <linux/types.h>

#include <kcoro/abi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kcoro {

// A line: a coroutine, and where it stands in the tree. Without a tree all have depth 0.
struct ps_line {
	size_t index;	   // of the coroutine
	unsigned depth;	   // how many await it, one the other
	uint64_t branches; // bit d: at depth d + 1 the tree goes on below this line
};

// By scope, then by id.
std::vector<ps_line> ps_sorted(std::span<const kcoro_coro_info> coros);

// Who is awaited stands below who awaits it. Whose awaiter is not among them stands at the
// left, and so does one of those that await each other in a circle.
std::vector<ps_line> ps_tree(std::span<const kcoro_coro_info> coros);

// What stands before the name, as `ps -f` draws it: "", " \_ ", " |   \_ ". Where that would
// be wider than `width` the depth stands there as a number: "(17) \_ ".
std::string ps_branch(const ps_line &line, size_t width);

// What stands before a line that belongs to this one and is no coroutine of its own: what goes
// on of the branches, "" where the depth is a number.
std::string ps_indent(const ps_line &line, size_t width);

} // namespace kcoro

#endif
