// SPDX-License-Identifier: GPL-2.0-only
// per_cpu.h - the only element of a pinned per-CPU array, a struct of counters, summed.
#ifndef KCORO_USER_PER_CPU_H
#define KCORO_USER_PER_CPU_H

#include "user/bpf.h"
#include "user/result.h"

#include <cstring>
#include <string>
#include <vector>

namespace kcoro {

// One struct per CPU.
template <typename Struct> result<std::vector<Struct>> read_per_cpu(const std::string &path)
{
	auto map = open_pinned(path);
	int cpus = libbpf_num_possible_cpus();
	__u32 zero = 0;

	if (!map)
		return map.error();
	std::vector<Struct> all(cpus > 0 ? static_cast<size_t>(cpus) : 1);
	if (int err = bpf_map_lookup_elem(map->get(), &zero, all.data()); err)
		return fail("can't read {}: {}", path, std::strerror(-err));
	return all;
}

} // namespace kcoro

#endif
