// SPDX-License-Identifier: GPL-2.0-only
//
// packet_reference.h - a second reader of packets' headers, for tests: it shares nothing with
// kcoro_packet.bpf.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace reference {

using Bytes = std::span<const std::uint8_t>;

enum class Kind { OTHER, FRAGMENT, TCP, UDP };

enum : unsigned { FIN = 1, SYN = 2, RST = 4, ACK = 16 }; // of a TCP header's flags

/// Numbers in host order, IPv4 addresses mapped into IPv6. Of OTHER and FRAGMENT nothing else counts.
struct Packet {
	Kind kind = Kind::OTHER;
	unsigned family = 0;
	std::array<std::uint8_t, 16> source{}, dest{};
	unsigned source_port = 0, dest_port = 0;
	std::size_t payload = 0, payload_len = 0; // where, and how many bytes
	unsigned seq = 0, ack = 0, flags = 0;	  // TCP
};

/// Reads it through a window that is cut down, header by header.
class PacketReader {
public:
	PacketReader(Bytes bytes, bool tcp, bool udp)
		: packet_(bytes), rest_(bytes), tcp_(tcp), udp_(udp)
	{
	}

	Packet read(bool raw_ip)
	{
		const auto type = raw_ip ? ip_version() : ethernet();

		if (type == 0x0800)
			ipv4();
		else if (type == 0x86dd)
			ipv6();
		return found_;
	}

private:
	[[nodiscard]] unsigned at(std::size_t offset, int bytes = 1) const
	{
		unsigned value = 0;

		for (int i = 0; i < bytes; i++)
			value = value << 8 | rest_[offset + static_cast<std::size_t>(i)];
		return value;
	}

	unsigned ip_version()
	{
		const auto version = rest_.empty() ? 0 : rest_[0] >> 4;

		return version == 4 ? 0x0800 : version == 6 ? 0x86dd : 0;
	}

	unsigned ethernet()
	{
		std::size_t header = 14;

		if (rest_.size() < header)
			return 0;
		for (int tags = 0; tags < 2; tags++) {
			const auto type = at(header - 2, 2);

			if (type != 0x8100 && type != 0x88a8)
				break;
			header += 4;
			if (rest_.size() < header)
				return 0;
		}
		const auto type = at(header - 2, 2);
		rest_ = rest_.subspan(header);
		return type;
	}

	void ipv4()
	{
		if (rest_.size() < 20 || at(0) >> 4 != 4)
			return;
		const std::size_t header = (at(0) & 15) * 4;
		const std::size_t total = at(2, 2) ? at(2, 2) : rest_.size();

		if (header < 20 || !is_wanted(at(9)))
			return;
		if (at(6, 2) & 0x3fff) {
			found_.kind = Kind::FRAGMENT;
			return;
		}
		found_.family = 4;
		for (auto [side, offset] :
		     {std::pair(found_.source.data(), 12), std::pair(found_.dest.data(), 16)}) {
			side[10] = side[11] = 0xff;
			std::memcpy(side + 12, &rest_[static_cast<std::size_t>(offset)], 4);
		}
		if (total > rest_.size() || header > rest_.size())
			return;
		transport(at(9), header, total);
	}

	void ipv6()
	{
		if (rest_.size() < 40 || at(0) >> 4 != 6)
			return;
		const std::size_t total = at(4, 2) ? 40 + at(4, 2) : rest_.size();
		auto next = at(6);
		std::size_t header = 40;

		for (int i = 0; i < 8 && (next == 0 || next == 43 || next == 44 || next == 60);
		     i++) {
			if (rest_.size() < header + 2)
				return;
			const bool fragment = next == 44;

			next = at(header);
			if (fragment) {
				found_.kind = is_wanted(next) ? Kind::FRAGMENT : Kind::OTHER;
				return;
			}
			header += (at(header + 1) + 1) * 8;
		}
		if (!is_wanted(next))
			return;
		found_.family = 6;
		std::memcpy(found_.source.data(), &rest_[8], 16);
		std::memcpy(found_.dest.data(), &rest_[24], 16);
		if (total > rest_.size() || header > rest_.size())
			return;
		transport(next, header, total);
	}

	bool is_wanted(unsigned protocol) const
	{
		return (protocol == 6 && tcp_) || (protocol == 17 && udp_);
	}

	void transport(unsigned protocol, std::size_t header, std::size_t total)
	{
		protocol == 6 ? tcp(header, total) : udp(header, total);
	}

	void udp(std::size_t header, std::size_t total)
	{
		if (rest_.size() < header + 8)
			return;
		const std::size_t end = at(header + 4, 2) ? header + at(header + 4, 2) : total;
		if (end < header + 8 || end > total)
			return;
		found_.source_port = at(header, 2);
		found_.dest_port = at(header + 2, 2);
		found_.payload = packet_.size() - rest_.size() + header + 8;
		found_.payload_len = end - header - 8;
		found_.kind = Kind::UDP;
	}

	// The TCP header stands at `header`, the IP packet ends at `total`.
	void tcp(std::size_t header, std::size_t total)
	{
		const auto before = packet_.size() - rest_.size();

		if (rest_.size() < header + 20)
			return;
		const std::size_t length = (at(header + 12) >> 4) * 4;
		if (length < 20 || header + length > total)
			return;
		found_.source_port = at(header, 2);
		found_.dest_port = at(header + 2, 2);
		found_.seq = at(header + 4, 4);
		found_.ack = at(header + 8, 4);
		found_.flags = at(header + 13) & (FIN | SYN | RST | ACK);
		found_.payload = before + header + length;
		found_.payload_len = total - header - length;
		found_.kind = Kind::TCP;
	}

	Bytes packet_, rest_;
	bool tcp_, udp_; // what is wanted
	Packet found_;
};

} // namespace reference
