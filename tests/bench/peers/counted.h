// SPDX-License-Identifier: GPL-2.0-only
// counted.h - rows: what a packet of each kind takes of a filter and of its peer.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/bench/peers/agree.h"

namespace peers {

constexpr unsigned warm_up = 8;

inline void print_row(const std::string &subject, const char *operation, std::size_t size,
		      std::vector<__u64> counts, __u64 nothing)
{
	counts.erase(counts.begin(), counts.begin() + warm_up);
	std::sort(counts.begin(), counts.end());
	if (counts.front() <= nothing) {
		std::printf("none\t%s\t%s\tbpf\t%zu\tpacket\t1\tless than nothing\n",
			    subject.c_str(), operation, size);
		return;
	}
	std::printf("row\t%s\t%s\tbpf\t%zu\tpacket\t1\t1\t%llu\t%llu\n", subject.c_str(), operation,
		    size, counts.front() - nothing, counts[counts.size() / 2] - nothing);
}

// One kind of packet, of both sides.
struct Kind {
	const char *operation;
	std::size_t size; // of the payload
	std::array<std::vector<__u64>, 2> counted{}, all{};

	void add(const Both &both)
	{
		for (std::size_t i = 0; i < both.size(); i++) {
			counted.at(i).push_back(both.at(i).counted);
			all.at(i).push_back(both.at(i).all);
		}
	}
	template <typename Pair> void print(const Pair &pair, __u64 nothing) const
	{
		for (std::size_t i = 0; i < counted.size(); i++)
			print_row(pair.sides.at(i).name, operation, size, counted.at(i), nothing);
	}
};

// What a program that does nothing counts.
inline Ran count_nothing()
{
	const Object<count_bpf> object;
	Ran least{0, ~0ULL, ~0ULL};

	for (auto *each : {object->progs.before, object->progs.after})
		bpf_program__set_autoload(each, false);
	object.load("nothing");
	const Program nothing(object->progs.nothing, true);
	for (int i = 0; i < 100; i++) {
		const auto ran = nothing.run(query(1, 1, "a"));

		least.counted = std::min(least.counted, ran.counted);
		least.all = std::min(least.all, ran.all);
	}
	return least;
}

// A Chrome hello whose name is behind the first segment, so that all of that is parsed.
inline const recordings::Recording &late_name(const Recordings &all)
{
	for (const auto &one : all)
		if (one.name_offset > 1500 && one.server_name != listed)
			return one;
	net::die("no recorded hello has its name in the second segment");
}

inline bool count_sni(const Recordings &hellos, unsigned batches, const Ran &nothing)
{
	constexpr std::size_t mss = 1448;
	SniPair pair({.counts = true});
	const auto large = hello::for_name("www.example.com", 8000).records();
	const auto bad = hello::for_name(listed).records();
	const auto &chrome = late_name(hellos);
	const auto other = datagram(4000, 4001, false, Bytes(64, 0));
	Kind not_ours{"packet_other", 64}, syn{"packet_first", 0},
		small{"packet_hello", bad.size()}, skipped{"packet_skipped", mss},
		parsed{"packet_parsed", mss}, last{"packet_verdict", chrome.bytes.size() - mss},
		passed{"packet_passed", mss}, blocked{"packet_blocked", mss};

	for (unsigned i = 0; i < batches + warm_up; i++) {
		const Client a{static_cast<std::uint16_t>(1000 + i)},
			b{static_cast<std::uint16_t>(3000 + i)},
			c{static_cast<std::uint16_t>(5000 + i)};

		not_ours.add(give(pair, other, "another packet"));
		syn.add(give(pair, a.syn(), "a SYN"));
		give(pair, a.data(large, 0, 200), "the beginning of a large hello");
		skipped.add(give(pair, a.data(large, 200, 200 + mss), "a segment to skip"));
		give(pair, a.reset(200 + mss), "a reset");

		give(pair, b.syn(), "a SYN");
		parsed.add(give(pair, b.data(chrome.bytes, 0, mss), "a segment to parse"));
		last.add(give(pair, b.data(chrome.bytes, mss, chrome.bytes.size()), "its name"));
		const auto end = chrome.bytes.size();
		passed.add(give(
			pair,
			b.segment(net::ACK, b.first + 1 + static_cast<__u32>(end), Bytes(mss, 7)),
			"a segment of a flow that was passed"));

		give(pair, c.syn(), "a SYN");
		small.add(give(pair, c.data(bad, 0, bad.size()), "a listed name"));
		blocked.add(give(pair, c.segment(net::ACK, c.first + 1 + 400, Bytes(mss, 7)),
				 "a segment of a blocked flow"));
		if (!same_events(pair)) {
			std::puts("not ok the events differ");
			return false;
		}
	}
	if (!same_counters(pair))
		return false;
	for (const auto *kind :
	     {&not_ours, &syn, &skipped, &parsed, &last, &passed, &small, &blocked})
		kind->print(pair, nothing.counted);
	return true;
}

inline bool count_dns(unsigned batches, const Ran &nothing)
{
	constexpr auto name = "www.example.com";
	DnsPair pair({.counts = true});
	const auto size = message(1, 0, name).size();
	const auto other = datagram(4000, 4001, false, Bytes(64, 0));
	Kind not_ours{"dns_other", 64}, asked{"dns_query", size}, retry{"dns_retry", size},
		answered{"dns_answer", size}, late{"dns_late", size};

	for (unsigned i = 0; i < batches + warm_up; i++) {
		const auto port = static_cast<std::uint16_t>(1000 + i);

		not_ours.add(give(pair, other, "another packet"));
		asked.add(give(pair, query(port, 7, name), "a query"));
		retry.add(give(pair, query(port, 7, name), "the same query"));
		answered.add(give(pair, answer(port, 7, name), "its answer"));
		late.add(give(pair, answer(port, 7, name), "a second answer"));
	}
	if (!same_outcomes(pair))
		return false;
	for (const auto *kind : {&not_ours, &asked, &retry, &answered, &late})
		kind->print(pair, nothing.counted);
	// The filter's coroutine runs in softirq, behind the packet.
	for (std::size_t i = 0; i < 2; i++)
		print_row(pair.sides.at(i).name, "dns_answer_all", size, answered.all.at(i),
			  nothing.all);
	return true;
}

inline int count(const Recordings &hellos, unsigned batches)
{
	const auto nothing = count_nothing();

	return count_sni(hellos, batches, nothing) && count_dns(batches, nothing) ? 0 : 1;
}

} // namespace peers
