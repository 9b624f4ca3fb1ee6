// SPDX-License-Identifier: GPL-2.0-only
//
// wire.h - TCP segments made by hand and sent as Ethernet frames, and a TCP client made of
// them. Its address is nobody's, so no kernel answers in its place (with RST).
#pragma once

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hello_maker.h"
#include "netns.h"

namespace net {

using hello::Bytes;

enum : std::uint8_t { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/// How a connection's packets look around their payload.
struct Path {
	std::string client = "10.9.0.9", server = "10.9.0.1";
	std::vector<std::uint16_t> vlans{};	     // outer tag first
	Bytes ip_options{};			     // IPv4, a multiple of 4 bytes
	std::vector<std::uint8_t> ipv6_extensions{}; // types of extension headers of 8 bytes each
	Bytes tcp_options{};			     // a multiple of 4 bytes
	std::size_t padding = 0;		     // bytes behind the IP packet

	[[nodiscard]] bool ipv6() const { return client.find(':') != std::string::npos; }
};

struct Segment {
	std::uint32_t seq = 0, ack = 0;
	std::uint8_t flags = ACK;
	Bytes payload;
};

namespace detail {

inline Bytes address(const std::string &text)
{
	Bytes bytes(text.find(':') == std::string::npos ? 4 : 16);

	if (inet_pton(bytes.size() == 4 ? AF_INET : AF_INET6, text.c_str(), bytes.data()) != 1)
		die("address " + text);
	return bytes;
}

inline void put32(Bytes &to, std::uint32_t value)
{
	hello::put16(to, value >> 16);
	hello::put16(to, value);
}

/// The internet checksum over `bytes`, going on from `sum`.
inline std::uint16_t checksum(const Bytes &bytes, std::uint32_t sum = 0)
{
	for (std::size_t i = 0; i < bytes.size(); i++)
		sum += i % 2 ? bytes[i] : static_cast<std::uint32_t>(bytes[i]) << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<std::uint16_t>(~sum);
}

inline void set16(Bytes &in, std::size_t at, std::uint16_t value)
{
	in[at] = static_cast<std::uint8_t>(value >> 8);
	in[at + 1] = static_cast<std::uint8_t>(value);
}

inline Bytes tcp(const Path &path, std::uint16_t source_port, std::uint16_t dest_port,
		 const Segment &segment)
{
	Bytes whole, pseudo = address(path.client);

	hello::put16(whole, source_port);
	hello::put16(whole, dest_port);
	put32(whole, segment.seq);
	put32(whole, segment.flags & ACK ? segment.ack : 0);
	hello::put8(whole, (5 + path.tcp_options.size() / 4) << 4);
	hello::put8(whole, segment.flags);
	hello::put16(whole, 64240); // window
	hello::put16(whole, 0);	    // checksum
	hello::put16(whole, 0);	    // urgent
	hello::put(whole, path.tcp_options);
	hello::put(whole, segment.payload);

	hello::put(pseudo, address(path.server));
	hello::put16(pseudo, 6);
	hello::put16(pseudo, whole.size());
	hello::put(pseudo, whole);
	set16(whole, 16, checksum(pseudo));
	return whole;
}

inline Bytes ipv4(const Path &path, const Bytes &content)
{
	Bytes whole = {static_cast<std::uint8_t>(0x45 + path.ip_options.size() / 4), 0};

	hello::put16(whole, 20 + path.ip_options.size() + content.size());
	put32(whole, 0);		       // no fragment
	hello::put(whole, Bytes{64, 6, 0, 0}); // hop limit, TCP, checksum
	hello::put(whole, address(path.client));
	hello::put(whole, address(path.server));
	hello::put(whole, path.ip_options);
	set16(whole, 10, checksum(whole));
	hello::put(whole, content);
	return whole;
}

inline Bytes ipv6(const Path &path, const Bytes &content)
{
	const auto &extensions = path.ipv6_extensions;
	Bytes whole = {0x60, 0, 0, 0};

	hello::put16(whole, 8 * extensions.size() + content.size());
	hello::put8(whole, extensions.empty() ? 6 : extensions[0]);
	hello::put8(whole, 64);
	hello::put(whole, address(path.client));
	hello::put(whole, address(path.server));
	for (std::size_t i = 0; i < extensions.size(); i++) // each with a PadN option
		hello::put(whole,
			   Bytes{i + 1 < extensions.size() ? extensions[i + 1] : std::uint8_t(6), 0,
				 1, 4, 0, 0, 0, 0});
	hello::put(whole, content);
	return whole;
}

inline Bytes ethernet(const Path &path, const Bytes &to, const Bytes &from, const Bytes &packet)
{
	Bytes whole = to;

	hello::put(whole, from);
	for (const auto vlan : path.vlans) {
		hello::put16(whole, ETHERTYPE_VLAN);
		hello::put16(whole, vlan);
	}
	hello::put16(whole, path.ipv6() ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	hello::put(whole, packet);
	hello::put(whole, Bytes(path.padding, 0x77));
	return whole;
}

} // namespace detail

/// One end of a veth, as a raw socket; `mac` is its own address, `peer_mac` the other end's.
class Wire {
public:
	Wire(const Namespace &where, const std::string &interface, std::array<std::uint8_t, 6> mac,
	     std::array<std::uint8_t, 6> peer_mac)
		: mac_(mac.begin(), mac.end()), peer_mac_(peer_mac.begin(), peer_mac.end())
	{
		where.inside([&] {
			sockaddr_ll address{};

			socket_ =
				Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
			address.sll_family = AF_PACKET;
			address.sll_protocol = htons(ETH_P_ALL);
			address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
			if (!socket_ || bind(socket_.get(), reinterpret_cast<sockaddr *>(&address),
					     sizeof(address)))
				die("raw socket on " + interface);
		});
	}

	[[nodiscard]] Bytes frame(const Path &path, const Bytes &packet) const
	{
		return detail::ethernet(path, peer_mac_, mac_, packet);
	}

	/// A filter on the way out that drops the frame shows as ENOBUFS.
	void send(const Bytes &frame) const
	{
		if (::send(socket_.get(), frame.data(), frame.size(), 0) !=
			    static_cast<ssize_t>(frame.size()) &&
		    errno != ENOBUFS)
			die("send a frame");
	}

	/// Waits for a segment from `server_port` to `client_port` with all of `flags`.
	[[nodiscard]] std::optional<Segment> receive(std::uint16_t server_port,
						     std::uint16_t client_port, std::uint8_t flags,
						     std::chrono::milliseconds most) const
	{
		const auto until = std::chrono::steady_clock::now() + most;
		std::array<std::uint8_t, 4096> buffer{};

		for (;;) {
			const auto left = std::chrono::ceil<std::chrono::milliseconds>(
				until - std::chrono::steady_clock::now());
			pollfd wait{socket_.get(), POLLIN, 0};
			sockaddr_ll from{};
			socklen_t size = sizeof(from);

			if (left.count() <= 0 ||
			    poll(&wait, 1, static_cast<int>(left.count())) <= 0)
				return {};

			const auto n = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
						reinterpret_cast<sockaddr *>(&from), &size);

			if (n <= 0 || from.sll_pkttype == PACKET_OUTGOING)
				continue;

			const auto segment = parse(Bytes(buffer.begin(), buffer.begin() + n),
						   server_port, client_port);

			if (segment && (segment->flags & flags) == flags)
				return segment;
		}
	}

private:
	Fd socket_;
	Bytes mac_, peer_mac_;

	static std::uint32_t get(const Bytes &from, std::size_t at, int n)
	{
		std::uint32_t value = 0;

		while (n--)
			value = value << 8 | from[at++];
		return value;
	}

	/// Headers of a segment whose IP header has no options or extensions.
	static std::optional<Segment> parse(const Bytes &frame, std::uint16_t server_port,
					    std::uint16_t client_port)
	{
		std::size_t at = 12;

		if (frame.size() < 54)
			return {};
		while (get(frame, at, 2) == ETHERTYPE_VLAN && at < 20)
			at += 4;
		at += 2 + (get(frame, at, 2) == ETHERTYPE_IPV6 ? 40 : 20);
		if (frame.size() < at + 20 || get(frame, at, 2) != server_port ||
		    get(frame, at + 2, 2) != client_port)
			return {};
		return Segment{get(frame, at + 4, 4), get(frame, at + 8, 4), frame[at + 13], {}};
	}
};

/// A TCP client that sends what it is told to.
class Client {
public:
	Client(const Wire &wire, Path path, std::uint16_t port, std::uint32_t isn,
	       std::uint16_t server_port = 443)
		: wire_(&wire), path_(std::move(path)), port_(port), server_port_(server_port),
		  isn_(isn)
	{
	}

	void syn(const Bytes &payload = {}) { raw({isn_, 0, SYN, payload}); }

	/// SYN, SYN-ACK, ACK. False when the server does not answer.
	[[nodiscard]] bool
	handshake(std::chrono::milliseconds most = std::chrono::milliseconds(2000))
	{
		syn();
		return finish_handshake(most);
	}

	[[nodiscard]] bool
	finish_handshake(std::chrono::milliseconds most = std::chrono::milliseconds(2000))
	{
		const auto answer = wire_->receive(server_port_, port_, SYN | ACK, most);

		if (!answer || answer->ack != isn_ + 1)
			return false;
		server_next_ = answer->seq + 1;
		raw({isn_ + 1, server_next_, ACK, {}});
		return true;
	}

	/// Bytes `begin` to `end` of `stream`, at their place in the connection.
	void data(const Bytes &stream, std::size_t begin, std::size_t end,
		  std::uint8_t flags = ACK | PSH)
	{
		raw({place(begin), server_next_, flags,
		     Bytes(stream.begin() + static_cast<std::ptrdiff_t>(begin),
			   stream.begin() +
				   static_cast<std::ptrdiff_t>(std::min(end, stream.size())))});
	}

	/// A segment without payload at a place in the stream.
	void bare(std::size_t at, std::uint8_t flags) { raw({place(at), server_next_, flags, {}}); }

	void raw(const Segment &segment)
	{
		wire_->send(packet(segment));
		segments_ += !segment.payload.empty();
		bytes_ += segment.payload.size();
	}

	[[nodiscard]] Bytes packet(const Segment &segment) const
	{
		const auto content = detail::tcp(path_, port_, server_port_, segment);

		return wire_->frame(path_, path_.ipv6() ? detail::ipv6(path_, content)
							: detail::ipv4(path_, content));
	}

	[[nodiscard]] std::uint32_t place(std::size_t at) const
	{
		return isn_ + 1 + static_cast<std::uint32_t>(at);
	}
	[[nodiscard]] std::uint32_t server_next() const { return server_next_; }
	[[nodiscard]] std::uint16_t port() const { return port_; }
	[[nodiscard]] std::uint64_t segments() const { return segments_; } // sent, with payload
	[[nodiscard]] std::uint64_t bytes() const { return bytes_; }
	Path &path() { return path_; }
	void restart(std::uint32_t isn) { isn_ = isn; } // the same ports, another connection

private:
	const Wire *wire_;
	Path path_;
	std::uint16_t port_, server_port_;
	std::uint32_t isn_, server_next_ = 0;
	std::uint64_t segments_ = 0, bytes_ = 0;
};

} // namespace net
