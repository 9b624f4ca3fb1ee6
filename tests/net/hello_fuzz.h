// SPDX-License-Identifier: GPL-2.0-only
//
// hello_fuzz.h - what a TLS client might send first, and what it should not: recorded and
// made ClientHellos, and then bytes flipped, lengths changed, cut short, in many records.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "hello_maker.h"
#include "random.h"
#include "recordings.h"

namespace fuzz {

using hello::Bytes;
using net::Random;

class HelloSource {
public:
	HelloSource(recordings::List recorded, std::vector<std::string> names)
		: recorded_(std::move(recorded)), names_(std::move(names))
	{
	}

	/// A stream, and mutated or not.
	Bytes stream(Random &random) const
	{
		Bytes bytes = random.once_in(2) ? random.one_of(recorded_).bytes : made(random);

		if (random.once_in(5))
			bytes = in_other_records(random, bytes);
		for (auto n = random.once_in(2) ? 0 : random.between(1, 3); n > 0; n--)
			mutate(random, bytes);
		if (random.once_in(60))
			bytes = Bytes(random.between(1, 300),
				      static_cast<std::uint8_t>(random.next()));
		return bytes;
	}

private:
	std::string name(Random &random) const
	{
		auto name = random.one_of(names_);

		switch (random.below(12)) {
		case 0:
			name += '.';
			break;
		case 1:
			std::ranges::transform(name, name.begin(), [&](char c) {
				return c >= 'a' && c <= 'z' && random.once_in(2)
					       ? static_cast<char>(c - 32)
					       : c;
			});
			break;
		case 2:
			name = "a." + name;
			break;
		case 3: // about as long as a name may be
			name.insert(0, random.between(245, 260) - name.size(), 'n');
			break;
		case 4:
			name.erase(0, random.below(name.size() + 1));
			break;
		default:
			break;
		}
		return name;
	}

	static int error(Random &random)
	{
		return random.once_in(25) ? static_cast<int>(random.between(0, 6)) - 3 : 0;
	}

	Bytes made(Random &random) const
	{
		hello::Hello one;

		one.session_id = Bytes(random.once_in(3) ? random.below(36) : 32, 1);
		one.cipher_suites =
			Bytes(random.once_in(20) ? random.below(9) : 2 * random.between(1, 40), 2);
		one.compression = Bytes(random.once_in(20) ? random.below(5) : 1, 0);
		one.has_extensions = !random.once_in(20);
		for (auto n = random.below(5); n > 0; n--)
			one.extensions.push_back(hello::padding(
				random.once_in(4) ? random.below(1500) : random.below(60)));
		if (random.once_in(6))
			one.extensions.push_back(hello::ech());
		if (!random.once_in(8))
			one.extensions.push_back(names_extension(random));
		std::ranges::for_each(one.extensions, [&](auto &extension) {
			extension.length_error = error(random);
			if (random.once_in(3))
				std::swap(extension,
					  one.extensions[random.below(one.extensions.size())]);
		});
		one.type = random.once_in(40) ? static_cast<std::uint8_t>(random.next()) : 1;
		one.message_error = random.once_in(60) ? static_cast<int>(random.below(1 << 18))
						       : error(random);
		one.session_error = error(random);
		one.cipher_error = error(random);
		one.compression_error = error(random);
		one.extensions_error = error(random);
		return one.records();
	}

	hello::Extension names_extension(Random &random) const
	{
		auto extension = hello::server_name(name(random), error(random), error(random));

		// A name of another type in front of it: the list is longer then.
		if (random.once_in(6)) {
			Bytes other = {static_cast<std::uint8_t>(random.between(1, 3))};

			hello::put16(other, 4);
			hello::put(other, std::string_view("left"));
			extension.content.insert(extension.content.begin() + 2, other.begin(),
						 other.end());
			extension.content[1] = static_cast<std::uint8_t>(extension.content[1] + 7);
		}
		return extension;
	}

	// The same message, when it came in one record, in many of them.
	static Bytes in_other_records(Random &random, const Bytes &bytes)
	{
		Bytes whole;

		for (std::size_t at = std::min<std::size_t>(5, bytes.size()); at < bytes.size();) {
			const auto size = std::min(random.once_in(4) ? random.between(1, 5)
								     : random.between(1, 900),
						   bytes.size() - at);
			const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);

			for (auto n = random.once_in(20) ? random.below(36) : 0; n > 0; n--)
				hello::put(whole, hello::record({}));
			hello::put(whole,
				   hello::record(Bytes(begin,
						       begin + static_cast<std::ptrdiff_t>(size))));
			at += size;
		}
		return whole;
	}

	// Where lengths stand rather than where nobody looks.
	std::size_t place(Random &random, const Bytes &bytes) const
	{
		const auto size = bytes.size();

		switch (random.below(4)) {
		case 0:
			return random.below(std::min<std::size_t>(size, 12));
		case 1:
			return random.below(std::min<std::size_t>(size, 180));
		case 2: {
			const auto &name = random.one_of(names_);
			const auto at =
				std::search(bytes.begin(), bytes.end(), name.begin(), name.end());

			if (at != bytes.end()) {
				const auto found = static_cast<std::size_t>(at - bytes.begin());

				return std::min(size - 1, found - std::min<std::size_t>(found, 12) +
								  random.below(16 + name.size()));
			}
			[[fallthrough]];
		}
		default:
			return random.below(size);
		}
	}

	void mutate(Random &random, Bytes &bytes) const
	{
		if (bytes.size() < 2)
			return;

		const auto at = place(random, bytes);
		const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
		const auto rest = bytes.size() - at;

		switch (random.below(8)) {
		case 0:
		case 1:
			*here ^= static_cast<std::uint8_t>(1U << random.below(8));
			break;
		case 2:
			*here = static_cast<std::uint8_t>(random.next());
			break;
		case 3: // a length that is a little wrong
			*here = static_cast<std::uint8_t>(*here + random.between(0, 6) - 3);
			break;
		case 4:
			bytes.resize(std::max<std::size_t>(at, 1));
			break;
		case 5:
			bytes.erase(here, here + static_cast<std::ptrdiff_t>(std::min(
							 rest - 1, random.between(1, 40))));
			break;
		case 6:
			bytes.insert(here, random.between(1, 40),
				     static_cast<std::uint8_t>(random.next()));
			break;
		default: { // a piece once more
			const Bytes piece(here, here + static_cast<std::ptrdiff_t>(std::min(
							       rest, random.between(1, 300))));

			bytes.insert(here, piece.begin(), piece.end());
		}
		}
	}

	recordings::List recorded_;
	std::vector<std::string> names_;
};

} // namespace fuzz
