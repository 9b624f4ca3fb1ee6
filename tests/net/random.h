// SPDX-License-Identifier: GPL-2.0-only
//
// random.h - numbers that look like chance and follow from a seed alone, on every machine.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

namespace net {

class Random {
public:
	explicit Random(std::uint64_t seed) : state_(seed) {}

	/// splitmix64
	std::uint64_t next()
	{
		auto z = state_ += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		return z ^ z >> 31;
	}

	/// 0 .. n - 1
	std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() >> 16) % n; }
	std::size_t between(std::size_t least, std::size_t most)
	{
		return least + below(most - least + 1);
	}
	/// Once in n times.
	bool once_in(std::size_t n) { return below(n) == 0; }
	template <typename T> const T &one_of(const std::vector<T> &all)
	{
		return all[below(all.size())];
	}

private:
	std::uint64_t state_;
};

/// SEED of the environment, or one that nobody knows before.
inline std::uint64_t seed_of_environment()
{
	const char *given = std::getenv("SEED");

	return given && *given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
}

} // namespace net
