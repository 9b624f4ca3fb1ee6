// SPDX-License-Identifier: GPL-2.0-only
//
// The sni filter's ClientHello parser, compiled for user space from the filter's own source,
// and ways to feed it.
#pragma once

#include <linux/types.h>

#include <algorithm>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "../../bpf/filters/sni/client_hello.h"
#include "../net/hello_maker.h"

namespace client_hello {

using hello::Bytes;

inline constexpr __u32 max_hello = 131072;

struct Outcome {
	int result = SNI_MORE;
	std::string name;
	std::size_t consumed = 0; // bytes until the result
	bool ech = false;

	bool operator==(const Outcome &) const = default;
};

// Gives as many bytes as an input has room for; how many were taken.
inline std::size_t read(sni_hello *state, const __u8 *bytes, std::size_t size, int &result)
{
	// On the heap, as the state below.
	const auto in = std::make_unique<kcoro_input>();

	in->end = static_cast<__u32>(std::min<std::size_t>(size, KCORO_INPUT));
	std::copy_n(bytes, in->end, in->bytes);
	result = sni_record_body(state, in.get());
	EXPECT_LE(in->at, in->end);
	if (result == SNI_MORE) {
		EXPECT_EQ(in->at, in->end);
	}
	return in->at;
}

// One parse, fed in pieces as segments would. The state stands alone on the heap, so that
// the address sanitizer sees a step beyond it; each piece is copied for the same reason.
class Parser {
public:
	explicit Parser(__u32 limit = max_hello) { sni_hello_start(state_.get(), limit); }

	void feed(const __u8 *bytes, std::size_t size)
	{
		const auto piece = std::make_unique<__u8[]>(size);
		std::size_t at = 0;

		std::copy_n(bytes, size, piece.get());
		while (at < size && outcome_.result == SNI_MORE) {
			at += sni_hello_skip(state_.get(), static_cast<__u32>(size - at));
			if (at < size)
				at += read(state_.get(), piece.get() + at, size - at,
					   outcome_.result);
		}
		outcome_.consumed += at;
	}

	[[nodiscard]] Outcome outcome() const
	{
		auto outcome = outcome_;

		if (outcome.result == SNI_FOUND_NAME)
			outcome.name.assign(state_->name, state_->name_len);
		outcome.ech = state_->ech;
		return outcome;
	}

private:
	std::unique_ptr<sni_hello> state_ = std::make_unique<sni_hello>();
	Outcome outcome_;
};

inline Outcome parse(const Bytes &bytes, std::size_t chunk = 0, __u32 limit = max_hello)
{
	Parser parser(limit);

	if (!chunk)
		chunk = bytes.size();
	for (std::size_t at = 0; at < bytes.size(); at += chunk)
		parser.feed(bytes.data() + at, std::min(chunk, bytes.size() - at));
	return parser.outcome();
}

// Without sni_hello_skip(): every byte is looked at.
inline Outcome parse_unskipped(const Bytes &bytes)
{
	auto state = std::make_unique<sni_hello>();
	Outcome outcome;

	sni_hello_start(state.get(), max_hello);
	while (outcome.result == SNI_MORE && outcome.consumed < bytes.size())
		outcome.consumed +=
			read(state.get(), bytes.data() + outcome.consumed, 1, outcome.result);
	if (outcome.result == SNI_FOUND_NAME)
		outcome.name.assign(state->name, state->name_len);
	outcome.ech = state->ech;
	return outcome;
}

// The same outcome whole, in every chunk size, and cut in two at every place.
inline void expect_everywhere(const Bytes &bytes, int result, const std::string &name = {})
{
	const auto whole = parse(bytes);

	EXPECT_EQ(whole.result, result);
	EXPECT_EQ(whole.name, name);
	EXPECT_EQ(parse_unskipped(bytes), whole);
	for (std::size_t chunk = 1; chunk < bytes.size(); chunk++)
		ASSERT_EQ(parse(bytes, chunk), whole) << "in chunks of " << chunk;
	for (std::size_t cut = 1; cut < bytes.size(); cut++) {
		Parser parser;

		parser.feed(bytes.data(), cut);
		parser.feed(bytes.data() + cut, bytes.size() - cut);
		ASSERT_EQ(parser.outcome(), whole) << "cut at " << cut;
	}
}

} // namespace client_hello
