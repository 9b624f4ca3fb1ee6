// SPDX-License-Identifier: GPL-2.0-only
//
// client_hello_reference.h - a second reader of ClientHellos, for tests: it shares nothing with
// the sni filter's, is recursive, and has the whole of the stream before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace reference {

using Bytes = std::span<const std::uint8_t>;

/// What a stream begins with; in the order of the filter's enum sni_result.
enum class Result { MORE, NAME, NO_NAME, OTHER, MALFORMED, TOO_LARGE };

inline constexpr unsigned name_most = 253; // bytes of a host name

struct Hello {
	Result result = Result::MORE;
	std::size_t consumed = 0; // bytes until the result
	bool ech = false;
	std::string name;
};

/// Reads the beginning of a TCP stream. Whoever runs out of bytes, or knows the result, throws it.
class ClientHello {
public:
	ClientHello(Bytes stream, unsigned limit) : stream_(stream), limit_(limit) {}

	Hello read()
	{
		Hello hello;

		try {
			message();
		} catch (Result result) {
			hello.result = result;
		}
		hello.consumed = at_;
		hello.ech = ech_;
		if (hello.result == Result::NAME)
			hello.name = name_;
		return hello;
	}

private:
	unsigned raw()
	{
		if (at_ == stream_.size())
			throw Result{Result::MORE};
		return stream_[at_++];
	}

	// A byte of the handshake messages, over the records' borders.
	unsigned byte()
	{
		while (record_ == 0) {
			const bool first = at_ == 0;

			if (raw() != 22)
				throw Result{first || !tls_ ? Result::OTHER : Result::MALFORMED};
			if (raw() != 3)
				throw Result{tls_ ? Result::MALFORMED : Result::OTHER};
			tls_ = true;
			raw();
			record_ = raw() << 8;
			record_ |= raw();
			if (record_ > 16384 || (record_ == 0 && ++empty_ > 32))
				throw Result{Result::MALFORMED};
		}
		// The byte is there before it is taken.
		const auto value = raw();
		record_--;
		return value;
	}

	unsigned number(int bytes)
	{
		unsigned value = 0;

		while (bytes-- > 0)
			value = value << 8 | byte();
		return value;
	}

	void skip(unsigned bytes)
	{
		while (bytes-- > 0)
			byte();
	}

	// `wanted` bytes of what is left in a block.
	static unsigned take(unsigned &left, unsigned wanted)
	{
		if (wanted > left)
			throw Result{Result::MALFORMED};
		left -= wanted;
		return wanted;
	}

	[[noreturn]] void message()
	{
		if (number(1) != 1)
			throw Result{Result::OTHER};
		unsigned left = number(3);
		if (left > limit_)
			throw Result{Result::TOO_LARGE};
		skip(take(left, 34));

		take(left, 1);
		const auto session = number(1);
		if (session > 32)
			throw Result{Result::MALFORMED};
		skip(take(left, session));

		take(left, 2);
		const auto ciphers = number(2);
		if (ciphers == 0 || ciphers % 2 == 1)
			throw Result{Result::MALFORMED};
		skip(take(left, ciphers));

		take(left, 1);
		const auto compressions = number(1);
		if (compressions == 0)
			throw Result{Result::MALFORMED};
		skip(take(left, compressions));

		if (left > 0) {
			take(left, 2);
			if (number(2) != left)
				throw Result{Result::MALFORMED};
			while (left > 0)
				extension(left);
		}
		throw Result{Result::NO_NAME};
	}

	void extension(unsigned &left)
	{
		take(left, 4);
		const auto type = number(2);
		auto content = number(2);

		take(left, content);
		ech_ |= type == 0xfe0d;
		if (type != 0)
			return skip(content);
		take(content, 2);
		if (number(2) != content || content == 0)
			throw Result{Result::MALFORMED};
		while (content > 0)
			entry(content);
	}

	void entry(unsigned &left)
	{
		take(left, 3);
		const auto type = number(1);
		const auto length = number(2);

		take(left, length);
		if (type != 0)
			return skip(length);
		if (length == 0 || length > name_most + 1)
			throw Result{Result::MALFORMED};
		for (unsigned i = 0; i < length; i++) {
			name_ += static_cast<char>(byte());
			if (name_.back() == '\0')
				throw Result{Result::MALFORMED};
		}
		if (name_.ends_with('.'))
			name_.pop_back();
		throw Result{name_.empty() || name_.size() > name_most ? Result::MALFORMED
								       : Result::NAME};
	}

	Bytes stream_;
	unsigned limit_;
	std::size_t at_ = 0;
	unsigned record_ = 0, empty_ = 0; // bytes to come in this record; empty records so far
	bool tls_ = false, ech_ = false;
	std::string name_;
};

} // namespace reference
