// SPDX-License-Identifier: GPL-2.0-only
// attach_ops.h - what a filter whose bodies are struct_ops needs to be attached.
#ifndef KCORO_USER_ATTACH_OPS_H
#define KCORO_USER_ATTACH_OPS_H

#include "user/bpf.h"
#include "user/result.h"

#include <memory>
#include <string>

namespace kcoro {

struct ops_link_deleter {
	void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};
// Its coroutines are killed when it goes, unless it was pinned.
using ops_link = std::unique_ptr<bpf_link, ops_link_deleter>;

// Attaches ops that were loaded under that name. There may be no two of one name: the
// failure says that --name gives another.
result<ops_link> attach_ops(const bpf_map *ops, const std::string &name);

} // namespace kcoro

#endif
