// SPDX-License-Identifier: GPL-2.0-only
//
// packet_fuzz - from a packet to a TCP segment or UDP datagram: kcoro_packet.bpf.h, from its
// own source. The load helpers are here what they are in the kernel: a copy that is whole and
// inside the packet, or an error.
//
// The input is a packet. It is read as with an Ethernet header and without, through the
// helpers of TC and of XDP; a second reader, written in another way, must agree.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "tests/fuzz/fuzz.h"

namespace {

using fuzz::Bytes;

// What the programs' context points to.
struct Context : __sk_buff {
	Bytes bytes;
	unsigned loads = 0;

	long load(__u32 offset, void *to, __u32 size)
	{
		loads++;
		if (offset > bytes.size() || size > bytes.size() - offset)
			return -EFAULT;
		std::memcpy(to, bytes.data() + offset, size);
		return 0;
	}
};

long bpf_skb_load_bytes(void *ctx, __u32 offset, void *to, __u32 size)
{
	return static_cast<Context *>(static_cast<__sk_buff *>(ctx))->load(offset, to, size);
}

long bpf_xdp_load_bytes(void *ctx, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(ctx, offset, to, size);
}

__u64 bpf_xdp_get_buff_len(void *ctx)
{
	return static_cast<__sk_buff *>(ctx)->len;
}

#include "bpf/kcoro_packet.bpf.h"

// Ethernet with two tags, IPv6 with eight extension headers, TCP: no packet costs more.
constexpr unsigned most_loads = 1 + 2 + 1 + 8 + 1;

struct Segment {
	kcoro_packet_kind kind = KCORO_PACKET_OTHER;
	kcoro_packet whole{};

	bool is_whole() const { return kind == KCORO_PACKET_TCP || kind == KCORO_PACKET_UDP; }

	bool operator==(const Segment &other) const
	{
		return kind == other.kind &&
		       (!is_whole() ||
			(!std::memcmp(&whole.key, &other.whole.key, sizeof(whole.key)) &&
			 whole.payload == other.whole.payload &&
			 whole.payload_len == other.whole.payload_len &&
			 whole.seq == other.whole.seq && whole.ack == other.whole.ack &&
			 whole.flags == other.whole.flags));
	}
};

Segment read(Bytes bytes, bool raw_ip, bool xdp, unsigned wanted)
{
	Context context{};
	Segment segment;

	context.bytes = bytes;
	context.len = static_cast<__u32>(bytes.size());
	const kcoro_packet_source from{static_cast<__sk_buff *>(&context), xdp};
	segment.kind = kcoro_packet_read(&from, raw_ip, wanted, &segment.whole);
	FUZZ_CHECK(context.loads <= most_loads);
	if (segment.is_whole()) {
		const auto &p = segment.whole;

		FUZZ_CHECK(p.payload <= bytes.size() && p.payload_len <= bytes.size() - p.payload);
		FUZZ_CHECK((p.key.family == 4 || p.key.family == 6) && p.key.zero == 0);
	}
	return segment;
}

// The second reader: a window on the packet that is cut down, header by header.
class Reference {
public:
	Reference(Bytes bytes, unsigned wanted) : packet_(bytes), rest_(bytes), wanted_(wanted) {}

	Segment segment(bool raw_ip)
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
		auto &key = found_.whole.key;

		if (header < 20 || !is_wanted(at(9)))
			return;
		if (at(6, 2) & 0x3fff) {
			found_.kind = KCORO_PACKET_FRAGMENT;
			return;
		}
		key.family = 4;
		for (auto [side, offset] : {std::pair(key.source, 12), std::pair(key.dest, 16)}) {
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
		auto &key = found_.whole.key;
		auto next = at(6);
		std::size_t header = 40;

		for (int i = 0; i < 8 && (next == 0 || next == 43 || next == 44 || next == 60);
		     i++) {
			if (rest_.size() < header + 2)
				return;
			const bool fragment = next == 44;

			next = at(header);
			if (fragment) {
				found_.kind = is_wanted(next) ? KCORO_PACKET_FRAGMENT
							      : KCORO_PACKET_OTHER;
				return;
			}
			header += (at(header + 1) + 1) * 8;
		}
		if (!is_wanted(next))
			return;
		key.family = 6;
		std::memcpy(key.source, &rest_[8], 16);
		std::memcpy(key.dest, &rest_[24], 16);
		if (total > rest_.size() || header > rest_.size())
			return;
		transport(next, header, total);
	}

	bool is_wanted(unsigned protocol) const
	{
		return (protocol == 6 && wanted_ & KCORO_PACKET_TCP) ||
		       (protocol == 17 && wanted_ & KCORO_PACKET_UDP);
	}

	void transport(unsigned protocol, std::size_t header, std::size_t total)
	{
		protocol == 6 ? tcp(header, total) : udp(header, total);
	}

	void udp(std::size_t header, std::size_t total)
	{
		auto &p = found_.whole;

		if (rest_.size() < header + 8)
			return;
		const std::size_t end = at(header + 4, 2) ? header + at(header + 4, 2) : total;
		if (end < header + 8 || end > total)
			return;
		std::memcpy(&p.key.source_port, &rest_[header], 2);
		std::memcpy(&p.key.dest_port, &rest_[header + 2], 2);
		p.payload = static_cast<__u32>(packet_.size() - rest_.size() + header + 8);
		p.payload_len = static_cast<__u32>(end - header - 8);
		found_.kind = KCORO_PACKET_UDP;
	}

	// The TCP header stands at `header`, the IP packet ends at `total`.
	void tcp(std::size_t header, std::size_t total)
	{
		const auto before = packet_.size() - rest_.size();
		auto &p = found_.whole;

		if (rest_.size() < header + 20)
			return;
		const std::size_t length = (at(header + 12) >> 4) * 4;
		if (length < 20 || header + length > total)
			return;
		std::memcpy(&p.key.source_port, &rest_[header], 2);
		std::memcpy(&p.key.dest_port, &rest_[header + 2], 2);
		p.seq = at(header + 4, 4);
		p.ack = at(header + 8, 4);
		p.flags = static_cast<__u8>(at(header + 13) & (KCORO_TCP_FIN | KCORO_TCP_SYN |
							       KCORO_TCP_RST | KCORO_TCP_ACK));
		p.payload = static_cast<__u32>(before + header + length);
		p.payload_len = static_cast<__u32>(total - header - length);
		found_.kind = KCORO_PACKET_TCP;
	}

	Bytes packet_, rest_;
	unsigned wanted_;
	Segment found_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const Bytes bytes(data, size);

	constexpr unsigned tcp = KCORO_PACKET_TCP, udp = KCORO_PACKET_UDP;

	for (const bool raw_ip : {false, true}) {
		for (const unsigned wanted : {tcp, udp, tcp | udp}) {
			const auto right = Reference(bytes, wanted).segment(raw_ip);

			FUZZ_CHECK(read(bytes, raw_ip, false, wanted) == right);
			FUZZ_CHECK(read(bytes, raw_ip, true, wanted) == right);
		}
	}
	return 0;
}
