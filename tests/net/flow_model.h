// SPDX-License-Identifier: GPL-2.0-only
//
// flow_model.h - what docs/filters/sni.md says of a packet, in the simplest way: of each flow
// all of the stream is kept, and read from its first byte on whenever there is more of it. It
// shares nothing with the filter but the names of its verdicts and counters.
#pragma once

#include <linux/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "../../bpf/filters/sni/sni.h"
#include "../fuzz/client_hello_reference.h"
#include "../fuzz/packet_reference.h"

namespace model {

using reference::Bytes;

/// What is told of a flow when it is judged.
struct Told {
	sni_verdict verdict = SNI_PASS;
	bool dropped = false, ech = false;
	std::size_t bytes = 0, segments = 0; // of the flow
	std::string name;

	bool operator==(const Told &) const = default;
};

struct Judgement {
	bool dropped = false;
	std::optional<Told> told;

	bool operator==(const Judgement &) const = default;
};

class Filter {
public:
	/// `names` are in lower case; "*.suffix" is every name below suffix.
	Filter(std::vector<std::string> names, unsigned port, unsigned max_hello, bool closed)
		: names_(std::move(names)), port_(port), max_hello_(max_hello), closed_(closed)
	{
	}

	Judgement packet(Bytes frame)
	{
		const auto p = reference::PacketReader(frame, true, false).read(false);
		const Key key{p.family, p.source, p.source_port, p.dest, p.dest_port};

		last_ = nullptr;
		if (p.kind == reference::Kind::FRAGMENT)
			counted.fragments++;
		if (p.kind != reference::Kind::TCP || (port_ && p.dest_port != port_))
			return {};
		if (p.payload_len) {
			counted.segments++;
			counted.bytes += p.payload_len;
		}
		if (p.flags & reference::SYN && p.flags & reference::ACK)
			return {};

		const auto payload = frame.subspan(p.payload, p.payload_len);
		const bool nothing = !p.payload_len;

		if (p.flags & reference::SYN) {
			auto found = flows_.find(key);

			if (found == flows_.end() || found->second.first != p.seq + 1)
				found = flows_.insert_or_assign(key, Flow{p.seq + 1}).first;
			return nothing ? Judgement{} : segment(key, p, p.seq + 1, payload);
		}
		if (nothing && !(p.flags & (reference::FIN | reference::RST)))
			return {};
		if (!flows_.contains(key)) {
			counted.unknown += !nothing && !(p.flags & reference::RST);
			return {};
		}
		if (p.flags & reference::RST) {
			const auto &flow = flows_.at(key);

			if (flow.blocked || p.seq != flow.next())
				return {};
			return unfinished(key);
		}
		return segment(key, p, p.seq, payload);
	}

	[[nodiscard]] std::size_t flows() const { return flows_.size(); }
	/// The stream that the last packet belonged to, as far as it is known; for reports.
	[[nodiscard]] const std::vector<std::uint8_t> &last_stream() const
	{
		static const std::vector<std::uint8_t> none;

		return last_ ? *last_ : none;
	}

	sni_counters counted{};

private:
	using Address = std::array<std::uint8_t, 16>;
	using Key = std::tuple<unsigned, Address, unsigned, Address, unsigned>;

	struct Flow {
		std::uint32_t first = 0; // number of the stream's first byte
		std::vector<std::uint8_t> stream{};
		std::size_t segments = 0;
		bool blocked = false, ech = false;

		[[nodiscard]] std::uint32_t next() const
		{
			return first + static_cast<std::uint32_t>(stream.size());
		}
	};

	Judgement drop(__u64 &counter)
	{
		counter++;
		return {true, {}};
	}

	Judgement tell(const Flow &flow, sni_verdict verdict, bool dropped, std::string name = {})
	{
		counted.verdict[verdict]++;
		return {dropped, Told{verdict, dropped, flow.ech, flow.stream.size(), flow.segments,
				      std::move(name)}};
	}

	Judgement unfinished(const Key &key)
	{
		const auto said = tell(flows_.at(key), SNI_UNFINISHED, false);

		flows_.erase(key);
		return said;
	}

	Judgement segment(const Key &key, const reference::Packet &p, std::uint32_t seq,
			  Bytes payload)
	{
		auto &flow = flows_.at(key);
		// Where the segment begins and ends in the stream.
		const std::int64_t begin = static_cast<std::int32_t>(seq - flow.first);
		const auto end = begin + static_cast<std::int64_t>(payload.size());
		const auto known = static_cast<std::int64_t>(flow.stream.size());

		if (flow.blocked)
			return drop(counted.dropped);
		if (begin < 0)
			return drop(counted.foreign);
		if (begin > known)
			return drop(counted.early);
		flow.segments += !payload.empty();
		if (end > known) {
			const auto fresh = payload.subspan(static_cast<std::size_t>(known - begin));

			flow.stream.insert(flow.stream.end(), fresh.begin(), fresh.end());
			shown_ = flow.stream;
			last_ = &shown_;
			const auto hello = reference::ClientHello(flow.stream, max_hello_).read();

			flow.ech = hello.ech;
			if (hello.result != reference::Result::MORE)
				return judge(key, hello);
			counted.suspended++;
		} else if (!payload.empty()) {
			counted.repeated++;
		}
		const auto behind = seq + static_cast<std::uint32_t>(payload.size());

		if (p.flags & reference::FIN && behind == flow.next())
			return unfinished(key);
		return {};
	}

	Judgement judge(const Key &key, const reference::Hello &hello)
	{
		using enum reference::Result;
		auto &flow = flows_.at(key);
		const bool named = hello.result == NAME;
		const bool dropped =
			named ? listed(hello.name) : hello.result == TOO_LARGE && closed_;
		const auto verdict = named			 ? (dropped ? SNI_BLOCK : SNI_PASS)
				     : hello.result == NO_NAME	 ? SNI_NO_NAME
				     : hello.result == OTHER	 ? SNI_NOT_TLS
				     : hello.result == MALFORMED ? SNI_MALFORMED
								 : SNI_TOO_LARGE;

		counted.hellos += named || hello.result == NO_NAME;
		counted.ech += hello.ech;
		counted.dropped += dropped;
		auto said = tell(flow, verdict, dropped, hello.name);
		if (dropped)
			flow.blocked = true;
		else
			flows_.erase(key);
		return said;
	}

	[[nodiscard]] bool listed(std::string name) const
	{
		for (auto &c : name)
			c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
		return std::ranges::any_of(names_, [&](const std::string &one) {
			return one.starts_with("*") ? name.ends_with(one.substr(1)) : name == one;
		});
	}

	std::vector<std::string> names_;
	unsigned port_, max_hello_;
	bool closed_;
	std::map<Key, Flow> flows_;
	std::vector<std::uint8_t> shown_;
	const std::vector<std::uint8_t> *last_ = nullptr;
};

} // namespace model
