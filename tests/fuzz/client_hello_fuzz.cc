// SPDX-License-Identifier: GPL-2.0-only
//
// client_hello_fuzz - the sni filter's ClientHello parser, from the filter's own source.
//
// The input is the TCP stream as it is, so that a recorded hello is a seed. It must come to
// the same outcome whole, byte by byte, in segments of any size, with and without skipping,
// and in a second parser that is written in another way (recursive, over the whole stream).
#include <linux/types.h>

#include <algorithm>
#include <memory>
#include <string>

#include "bpf/filters/sni/client_hello.h"
#include "tests/fuzz/client_hello_reference.h"
#include "tests/fuzz/fuzz.h"

namespace {

using fuzz::Bytes;

constexpr __u32 max_hello = 131072;

struct Outcome {
	int result = SNI_MORE;
	std::size_t consumed = 0; // bytes until the result
	bool ech = false;
	std::string name;

	bool operator==(const Outcome &) const = default;
};

// State and segments are on the heap, each alone: the address sanitizer sees one byte too far.
class Parser {
public:
	explicit Parser(__u32 limit) { sni_hello_start(state_.get(), limit); }

	void feed(Bytes segment)
	{
		const auto copy = std::make_unique<__u8[]>(segment.size());
		std::size_t at = 0;

		std::copy(segment.begin(), segment.end(), copy.get());
		while (at < segment.size() && result_ == SNI_MORE) {
			const auto rest = static_cast<__u32>(segment.size() - at);
			const auto skipped = sni_hello_skip(state_.get(), rest);

			FUZZ_CHECK(skipped <= rest);
			at += skipped;
			if (at < segment.size())
				at += give(copy.get() + at, segment.size() - at);
		}
		consumed_ += at;
	}

	void feed_unskipped(Bytes stream)
	{
		while (result_ == SNI_MORE && consumed_ < stream.size())
			consumed_ += give(stream.data() + consumed_, 1);
	}

	[[nodiscard]] Outcome outcome() const
	{
		Outcome outcome{result_, consumed_, state_->ech != 0, {}};

		FUZZ_CHECK(result_ >= SNI_MORE && result_ <= SNI_FOUND_TOO_LARGE);
		FUZZ_CHECK(state_->name_len <= sizeof(state_->name));
		if (result_ == SNI_FOUND_NAME) {
			FUZZ_CHECK(state_->name_len > 0 && state_->name_len <= SNI_NAME_MAX);
			outcome.name.assign(state_->name, state_->name_len);
			FUZZ_CHECK(outcome.name.find('\0') == std::string::npos);
		}
		return outcome;
	}

private:
	// As many as an input has room for; how many were taken.
	std::size_t give(const __u8 *bytes, std::size_t size)
	{
		const auto in = std::make_unique<kcoro_input>();

		in->end = static_cast<__u32>(std::min<std::size_t>(size, KCORO_INPUT));
		std::copy_n(bytes, in->end, in->bytes);
		result_ = sni_record_body(state_.get(), in.get());
		FUZZ_CHECK(in->at <= in->end);
		FUZZ_CHECK(result_ != SNI_MORE || in->at == in->end);
		return in->at;
	}

	std::unique_ptr<sni_hello> state_ = std::make_unique<sni_hello>();
	int result_ = SNI_MORE;
	std::size_t consumed_ = 0;
};

// The second reader's opinion. The results are numbered alike.
Outcome reference_of(Bytes stream, __u32 limit)
{
	const auto hello = reference::ClientHello(stream, limit).read();

	return {static_cast<int>(hello.result), hello.consumed, hello.ech, hello.name};
}

// Segments of at most `most` bytes; their sizes are chosen if there are choices.
Outcome parse(Bytes stream, __u32 limit, std::size_t most, fuzz::Choices *choices = nullptr)
{
	Parser parser(limit);

	while (!stream.empty()) {
		const auto wanted = choices ? 1 + choices->next(most) : most;
		const auto size = std::min(wanted, stream.size());

		parser.feed(stream.first(size));
		stream = stream.subspan(size);
	}
	return parser.outcome();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const Bytes stream(data, size);
	fuzz::Choices choices(stream);
	// Mostly the filter's own limit, sometimes one that a hello passes.
	const auto limit = choices.next(4) ? max_hello : static_cast<__u32>(choices.next(4096));
	const auto wanted = reference_of(stream, limit);
	const std::size_t most[] = {8, 100, 1448};

	FUZZ_CHECK(parse(stream, limit, SIZE_MAX) == wanted);
	FUZZ_CHECK(parse(stream, limit, most[choices.next(3)], &choices) == wanted);
	// What costs much is tried on what is short, or now and then.
	if (size < 400 || choices.next(8) == 0) {
		Parser unskipped(limit);

		unskipped.feed_unskipped(stream);
		FUZZ_CHECK(unskipped.outcome() == wanted);
		FUZZ_CHECK(parse(stream, limit, 1) == wanted);
	}
	return 0;
}
