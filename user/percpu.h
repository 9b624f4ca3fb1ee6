// SPDX-License-Identifier: GPL-2.0-only
// percpu.h - the only element of a pinned per-CPU array, a struct of __u64, summed.
#ifndef KCORO_USER_PERCPU_H
#define KCORO_USER_PERCPU_H

#include "user/bpf.h"
#include "user/result.h"

#include <linux/types.h>

#include <cstring>
#include <string>
#include <vector>

namespace kcoro {

template <typename Struct> result<Struct> sum_over_cpus(const std::string &path)
{
	constexpr size_t words = sizeof(Struct) / sizeof(__u64);
	static_assert(words * sizeof(__u64) == sizeof(Struct));
	auto map = open_pinned(path);
	int cpus = libbpf_num_possible_cpus();
	__u64 sum[words] = {};
	__u32 zero = 0;
	Struct all{};

	if (!map)
		return map.error();
	std::vector<__u64> values(words * (cpus > 0 ? static_cast<size_t>(cpus) : 1));
	if (int err = bpf_map_lookup_elem(map->get(), &zero, values.data()); err)
		return fail("can't read {}: {}", path, std::strerror(-err));
	for (size_t i = 0; i < values.size(); i++)
		sum[i % words] += values[i];
	std::memcpy(&all, sum, sizeof(all));
	return all;
}

} // namespace kcoro

#endif
