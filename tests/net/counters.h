// SPDX-License-Identifier: GPL-2.0-only
//
// counters.h - the filter's counters, summed over the CPUs.
#pragma once

#include <linux/types.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstring>
#include <string>
#include <vector>

#include "../../bpf/filters/sni/sni.h"
#include "netns.h"

namespace net {

class Counters {
public:
	/// `path`: the pinned map; empty: there is no filter, all counters are 0.
	explicit Counters(const std::string &path)
	{
		if (path.empty())
			return;
		map_ = Fd(bpf_obj_get(path.c_str()));
		if (!map_)
			die("counters " + path);
	}

	explicit Counters(Fd map) : map_(std::move(map)) {}

	[[nodiscard]] explicit operator bool() const { return bool(map_); }

	[[nodiscard]] sni_counters read() const
	{
		sni_counters sum{};

		if (!map_)
			return sum;

		constexpr auto words = sizeof(sni_counters) / sizeof(__u64);
		const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
		std::vector<__u64> all(cpus * words);
		const __u32 zero = 0;

		if (bpf_map_lookup_elem(map_.get(), &zero, all.data()))
			die("read the counters");

		std::vector<__u64> total(words);

		for (std::size_t i = 0; i < all.size(); i++)
			total[i % words] += all[i];
		std::memcpy(&sum, total.data(), sizeof(sum));
		return sum;
	}

private:
	Fd map_;
};

} // namespace net
