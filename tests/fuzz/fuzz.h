// SPDX-License-Identifier: GPL-2.0-only
//
// fuzz.h - what the fuzz targets share: a check that stays in every build, and numbers
// that follow from the input alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

// Aborts, so that libFuzzer keeps the input.
#define FUZZ_CHECK(condition)                                                                  \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
				     #condition);                                              \
			std::abort();                                                          \
		}                                                                              \
	} while (0)

namespace fuzz {

using Bytes = std::span<const std::uint8_t>;

/// A sequence of numbers made from the input's bytes: what a target chooses itself (where to
/// cut, say) is the same when the input comes again, and takes no bytes from it.
class Choices {
public:
	explicit Choices(Bytes input)
	{
		for (const auto byte : input)
			state_ = (state_ ^ byte) * 0x100000001b3;
	}

	/// 0 .. below - 1
	std::size_t next(std::size_t below)
	{
		state_ = state_ * 6364136223846793005 + 1442695040888963407;
		return (state_ >> 33) % below;
	}

private:
	std::uint64_t state_ = 0xcbf29ce484222325;
};

} // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);
