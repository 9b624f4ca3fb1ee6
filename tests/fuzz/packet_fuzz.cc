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
#include "tests/fuzz/packet_reference.h"

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

// The second reader's opinion.
Segment reference_of(Bytes bytes, bool raw_ip, unsigned wanted)
{
	constexpr kcoro_packet_kind kinds[] = {KCORO_PACKET_OTHER, KCORO_PACKET_FRAGMENT,
					       KCORO_PACKET_TCP, KCORO_PACKET_UDP};
	const auto found =
		reference::PacketReader(bytes, wanted & KCORO_PACKET_TCP, wanted & KCORO_PACKET_UDP)
			.read(raw_ip);
	Segment segment;
	auto &p = segment.whole;

	segment.kind = kinds[static_cast<int>(found.kind)];
	p.key.family = static_cast<__u16>(found.family);
	p.key.source_port = bpf_htons(static_cast<__u16>(found.source_port));
	p.key.dest_port = bpf_htons(static_cast<__u16>(found.dest_port));
	std::ranges::copy(found.source, p.key.source);
	std::ranges::copy(found.dest, p.key.dest);
	p.payload = static_cast<__u32>(found.payload);
	p.payload_len = static_cast<__u32>(found.payload_len);
	p.seq = found.seq;
	p.ack = found.ack;
	p.flags = static_cast<__u8>(found.flags);
	return segment;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const Bytes bytes(data, size);

	constexpr unsigned tcp = KCORO_PACKET_TCP, udp = KCORO_PACKET_UDP;

	for (const bool raw_ip : {false, true}) {
		for (const unsigned wanted : {tcp, udp, tcp | udp}) {
			const auto right = reference_of(bytes, raw_ip, wanted);

			FUZZ_CHECK(read(bytes, raw_ip, false, wanted) == right);
			FUZZ_CHECK(read(bytes, raw_ip, true, wanted) == right);
		}
	}
	return 0;
}
