// SPDX-License-Identifier: GPL-2.0-only
//
// traffic_fuzz.h - packets of TCP connections as they might come, some connections at a time:
// cut anywhere, late, twice, overlapping, with other bytes the second time, reset, begun
// again; over IPv4 and IPv6, with options, extension headers and VLAN tags; some damaged.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "hello_fuzz.h"
#include "wire.h"

namespace fuzz {

class Traffic {
public:
	Traffic(std::uint64_t seed, HelloSource hellos, std::uint16_t port)
		: random_(seed), hellos_(std::move(hellos)), port_(port), talks_(8)
	{
	}

	/// The next frame, Ethernet header and all.
	Bytes packet()
	{
		auto &talk = talks_[random_.below(talks_.size())];

		while (talk.segments.empty())
			talk = begin();

		const auto segment = std::move(talk.segments.front());

		talk.segments.pop_front();
		auto frame = frame_of(talk, segment);
		if (random_.once_in(40))
			damage(frame);
		return frame;
	}

private:
	struct Talk {
		net::Path path;
		std::uint16_t client_port = 0, server_port = 0;
		std::deque<net::Segment> segments; // that are still to be sent
	};

	// Ethernet frames of more than that can't be given to BPF_PROG_TEST_RUN in one page.
	static constexpr std::size_t most = 1460;

	static Bytes frame_of(const Talk &talk, const net::Segment &segment)
	{
		const auto tcp =
			net::detail::tcp(talk.path, talk.client_port, talk.server_port, segment);

		return net::detail::ethernet(talk.path, Bytes{2, 0, 0, 0, 9, 1},
					     Bytes{2, 0, 0, 0, 9, 2},
					     talk.path.ipv6() ? net::detail::ipv6(talk.path, tcp)
							      : net::detail::ipv4(talk.path, tcp));
	}

	net::Path path()
	{
		net::Path path;

		if (random_.once_in(2)) {
			path.client = "fd09::" + std::to_string(random_.between(2, 3));
			path.server = "fd09::1";
			for (auto n = random_.once_in(3) ? random_.between(1, 8) : 0; n > 0; n--)
				path.ipv6_extensions.push_back(
					random_.one_of(std::vector<std::uint8_t>{0, 43, 60}));
		} else if (random_.once_in(4)) {
			path.ip_options = Bytes(4 * random_.between(1, 10), 1); // no operation
		}
		if (random_.once_in(2))
			path.tcp_options = Bytes(4 * random_.between(1, 10), 1);
		for (auto n = random_.once_in(4) ? random_.between(1, 3) : 0; n > 0; n--)
			path.vlans.push_back(static_cast<std::uint16_t>(random_.between(1, 4000)));
		if (random_.once_in(4))
			path.padding = random_.below(20);
		return path;
	}

	Talk begin()
	{
		// Few enough ports that they are used again while the filter knows the flow.
		Talk talk{path(),
			  static_cast<std::uint16_t>(random_.between(2000, 6000)),
			  random_.once_in(20) ? std::uint16_t{80} : port_,
			  {}};
		const auto stream = hellos_.stream(random_);
		auto isn = random_.once_in(4) ? 0U - static_cast<std::uint32_t>(random_.below(2000))
					      : static_cast<std::uint32_t>(random_.next());
		auto pieces = cut(stream.size());

		if (random_.once_in(10))
			other_connection_before(talk, stream, isn);
		if (!random_.once_in(25))
			open(talk, stream, isn, pieces);
		disorder(pieces);
		for (const auto &[from, to] : pieces)
			data(talk, stream, isn, from, to);
		end(talk, stream, isn);
		return talk;
	}

	using Pieces = std::vector<std::pair<std::size_t, std::size_t>>;

	// Where TCP cuts, in order.
	Pieces cut(std::size_t size)
	{
		constexpr std::size_t sizes[] = {1448, 1448, 536, 200, 30};
		const auto largest = sizes[random_.below(5)];
		const bool even = random_.once_in(2);
		Pieces pieces;

		for (std::size_t at = 0; at < size;) {
			// Of a long stream only the beginning in small pieces.
			const auto here = pieces.size() > 12 ? most : largest;
			const auto to =
				std::min(size, at + (even ? here : random_.between(1, here)));

			pieces.emplace_back(at, to);
			at = to;
		}
		return pieces;
	}

	void disorder(Pieces &pieces)
	{
		const auto whole = pieces;

		if (random_.once_in(4) && pieces.size() > 1)
			for (auto n = random_.between(1, 3); n > 0; n--)
				std::swap(pieces[random_.below(pieces.size())],
					  pieces[random_.below(pieces.size())]);
		if (random_.once_in(12))
			pieces.erase(pieces.begin() +
				     static_cast<std::ptrdiff_t>(random_.below(pieces.size())));
		// What a client's TCP does about it.
		if (pieces != whole && !random_.once_in(4))
			pieces.insert(pieces.end(), whole.begin(), whole.end());
	}

	void put(Talk &talk, std::uint32_t seq, std::uint8_t flags, Bytes payload = {})
	{
		talk.segments.push_back({seq, 1, flags, std::move(payload)});
	}

	static Bytes part(const Bytes &stream, std::size_t from, std::size_t to)
	{
		return {stream.begin() + static_cast<std::ptrdiff_t>(from),
			stream.begin() + static_cast<std::ptrdiff_t>(to)};
	}

	void open(Talk &talk, const Bytes &stream, std::uint32_t isn, const Pieces &pieces)
	{
		const bool fast = random_.once_in(8) && !pieces.empty(); // TCP Fast Open

		put(talk, isn, net::SYN,
		    fast ? part(stream, pieces[0].first, pieces[0].second) : Bytes());
		if (random_.once_in(20))
			put(talk, isn, net::SYN);
		if (random_.once_in(3))
			put(talk, isn + 1, net::ACK);
	}

	void other_connection_before(Talk &talk, const Bytes &stream, std::uint32_t isn)
	{
		const auto other = isn + static_cast<std::uint32_t>(random_.between(1, 1 << 20));

		put(talk, other, net::SYN);
		put(talk, other + 1, net::ACK,
		    part(stream, 0, random_.between(1, std::min(most, stream.size()))));
	}

	void data(Talk &talk, const Bytes &stream, std::uint32_t isn, std::size_t from,
		  std::size_t to)
	{
		if (random_.once_in(10)) // overlaps what is before it, or behind it
			from -= std::min(from, random_.below(100));
		if (random_.once_in(10))
			to = std::min(stream.size(), to + random_.below(100));
		to = std::min(to, from + most);

		auto bytes = part(stream, from, to);
		const auto seq = isn + 1 + static_cast<std::uint32_t>(from);

		if (random_.once_in(40)) // the same place, and another byte
			bytes[random_.below(bytes.size())] ^= 0x20;
		if (random_.once_in(50)) // before the SYN's number
			put(talk, isn + 1 - static_cast<std::uint32_t>(random_.between(1, 50)),
			    net::ACK, bytes);
		put(talk, seq,
		    static_cast<std::uint8_t>(net::ACK | (random_.once_in(60) ? net::FIN : 0)),
		    bytes);
		if (random_.once_in(15))
			put(talk, seq, net::ACK, std::move(bytes));
		if (random_.once_in(60)) {
			const auto next = isn + 1 + static_cast<std::uint32_t>(to);

			put(talk, random_.once_in(2) ? next : next + 1, net::RST);
		}
		if (random_.once_in(80))
			put(talk, isn, net::SYN);
	}

	void end(Talk &talk, const Bytes &stream, std::uint32_t isn)
	{
		const auto next = isn + 1 + static_cast<std::uint32_t>(stream.size());

		if (random_.once_in(3))
			put(talk, next, net::FIN | net::ACK);
		if (random_.once_in(4))
			put(talk, next, net::RST);
	}

	// The headers are hit more often than chance would have it.
	void damage(Bytes &frame)
	{
		switch (random_.below(4)) {
		case 0: // BPF_PROG_TEST_RUN takes no frame without a whole IP header
			frame.resize(random_.between(54, frame.size()));
			break;
		case 1:
			hello::put(frame, Bytes(random_.between(1, 40), 0));
			break;
		default:
			for (auto n = random_.between(1, 3); n > 0; n--)
				frame[random_.below(std::min<std::size_t>(frame.size(), 90))] ^=
					static_cast<std::uint8_t>(1U << random_.below(8));
		}
	}

	Random random_;
	HelloSource hellos_;
	std::uint16_t port_;
	std::vector<Talk> talks_;
};

} // namespace fuzz
