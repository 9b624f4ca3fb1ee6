// SPDX-License-Identifier: GPL-2.0-only
//
// crafted_policy.h - limits: hello too large, table full, deadline; and super-packets.
#pragma once

#include "crafted_tcp.h"

namespace crafted {

/// The beginning of a hello that claims to be longer than max_hello (131072) allows.
inline Bytes too_large()
{
	auto one = hello::for_name(listed, 200);
	auto message = one.message();

	message[1] = 2; // 0x020000 more
	return hello::record(message);
}

/// A listed hello that the filter cannot judge comes through.
inline void unjudged(Scenario &s, Peer &peer)
{
	const auto stream = stream_of(listed);

	peer.client.data(stream, 0, 150);
	peer.client.data(stream, 150, stream.size());
	s.expected.unknown += 2;
	s.receives(peer, stream, stream.size());
}

/// Attached with --on-full open --max-flows 1.
inline Cases open_cases()
{
	return {
		{"too large, open",
		 [](Scenario &s) {
			 const auto stream = too_large();

			 passes(s, SNI_TOO_LARGE, stream, 9, 100);
		 }},
		{"table full, open",
		 [](Scenario &s) {
			 auto &first = s.connect();
			 auto &second = s.connect(); // its SYN finds the table full

			 s.verdict(SNI_NO_FRAME);
			 unjudged(s, second);
			 first.client.bare(0, net::RST);
			 s.verdict(SNI_UNFINISHED);
			 s.check(s.stage().table.read().full > 0, "the table counted no full");
		 }},
		{"table free again, open", [](Scenario &s) { block_name(s, listed); }},
	};
}

/// Attached with --on-full closed --max-flows 2.
inline Cases closed_cases()
{
	return {
		{"too large, closed",
		 [](Scenario &s) {
			 const auto stream = too_large();
			 auto &peer = s.connect();

			 peer.client.data(stream, 0, 5);
			 peer.client.data(stream, 5, 100);
			 peer.client.data(stream, 100, stream.size());
			 peer.client.data(stream, 5, 100);
			 s.expected.suspended = 1;
			 s.expected.dropped = 3;
			 s.verdict(SNI_TOO_LARGE);
			 s.entries = 1; // stays, like a blocked one
			 s.receives(peer, stream, 5);
		 }},
		{"table full, closed",
		 [](Scenario &s) {
			 auto &first = s.connect();
			 auto &second = s.idle();

			 s.check(!second.client.handshake(300ms),
				 "a SYN that found no frame was answered");
			 s.verdict(SNI_NO_FRAME);
			 s.expected.dropped = 1;
			 first.client.bare(0, net::RST);
			 s.verdict(SNI_UNFINISHED);
			 // the client tries again, and there is room
			 s.check(second.client.handshake(), "no SYN-ACK");
			 s.accept(second);
			 second.client.bare(0, net::RST);
			 s.verdict(SNI_UNFINISHED);
		 }},
		{"malformed, closed",
		 [](Scenario &s) {
			 const auto stream = with([](Hello &h) { h.compression = {}; }).records();

			 passes(s, SNI_MALFORMED, stream, 1, stream.size());
		 }},
	};
}

/// Attached with a short time for the hello, which has passed when the rest comes.
inline Cases deadline_cases(std::chrono::milliseconds timeout)
{
	return {
		{"deadline",
		 [timeout](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &silent = s.connect();
			 auto &slow = half(s, stream);
			 const auto expired = s.stage().table.read().expired;

			 // the deadline counts from the SYN: a byte in between does not move it
			 std::this_thread::sleep_for(timeout / 2);
			 slow.client.data(stream, 150, 160);
			 s.expected.suspended++;
			 std::this_thread::sleep_for(timeout / 2 + 500ms);
			 s.check(s.stage().table.read().expired == expired + 2,
				 "the table did not end both entries");
			 slow.client.data(stream, 160, stream.size());
			 s.expected.unknown++;
			 s.receives(slow, stream, stream.size());
			 silent.client.data(stream, 0, stream.size());
			 s.expected.unknown++;
			 s.receives(silent, stream, stream.size());
		 }},
	};
}

/// One kernel-to-kernel connection with a hello of 60,000 bytes, with offloads (TC) or a large MTU
/// (XDP). The filter must see packets larger than a usual wire's, in pages, and the name behind them.
inline void super_packets(Scenario &s, const net::Namespace &client_ns, const char *name, bool pass)
{
	const auto stream = hello::for_name(name, 60000).records();
	auto &peer = s.idle(); // for the server's end alone
	auto client = client_ns.inside([] {
		net::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		sockaddr_in address{};

		address.sin_family = AF_INET;
		address.sin_port = htons(443);
		inet_pton(AF_INET, "10.9.0.1", &address.sin_addr);
		if (connect(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)))
			net::die("connect");
		return fd;
	});

	s.accept(peer);
	if (send(client.get(), stream.data(), stream.size(), MSG_NOSIGNAL) !=
	    static_cast<ssize_t>(stream.size()))
		net::die("send");
	for (int i = 0; i < 2000 && s.change().bytes < stream.size() && !peer.drain(); i++)
		std::this_thread::sleep_for(1ms);

	const auto seen = s.change();
	const linger reset{1, 0};

	if (pass) {
		s.receives(peer, stream, stream.size());
	} else {
		s.check(seen.verdict[SNI_BLOCK] == 1 && seen.dropped > 0, "not blocked");
		peer.drain();
		s.check(peer.received.size() < end_of(stream, name),
			"the listed name came through");
		s.entries = 1;
	}
	s.check(seen.segments > 0 && seen.bytes / seen.segments > 2000,
		"no super-packets: " + std::to_string(seen.bytes) + " bytes in " +
			std::to_string(seen.segments));
	setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	client.close();
	// How TCP cuts and repeats is its own affair: the counters of it are not compared.
	s.expected = s.change();
}

inline Cases large_cases(const net::Namespace &client_ns)
{
	return {
		{"super-packets, listed",
		 [&client_ns](Scenario &s) { super_packets(s, client_ns, listed, false); }},
		{"super-packets, unlisted",
		 [&client_ns](Scenario &s) { super_packets(s, client_ns, unlisted, true); }},
	};
}

} // namespace crafted
