// SPDX-License-Identifier: GPL-2.0-only
//
// dns_message_fuzz - the dns filter's reader of messages, from the filter's own source.
//
// The input is one direction of a TCP connection. Byte by byte, with and without skipping,
// it must give what a second reader finds that has all of it before it.
#include <linux/types.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "bpf/filters/dns/message.h"
#include "tests/fuzz/fuzz.h"

namespace {

using fuzz::Bytes;

struct Found {
	unsigned id, flags;
	__u32 question;

	bool operator==(const Found &) const = default;
};

struct Outcome {
	std::vector<Found> messages;
	std::optional<std::size_t> malformed; // bytes read when that was clear

	bool operator==(const Outcome &) const = default;
};

Outcome read(Bytes bytes, bool skipping)
{
	// Alone on the heap: the address sanitizer sees one byte too far.
	const auto m = std::make_unique<dns_message>();
	Outcome out;

	for (std::size_t i = 0; i < bytes.size();) {
		const auto in = std::make_unique<kcoro_input>();

		if (skipping)
			i += kcoro_body_skip(&m->body, static_cast<__u32>(bytes.size() - i));
		in->end = static_cast<__u32>(
			std::min<std::size_t>(skipping ? KCORO_INPUT : 1, bytes.size() - i));
		if (!in->end)
			break;
		std::copy_n(bytes.data() + i, in->end, in->bytes);
		const int result = dns_message_body(m.get(), in.get());
		FUZZ_CHECK(in->at <= in->end && (result || in->at == in->end));
		i += in->at;
		if (result == DNS_MALFORMED) {
			out.malformed = i;
			return out;
		}
		if (result == DNS_FOUND)
			out.messages.push_back({m->id, m->flags, m->question});
	}
	return out;
}

// The second reader: a window on the stream, and the first length that contradicts another.
class Reference {
public:
	explicit Reference(Bytes stream) : stream_(stream) {}

	Outcome read()
	{
		while (!out_.malformed && have(2)) {
			const std::size_t length = number();

			message(at_ + length);
			if (!cut_ && !out_.malformed && have(end_ - at_))
				at_ = end_;
			else
				break;
		}
		return out_;
	}

private:
	bool have(std::size_t n) const { return stream_.size() - at_ >= n; }
	unsigned number()
	{
		const auto value = static_cast<unsigned>(stream_[at_] << 8 | stream_[at_ + 1]);

		at_ += 2;
		return value;
	}

	// Takes n bytes of the message; false when there are not so many, in it or yet.
	bool take(std::size_t n)
	{
		if (end_ - at_ < n)
			out_.malformed = at_;
		else if (!have(n))
			cut_ = true;
		return !out_.malformed && !cut_;
	}

	void message(std::size_t end)
	{
		Found found{};
		end_ = end;
		if (!take(12))
			return;
		found.id = number();
		found.flags = number();
		const auto questions = number();
		at_ += 6;
		if (questions && !question(found.question))
			return;
		out_.messages.push_back(found);
	}

	bool question(__u32 &hash)
	{
		std::size_t name = 0;
		auto add = [&](unsigned byte) { hash = (hash ^ (byte & 255)) * 16777619U; };

		hash = 2166136261U;
		for (unsigned label = 1; label;) {
			if (!take(1))
				return false;
			label = stream_[at_++];
			name += label + 1;
			if (label > 63 || name > 255 || end_ - at_ < label) {
				out_.malformed = at_;
				return false;
			}
			add(label);
			for (unsigned i = 0; i < label; i++) {
				if (!have(1)) {
					cut_ = true;
					return false;
				}
				const unsigned c = stream_[at_++];
				add(c >= 'A' && c <= 'Z' ? c + 32 : c);
			}
		}
		if (!take(4))
			return false;
		for (int i = 0; i < 4; i++)
			add(stream_[at_++]);
		return true;
	}

	Bytes stream_;
	std::size_t at_ = 0, end_ = 0;
	bool cut_ = false;
	Outcome out_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const Bytes bytes(data, size);
	const auto right = Reference(bytes).read();

	FUZZ_CHECK(read(bytes, false) == right);
	FUZZ_CHECK(read(bytes, true) == right);
	return 0;
}
