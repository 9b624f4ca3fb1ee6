// SPDX-License-Identifier: GPL-2.0-only
// check.h - a filter and its peer do the same with whatever ordinary traffic has.
#pragma once

#include <cstdio>
#include <string>

#include "tests/bench/peers/agree.h"

namespace peers {

inline bool report(const char *what, bool good)
{
	std::printf("%s %s\n", good ? "ok" : "not ok", what);
	return good;
}

// A hello in segments of that size, and two more; the events say whether names were found.
inline void send_cut(const SniPair &pair, const Client &client, const Bytes &hello, std::size_t cut)
{
	give(pair, client.syn(), "a SYN");
	for (std::size_t at = 0; at < hello.size(); at += cut)
		give(pair, client.data(hello, at, at + cut), "a part of a hello");
	for (std::size_t i = 0; i < 2; i++)
		give(pair,
		     client.segment(net::ACK,
				    client.first + 1 + static_cast<__u32>(hello.size() + 100 * i),
				    Bytes(100, 3)),
		     "what comes behind");
}

inline std::size_t verdicts(SniPair &pair, sni_verdict which)
{
	return sum_of<sni_counters>(pair.sides[0].counters).verdict[which];
}

inline bool check_recordings(const Recordings &hellos)
{
	SniPair pair({});
	std::uint16_t port = 1000;
	std::size_t flows = 0, bad = 0;
	bool good = true;

	for (const std::size_t cut : {1, 7, 88, 536, 1448}) {
		for (const auto &one : hellos) {
			send_cut(pair, {port++}, one.bytes, cut);
			good &= same_events(pair);
			flows++;
			bad += one.server_name == listed;
		}
	}
	good &= same_counters(pair);
	return report("recorded_hellos", good && flows > 100 && verdicts(pair, SNI_BLOCK) == bad &&
						 verdicts(pair, SNI_PASS) == flows - bad);
}

// What is no hello, or one with a wrong length, ends alike.
inline bool check_odd()
{
	SniPair pair({});
	std::vector<Bytes> odd;
	std::uint16_t port = 1000;
	bool good = true;
	const auto change = [&](auto what) {
		auto one = hello::for_name(listed);
		what(one);
		odd.push_back(one.records());
	};

	change([](hello::Hello &h) { h.type = 2; });
	change([](hello::Hello &h) { h.message_error = -20; });
	change([](hello::Hello &h) { h.message_error = 9; });
	change([](hello::Hello &h) { h.session_id = Bytes(33, 1); });
	change([](hello::Hello &h) { h.cipher_suites = {1, 2, 3}; });
	change([](hello::Hello &h) { h.cipher_error = 30000; });
	change([](hello::Hello &h) { h.compression = {}; });
	change([](hello::Hello &h) { h.extensions_error = 1; });
	change([](hello::Hello &h) { h.extensions = {hello::padding(1500)}; });
	change([](hello::Hello &h) { h.has_extensions = false; });
	change([](hello::Hello &h) { h.extensions = {hello::server_name("")}; });
	change([](hello::Hello &h) { h.extensions = {hello::server_name(listed, 1)}; });
	change([](hello::Hello &h) { h.extensions = {hello::server_name(listed, 0, 1)}; });
	change([](hello::Hello &h) { h.extensions.insert(h.extensions.begin(), hello::ech()); });
	odd.push_back(hello::for_name(std::string(253, 'a')).records());
	odd.push_back(hello::for_name(std::string(255, 'a')).records());
	odd.push_back(hello::for_name("BLOCKED.example.org.").records());
	odd.push_back(hello::for_name("x.blocked.example.org").records());
	odd.push_back(hello::for_name(listed, 60000).records());
	odd.push_back(hello::for_name(listed, 140000).records());
	odd.push_back(hello::for_name(listed).records(50));
	odd.push_back(hello::for_name(listed).records(1));
	odd.push_back(hello::record({2, 80}, 21));
	odd.push_back(Bytes(100, 'G'));
	for (const std::size_t cut : {1448, 31}) {
		for (const auto &one : odd) {
			send_cut(pair, {port++}, one, cut);
			if (!same_events(pair)) {
				std::printf("the events of hello %u in %zu bytes differ\n",
					    port - 1001, cut);
				good = false;
			}
		}
	}
	good &= same_counters(pair);
	return report("odd_hellos", good && verdicts(pair, SNI_MALFORMED) > 15);
}

// Segments as a network has them.
inline bool check_segments()
{
	SniPair pair({});
	const auto hello = hello::for_name(listed, 1000).records();
	const auto end = hello.size();
	const auto add = [&](std::uint16_t port, std::vector<std::array<std::size_t, 2>> parts) {
		const Client client{port};

		give(pair, client.syn(), "a SYN");
		for (const auto &[from, to] : parts)
			give(pair, client.data(hello, from, to), "a segment");
		return client;
	};

	add(1, {{500, end}, {0, 500}, {500, end}, {500, end}});		  // early
	add(2, {{0, 500}, {0, 500}, {200, 700}, {700, end}, {700, end}}); // twice, overlapping
	add(3, {{0, 300}, {100, 200}, {100, end}});
	const auto again = add(4, {{0, 300}});
	give(pair, again.syn(), "the same SYN");
	give(pair, again.data(hello, 300, end), "the rest");
	const Client reused{4, 77};
	give(pair, reused.syn(), "a SYN of another connection");
	give(pair, reused.data(hello, 0, end), "its hello");
	give(pair, add(5, {{0, 300}}).reset(300), "a reset");
	give(pair, add(6, {{0, 300}}).reset(200), "a reset that the server does not heed");
	give(pair, Client{6}.data(hello, 300, end), "the rest");
	give(pair, add(7, {{0, 300}}).fin(300), "a FIN");
	give(pair, add(8, {{0, 300}}).fin(400), "a FIN behind a gap");
	give(pair, add(9, {}).segment(net::ACK, Client{9}.first - 50, Bytes(200, 1)),
	     "a segment before the SYN");
	give(pair, Client{10}.data(hello, 0, 300), "a segment without a SYN");
	give(pair, Client{11}.segment(net::SYN, Client{11}.first, part(hello, 0, 300)),
	     "a SYN with data");
	give(pair, Client{11}.data(hello, 300, end), "the rest");
	const bool events = same_events(pair);
	const auto counted = sum_of<sni_counters>(pair.sides[0].counters);
	return report("segments", same_counters(pair) && events && counted.early &&
					  counted.repeated && counted.foreign && counted.unknown &&
					  counted.verdict[SNI_BLOCK] == 7 &&
					  counted.verdict[SNI_UNFINISHED] == 2);
}

inline bool check_deadline()
{
	SniPair pair({.hello_timeout_ns = 200000000});
	const auto hello = hello::for_name(listed).records();
	const Client late{1};

	give(pair, late.syn(), "a SYN");
	give(pair, late.data(hello, 0, 30), "a part of a hello");
	sleep(1);
	give(pair, late.data(hello, 30, hello.size()), "the rest, too late");
	return report("deadline_of_a_hello",
		      same_counters(pair) && same_events(pair) &&
			      sum_of<sni_counters>(pair.sides[0].counters).unknown == 1);
}

inline bool check_queries()
{
	DnsPair pair({.query_timeout_ns = 300000000});
	const auto ours = [&] { return sum_of<dns_counters>(pair.sides[0].counters); };
	Bytes broken = message(1, 0x0100, "www.example.com");

	for (std::uint16_t i = 0; i < 50; i++) {
		give(pair, query(2000, i, "www.example.com"), "a query");
		if (i % 5 == 0)
			give(pair, query(2000, i, "WWW.example.com"), "the same query");
		if (i % 5 == 1)
			give(pair, query(2000, i, "other.example.com"), "another question");
		if (i % 5 != 2)
			give(pair, answer(2000, i, "www.EXAMPLE.com", i % 3), "an answer");
		if (i % 5 == 3)
			give(pair, answer(2000, i, "www.example.com"), "a second answer");
	}
	give(pair, query(2001, 1, std::string(63, 'a') + "." + std::string(63, 'b') + ".example"),
	     "a long name");
	give(pair, query(2001, 2, ""), "the root");
	broken[12] = 70;
	give(pair, datagram(2001, 53, false, broken), "a label that is too long");
	give(pair, datagram(2001, 53, false, part(broken, 0, 11)), "a short header");
	broken[12] = 3;
	give(pair, datagram(2001, 53, false, part(broken, 0, 20)), "half a question");
	broken[5] = 0;
	give(pair, datagram(2001, 53, false, part(broken, 0, 12)), "no question");
	sleep(2);
	give(pair, answer(2000, 2, "www.example.com"), "an answer that comes too late");
	const auto all = ours();
	return report("queries", same_outcomes(pair) && all.retries == 10 && all.unasked == 11 &&
					 all.malformed == 3 && all.spawned == 63);
}

inline int check(const Recordings &hellos)
{
	bool good = check_recordings(hellos);

	good &= check_odd();
	good &= check_segments();
	good &= check_deadline();
	good &= check_queries();
	return good ? 0 : 1;
}

} // namespace peers
