// SPDX-License-Identifier: GPL-2.0-only
// table.h - the table that make bench prints: at most 80 columns.
#ifndef KCORO_BENCH_TABLE_H
#define KCORO_BENCH_TABLE_H

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "rows.h"

namespace bench {

// Whom the others are compared with: the first that was measured at the same
// operation, level, pattern and size, in the same boot.
struct peer_list {
	std::string_view operation;
	std::array<std::string_view, 4> peers;
};
inline constexpr peer_list peer_lists[] = {
	{"alloc_free", {"kmalloc_atomic", "kmem_cache", "objpool", "bpf_obj"}},
	{"packet_", {"sni_hand"}}, // all that begin so
	{"dns_", {"dns_hand"}},
};

inline bool same_group(const row &a, const row &b)
{
	return a.operation == b.operation && a.level == b.level && a.pattern == b.pattern &&
	       a.cpus == b.cpus;
}

inline const row *peer_of(const row &r, const std::vector<row> &all)
{
	for (const peer_list &list : peer_lists) {
		const bool many = list.operation.ends_with('_');
		if (many ? !r.operation.starts_with(list.operation) : list.operation != r.operation)
			continue;
		for (const auto &peer : list.peers)
			for (const row &other : all)
				if (other.subject == peer && other.size == r.size &&
				    same_group(other, r))
					return &other;
	}
	return nullptr;
}

inline std::string ratio(const row &r, const row *peer)
{
	if (!peer || peer->min <= 0)
		return "    -";
	return fmt::format("{:>5.2f} of {}", r.min / peer->min, peer->subject);
}

inline void print_group(const std::vector<row> &all, const row &first)
{
	fmt::print("\n{}, level {}, {}, {} CPU{}\n", first.operation, first.level, first.pattern,
		   first.cpus, first.cpus == 1 ? "" : "s");
	fmt::print("  {:<20} {:>6} {:>10} {:>10}  {}\n", "subject", "size", "min", "median",
		   "ratio");
	for (const row &r : all) {
		if (!same_group(r, first))
			continue;
		const row *peer = peer_of(r, all);
		fmt::print("  {:<20} {:>6} {:>10.2f} {:>10.2f}  {}\n", r.subject,
			   r.size ? std::to_string(r.size) : "-", r.min, r.median, ratio(r, peer));
	}
}

inline void print_table(const std::string &kernel, const rows &all)
{
	fmt::print(
		"Guest instructions, not time: lock, cli, popf cost more; kmalloc zeroes memory.\n"
		"{}: counts per operation, least and median of the batches. A frame of kcoro is\n"
		"not zeroed, except for BPF. Ratios are of the minima, in the same boot.\n",
		kernel);
	for (auto r = all.good.begin(); r != all.good.end(); ++r)
		if (std::none_of(all.good.begin(), r,
				 [&](const row &o) { return same_group(o, *r); }))
			print_group(all.good, *r);
	if (!all.none.empty())
		fmt::print("\nNot measured:\n");
	for (const gap &g : all.none)
		fmt::print("  {:<20} {:>6}  {}, {}, {}: {}\n", g.subject, g.size, g.operation,
			   g.level, g.pattern, g.reason);
}

} // namespace bench

#endif // KCORO_BENCH_TABLE_H
