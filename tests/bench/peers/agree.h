// SPDX-License-Identifier: GPL-2.0-only
// agree.h - do a filter and its peer say the same?
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <tuple>

#include "tests/bench/peers/sides.h"
#include "tests/net/recordings.h"

namespace peers {

using Recordings = recordings::List;

// What a packet took of the filter and of the peer.
using Both = std::array<Ran, 2>;

// Gives the packet to both; says so and ends when they do not do the same with it.
template <typename Pair> Both give(const Pair &pair, const Bytes &packet, const char *what)
{
	Both both;

	for (std::size_t i = 0; i < both.size(); i++)
		both.at(i) = pair.sides.at(i).program->run(packet);
	if (both[0].verdict != both[1].verdict) {
		std::printf("not ok %s: the filter says %d, the peer %d\n", what, both[0].verdict,
			    both[1].verdict);
		std::exit(1);
	}
	return both;
}

inline bool same_events(SniPair &pair)
{
	const auto ours = pair.sides[0].take_events(), hand = pair.sides[1].take_events();

	if (ours.size() != hand.size())
		return false;
	for (std::size_t i = 0; i < ours.size(); i++)
		if (std::memcmp(&ours[i], &hand[i], sizeof(sni_event)))
			return false;
	return true;
}

inline bool same_counters(const SniPair &pair)
{
	const auto ours = sum_of<sni_counters>(pair.sides[0].counters);
	const auto hand = sum_of<sni_counters>(pair.sides[1].counters);
	const bool same = !std::memcmp(&ours, &hand, sizeof(ours));

	for (std::size_t i = 0; !same && i < sizeof(ours) / sizeof(__u64); i++) {
		const auto *a = reinterpret_cast<const __u64 *>(&ours) + i;
		const auto *b = reinterpret_cast<const __u64 *>(&hand) + i;

		if (*a != *b)
			std::printf("counter %zu: the filter has %llu, the peer %llu\n", i, *a, *b);
	}
	return same;
}

// How many answers of each server and code, and what became of the others; not how long
// they took.
using Outcomes = std::map<std::tuple<std::string, unsigned, std::string>, long long>;

inline Outcomes outcomes(const DnsSide &side)
{
	const auto counters = sum_of<dns_counters>(side.counters);
	Outcomes all;
	dns_latency_key latency{}, *last = nullptr;
	dns_server server{}, *last_server = nullptr;

	while (!bpf_map_get_next_key(bpf_map__fd(side.latencies), last, &latency)) {
		dns_latency value{};
		long long buckets = 0;
		last = &latency;
		bpf_map_lookup_elem(bpf_map__fd(side.latencies), &latency, &value);
		for (const auto bucket : value.bucket_log2_us)
			buckets += static_cast<long long>(bucket);
		const std::string address(reinterpret_cast<char *>(latency.server.address), 16);
		all[{address, latency.rcode, "count"}] = static_cast<long long>(value.count);
		all[{address, latency.rcode, "in buckets"}] = buckets;
	}
	while (!bpf_map_get_next_key(bpf_map__fd(side.servers), last_server, &server)) {
		dns_server_counters value{};
		last_server = &server;
		bpf_map_lookup_elem(bpf_map__fd(side.servers), &server, &value);
		const std::string address(reinterpret_cast<char *>(server.address), 16);
		all[{address, 0, "answered"}] = static_cast<long long>(value.answered);
		all[{address, 0, "timeouts"}] = static_cast<long long>(value.timeouts);
		all[{address, 0, "waiting"}] = value.waiting;
		all[{address, 0, "retries"}] = static_cast<long long>(value.retries);
	}
	for (std::size_t i = 0; i < sizeof(counters) / sizeof(__u64); i++)
		all[{"", static_cast<unsigned>(i), "counter"}] =
			static_cast<long long>(reinterpret_cast<const __u64 *>(&counters)[i]);
	return all;
}

inline bool same_outcomes(const DnsPair &pair)
{
	const auto ours = outcomes(pair.sides[0]), hand = outcomes(pair.sides[1]);

	for (const auto &[key, value] : ours)
		if (const auto other = hand.find(key);
		    other == hand.end() || other->second != value)
			std::printf("%s %u: the filter has %lld, the peer %lld\n",
				    std::get<2>(key).c_str(), std::get<1>(key), value,
				    other == hand.end() ? -1 : other->second);
	return ours == hand;
}

} // namespace peers
