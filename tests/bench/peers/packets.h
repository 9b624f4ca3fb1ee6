// SPDX-License-Identifier: GPL-2.0-only
// packets.h - the packets that the filters and their peers are given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/net/wire.h"

namespace peers {

using hello::Bytes;

inline constexpr auto listed = "blocked.example.org";

inline Bytes ethernet(const Bytes &packet)
{
	Bytes whole(12, 2);

	hello::put16(whole, ETHERTYPE_IP);
	hello::put(whole, packet);
	return whole;
}

inline Bytes part(const Bytes &of, std::size_t begin, std::size_t end)
{
	return {of.begin() + static_cast<std::ptrdiff_t>(std::min(begin, of.size())),
		of.begin() + static_cast<std::ptrdiff_t>(std::min(end, of.size()))};
}

// One direction of a TCP connection; `at` counts from the first byte behind the SYN.
struct Client {
	std::uint16_t port;
	std::uint32_t first = 0xfffffc00; // so that numbers wrap

	[[nodiscard]] Bytes segment(std::uint8_t flags, std::uint32_t seq,
				    const Bytes &payload = {}) const
	{
		const net::Path path;

		return ethernet(net::detail::ipv4(
			path, net::detail::tcp(path, port, 443, {seq, 1, flags, payload})));
	}
	[[nodiscard]] Bytes syn() const { return segment(net::SYN, first); }
	[[nodiscard]] Bytes data(const Bytes &of, std::size_t begin, std::size_t end) const
	{
		return segment(net::ACK | net::PSH, first + 1 + static_cast<std::uint32_t>(begin),
			       part(of, begin, end));
	}
	[[nodiscard]] Bytes reset(std::size_t at) const
	{
		return segment(net::RST, first + 1 + static_cast<std::uint32_t>(at));
	}
	[[nodiscard]] Bytes fin(std::size_t at) const
	{
		return segment(net::FIN | net::ACK, first + 1 + static_cast<std::uint32_t>(at));
	}
};

inline Bytes datagram(std::uint16_t from, std::uint16_t to, bool back, const Bytes &payload)
{
	net::Path path;
	Bytes udp;

	if (back)
		std::swap(path.client, path.server);
	hello::put16(udp, from);
	hello::put16(udp, to);
	hello::put16(udp, 8 + payload.size());
	hello::put16(udp, 0);
	hello::put(udp, payload);
	auto whole = net::detail::ipv4(path, udp);
	whole[9] = 17;
	return ethernet(whole);
}

// A message with one question; an answer has nothing behind it.
inline Bytes message(std::uint16_t id, std::uint16_t flags, std::string_view name)
{
	Bytes whole;

	for (const std::size_t field : {std::size_t{id}, std::size_t{flags}, std::size_t{1},
					std::size_t{0}, std::size_t{0}, std::size_t{0}})
		hello::put16(whole, field);
	while (!name.empty()) {
		const auto label = name.substr(0, name.find('.'));

		hello::put8(whole, label.size());
		hello::put(whole, label);
		name.remove_prefix(std::min(name.size(), label.size() + 1));
	}
	hello::put8(whole, 0);
	hello::put16(whole, 1);
	hello::put16(whole, 1);
	return whole;
}

inline Bytes query(std::uint16_t port, std::uint16_t id, std::string_view name)
{
	return datagram(port, 53, false, message(id, 0x0100, name));
}

inline Bytes answer(std::uint16_t port, std::uint16_t id, std::string_view name,
		    std::uint16_t code = 0)
{
	return datagram(53, port, true, message(id, 0x8180 | code, name));
}

} // namespace peers
