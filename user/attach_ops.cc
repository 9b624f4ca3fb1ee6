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

outcome link_both_ways(const bpf_program *program, const attachment &record,
		       const filter_kind &kind, const std::string &directory)
{
	int fd = bpf_program__fd(program);
	outcome step = done{};

	if (record.direction == ATTACHMENT_BOTH)
		step = link_program(fd, record, ATTACHMENT_EGRESS, directory, "link_egress");
	if (step)
		step = link_program(fd, record, ATTACHMENT_INGRESS, directory, kind.last_link);
	return step;
}

} // namespace kcoro
