// SPDX-License-Identifier: GPL-2.0-only
// attach_ops.cc - see attach_ops.h.
#include "user/attach_ops.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

result<ops_link> attach_ops(const bpf_map *ops, const std::string &name)
{
	ops_link link(bpf_map__attach_struct_ops(ops));
	int err = errno;

	if (link)
		return link;
	if (err == EEXIST)
		return fail("another filter's coroutines are called {}: give these another name "
			    "with --name",
			    name);
	return fail("can't attach the coroutines' bodies: {}", std::strerror(err));
}

} // namespace kcoro
