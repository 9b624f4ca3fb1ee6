// SPDX-License-Identifier: GPL-2.0-only
//
// crafted_tcp.h - how the hello comes: splits, repetition, order, RST, FIN, SYN, and what
// stands around the segment.
#pragma once

#include "crafted_hello.h"

namespace crafted {

/// The streams most cases send: about 350 bytes, the name between bytes 290 and 310.
inline Bytes stream_of(std::string_view name)
{
	return hello::for_name(name, 200).records();
}

/// A listed hello along a path in two segments: the second is dropped.
inline void blocked_along(Scenario &s, const Path &path)
{
	const auto stream = stream_of(listed);
	auto &peer = s.connect(path);
	const auto cut = end_of(stream, listed) - 5;

	peer.client.data(stream, 0, cut);
	peer.client.data(stream, cut, stream.size());
	s.expected.suspended = 1;
	s.expected.dropped = 1;
	s.verdict(SNI_BLOCK);
	s.entries = 1;
	s.receives(peer, stream, cut);
}

/// An unlisted hello along a path, then a listed one: both verdicts are seen.
inline void along(Scenario &s, const Path &path)
{
	const auto stream = stream_of(unlisted);
	auto &peer = s.connect(path);

	peer.client.data(stream, 0, 200);
	peer.client.data(stream, 200, stream.size());
	s.receives(peer, stream, stream.size());
	blocked_along(s, path);
	s.verdict(SNI_PASS);
	s.expected.suspended++;
}

/// A connection that has sent the first half of a listed hello.
inline Peer &half(Scenario &s, const Bytes &stream, std::size_t size = 150)
{
	auto &peer = s.connect();

	peer.client.data(stream, 0, size);
	s.expected.suspended++;
	return peer;
}

/// The rest comes and is blocked.
inline void block_rest(Scenario &s, Peer &peer, const Bytes &stream, std::size_t from = 150)
{
	peer.client.data(stream, from, stream.size());
	s.expected.dropped++;
	s.verdict(SNI_BLOCK);
	s.entries = 1;
	s.receives(peer, stream, from);
}

inline Cases order_cases()
{
	return {
		{"one byte per segment, listed",
		 [](Scenario &s) {
			 const auto stream = hello::for_name(listed).records();

			 blocked(s, stream, end_of(stream, listed), 1);
		 }},
		{"one byte per segment, unlisted",
		 [](Scenario &s) {
			 const auto stream = hello::for_name(unlisted).records();

			 passes(s, SNI_PASS, stream, end_of(stream, unlisted), 1);
		 }},
		{"cut at every byte of the name",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 const auto end = end_of(stream, listed);

			 for (auto cut = end - 19; cut <= end; cut++) {
				 auto &peer = s.connect();

				 peer.client.data(stream, 0, cut);
				 peer.client.data(stream, cut, stream.size());
				 s.verdict(SNI_BLOCK);
				 s.entries++;
				 s.expected.dropped += cut < end ? 1 : 2;
				 s.expected.suspended += cut < end;
				 s.receives(peer, stream, cut < end ? cut : 0);
			 }
		 }},
		{"retransmitted before the verdict",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 0, 150);
			 peer.client.data(stream, 100, 150);
			 s.expected.repeated = 2;
			 block_rest(s, peer, stream);
		 }},
		{"retransmitted after the block",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 block_rest(s, peer, stream);
			 peer.client.data(stream, 150, stream.size()); // the completing one
			 peer.client.data(stream, 0, 150);	       // an earlier one
			 peer.client.data(stream, 150, 151);	       // cut anew
			 peer.client.data(stream, stream.size() - 1, stream.size());
			 s.expected.dropped += 4;
			 s.receives(peer, stream, 150);
		 }},
		{"retransmitted after the pass",
		 [](Scenario &s) {
			 const auto stream = stream_of(unlisted);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 150, stream.size());
			 peer.client.data(stream, 150, stream.size());
			 s.verdict(SNI_PASS);
			 s.expected.unknown = 1;
			 s.receives(peer, stream, stream.size());
		 }},
		{"overlapping, listed",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 50, 200); // 50 new bytes
			 peer.client.data(stream, 100, stream.size());
			 s.expected.suspended++;
			 s.expected.dropped = 1;
			 s.verdict(SNI_BLOCK);
			 s.entries = 1;
			 s.receives(peer, stream, 200);
		 }},
		{"overlapping, unlisted",
		 [](Scenario &s) {
			 const auto stream = stream_of(unlisted);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 149, stream.size());
			 s.verdict(SNI_PASS);
			 s.receives(peer, stream, stream.size());
		 }},
		{"out of order, listed",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = s.connect();

			 peer.client.data(stream, 150, stream.size());
			 peer.client.data(stream, 1, 150);
			 s.expected.early = 2;
			 s.receives(peer, stream, 0);
			 peer.client.data(stream, 0, 150);
			 s.expected.suspended = 1;
			 // what came early is gone: the server has the first part only
			 s.receives(peer, stream, 150);
			 block_rest(s, peer, stream);
		 }},
		{"out of order, unlisted",
		 [](Scenario &s) {
			 const auto stream = stream_of(unlisted);
			 auto &peer = s.connect();

			 peer.client.data(stream, 150, stream.size());
			 peer.client.data(stream, 0, 150);
			 peer.client.data(stream, 150, stream.size());
			 s.expected.early = 1;
			 s.expected.suspended = 1;
			 s.verdict(SNI_PASS);
			 s.receives(peer, stream, stream.size());
		 }},
		{"sequence numbers that wrap",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = s.connect({}, 0xffffff80);

			 peer.client.data(stream, 200, stream.size());
			 peer.client.data(stream, 0, 150);
			 peer.client.data(stream, 0, 150);
			 peer.client.data(stream, 140, 160);
			 s.expected.early = 1;
			 s.expected.repeated = 1;
			 s.expected.suspended = 2;
			 block_rest(s, peer, stream, 160);
		 }},
	};
}

inline Cases ending_cases()
{
	return {
		{"RST midway",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 s.receives(peer, stream, 150);
			 peer.client.bare(150, net::RST);
			 s.verdict(SNI_UNFINISHED);
			 peer.client.data(stream, 150, stream.size()); // nobody's any more
			 s.expected.unknown = 1;
		 }},
		{"RST with a wrong number",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.bare(149, net::RST);
			 peer.client.bare(151, net::RST);
			 peer.client.bare(5000, net::RST);
			 peer.client.bare(0, net::RST);
			 block_rest(s, peer, stream);
		 }},
		{"RST of a blocked flow",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 block_rest(s, peer, stream);
			 peer.client.bare(stream.size(), net::RST);
			 peer.client.data(stream, 150, stream.size());
			 s.expected.dropped++;
			 s.receives(peer, stream, 150);
		 }},
		{"FIN midway",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.bare(150, net::FIN | net::ACK);
			 s.verdict(SNI_UNFINISHED);
			 s.receives(peer, stream, 150, true);
		 }},
		{"FIN with the first part",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = s.connect();

			 peer.client.data(stream, 0, 150, net::FIN | net::ACK);
			 s.expected.suspended = 1;
			 s.verdict(SNI_UNFINISHED);
			 s.receives(peer, stream, 150, true);
		 }},
		{"FIN with the last byte seen again",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 149, 150, net::FIN | net::ACK);
			 s.expected.repeated = 1;
			 s.verdict(SNI_UNFINISHED);
			 s.receives(peer, stream, 150, true);
		 }},
		{"FIN with an old number",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.bare(100, net::FIN | net::ACK);
			 peer.client.data(stream, 100, 120, net::FIN | net::ACK);
			 s.expected.repeated = 1;
			 block_rest(s, peer, stream);
		 }},
		{"early FIN",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.bare(stream.size(), net::FIN | net::ACK);
			 s.expected.early = 1;
			 block_rest(s, peer, stream);
		 }},
		{"FIN with the listed name",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 150, stream.size(), net::FIN | net::ACK);
			 peer.client.bare(stream.size(), net::FIN | net::ACK);
			 peer.client.bare(150, net::FIN | net::ACK);
			 s.expected.dropped = 3;
			 s.verdict(SNI_BLOCK);
			 s.entries = 1;
			 s.receives(peer, stream, 150);
		 }},
		{"FIN with the unlisted name",
		 [](Scenario &s) {
			 const auto stream = stream_of(unlisted);
			 auto &peer = half(s, stream);

			 peer.client.data(stream, 150, stream.size(), net::FIN | net::ACK);
			 s.verdict(SNI_PASS);
			 s.receives(peer, stream, stream.size(), true);
		 }},
		{"pure ACKs pass and change nothing",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 peer.client.bare(150, net::ACK);
			 peer.client.bare(9000, net::ACK);
			 block_rest(s, peer, stream);
			 peer.client.bare(150, net::ACK);
		 }},
	};
}

inline Cases syn_cases()
{
	return {
		{"SYN sent again",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = s.idle();

			 peer.client.syn();
			 peer.client.syn();
			 s.check(peer.client.finish_handshake(), "no SYN-ACK");
			 s.accept(peer);
			 peer.client.data(stream, 0, 150);
			 peer.client.syn();
			 s.expected.suspended = 1;
			 block_rest(s, peer, stream);
			 peer.client.syn();
			 peer.client.data(stream, 150, stream.size());
			 s.expected.dropped++;
			 s.receives(peer, stream, 150);
		 }},
		{"ports used again after a block",
		 [](Scenario &s) {
			 const auto first = stream_of(listed), second = stream_of(unlisted);
			 auto &peer = half(s, first);

			 block_rest(s, peer, first);
			 peer.client.bare(150, net::RST); // the number the server waits for
			 peer.client.restart(0x77000000);
			 s.check(peer.client.handshake(), "no SYN-ACK for the second connection");
			 peer.received.clear();
			 s.accept(peer);
			 peer.client.data(second, 0, second.size());
			 s.verdict(SNI_PASS);
			 s.entries = 0;
			 s.receives(peer, second, second.size());
		 }},
		{"ports used again midway",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);

			 // The server still has the first connection: what counts is the filter.
			 peer.client.restart(0x11000000);
			 peer.client.syn();
			 peer.client.data(stream, 0, 150);
			 s.expected.suspended++;
			 peer.client.data(stream, 150, stream.size());
			 s.expected.dropped++;
			 s.verdict(SNI_BLOCK);
			 s.entries = 1;
		 }},
		{"a forged SYN makes nothing look read",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);
			 auto forger = peer.client;

			 // far ahead, so that the real segments are behind it
			 forger.restart(0x12345678 + 100000);
			 forger.raw({0x12345678 + 100000, 0, net::SYN, {}});
			 peer.client.data(stream, 150, stream.size());
			 s.expected.foreign = 1;
			 s.receives(peer, stream, 150);
			 forger.bare(0, net::RST);
			 s.verdict(SNI_UNFINISHED);
		 }},
		{"SYN with a listed hello",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = s.idle();

			 peer.client.syn(stream);
			 s.verdict(SNI_BLOCK);
			 s.expected.dropped = 1;
			 s.entries = 1;
			 // without data it is let through, but no data follow
			 s.check(peer.client.handshake(), "no SYN-ACK");
			 s.accept(peer);
			 peer.client.data(stream, 0, stream.size());
			 s.expected.dropped++;
			 s.receives(peer, stream, 0);
		 }},
		{"SYN with the first part",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = s.idle();

			 peer.client.syn(Bytes(stream.begin(), stream.begin() + 150));
			 s.expected.suspended = 1;
			 s.check(peer.client.finish_handshake(), "no SYN-ACK");
			 s.accept(peer);
			 // the server has no Fast Open: it wants them again
			 peer.client.data(stream, 0, 150);
			 s.expected.repeated = 1;
			 block_rest(s, peer, stream);
		 }},
		{"SYN with an unlisted hello",
		 [](Scenario &s) {
			 const auto stream = stream_of(unlisted);
			 auto &peer = s.idle();

			 peer.client.syn(stream);
			 s.verdict(SNI_PASS);
			 s.check(peer.client.finish_handshake(), "no SYN-ACK");
			 s.accept(peer);
			 peer.client.data(stream, 0, stream.size());
			 s.expected.unknown = 1;
			 s.receives(peer, stream, stream.size());
		 }},
	};
}

inline Cases packet_cases()
{
	const Path v6{.client = "fd09::9", .server = "fd09::1"};
	const Path vlan{.client = "10.9.100.9", .server = "10.9.100.1", .vlans = {100}};
	const Path vlan_v6{.client = "fd09:100::9", .server = "fd09:100::1", .vlans = {100}};
	const Path two_vlans{.client = "10.9.200.9", .server = "10.9.200.1", .vlans = {100, 200}};
	auto extensions = v6;
	auto hop_by_hop = v6;

	extensions.ipv6_extensions = {60, 60};
	hop_by_hop.ipv6_extensions = {0, 60};
	return {
		{"IPv4", [](Scenario &s) { along(s, {}); }},
		{"IPv6", [v6](Scenario &s) { along(s, v6); }},
		{"IPv6 with extension headers",
		 [extensions](Scenario &s) { along(s, extensions); }},
		{"IPv6 with hop-by-hop options",
		 [hop_by_hop](Scenario &s) { along(s, hop_by_hop); }},
		{"VLAN tag", [vlan](Scenario &s) { along(s, vlan); }},
		{"VLAN tag, IPv6", [vlan_v6](Scenario &s) { along(s, vlan_v6); }},
		{"two VLAN tags", [two_vlans](Scenario &s) { along(s, two_vlans); }},
		{"IPv4 options", [](Scenario &s) { along(s, {.ip_options = {1, 1, 1, 0}}); }},
		{"TCP options",
		 [](Scenario &s) { along(s, {.tcp_options = {1, 1, 1, 1, 1, 1, 1, 0}}); }},
		{"bytes behind the IP packet", [](Scenario &s) { along(s, {.padding = 13}); }},
		{"IPv4 fragments",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);
			 auto frame = peer.client.packet(
				 {peer.client.place(150), peer.client.server_next(), net::ACK, {}});

			 frame[14 + 6] = 0x20; // more fragments
			 s.stage().wire.send(frame);
			 frame[14 + 6] = 0;
			 frame[14 + 7] = 9; // an offset
			 s.stage().wire.send(frame);
			 s.expected.fragments = 2;
			 block_rest(s, peer, stream);
		 }},
		{"packets cut short",
		 [](Scenario &s) {
			 const auto stream = stream_of(listed);
			 auto &peer = half(s, stream);
			 const auto frame = peer.client.packet(
				 {peer.client.place(150), peer.client.server_next(), net::ACK,
				  Bytes(stream.begin() + 150, stream.end())});

			 // IP says more than there is, down to the Ethernet header alone
			 for (std::size_t size = frame.size() - 1; size >= 14;
			      size -= size > 60 ? 50 : 1)
				 s.stage().wire.send(
					 Bytes(frame.begin(),
					       frame.begin() + static_cast<std::ptrdiff_t>(size)));
			 block_rest(s, peer, stream);
		 }},
		{"another port",
		 [](Scenario &s) {
			 net::Client other(s.stage().wire, {}, s.stage().next_port++, 5, 80);

			 other.syn();
			 other.data(stream_of(listed), 0, 300);
		 }},
	};
}

} // namespace crafted
