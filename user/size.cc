// SPDX-License-Identifier: GPL-2.0-only
// size.cc - see size.h.
#include "user/size.h"

#include <charconv>
#include <limits>

namespace kcoro {

namespace {

// The power of two that a unit stands for; -1: there is no such unit.
int shift_of(std::string_view unit)
{
	constexpr std::string_view units = "KMG", small = "kmg";

	if (unit.empty())
		return 0;
	auto place = units.find(unit.front());
	if (place == units.npos)
		place = small.find(unit.front());
	return unit.size() == 1 && place != units.npos ? 10 * (static_cast<int>(place) + 1) : -1;
}

} // namespace

result<unsigned long long> parse_size(std::string_view text)
{
	constexpr unsigned long long most = std::numeric_limits<long long>::max();
	unsigned long long number = 0;
	const auto *begin = text.data(), *end = begin + text.size();
	auto [rest, error] = std::from_chars(begin, end, number);
	int shift = shift_of({rest, static_cast<size_t>(end - rest)});

	if (error == std::errc::invalid_argument || shift < 0)
		return misuse("{} is no size: give bytes, or a number with K, M or G", text);
	if (error != std::errc() || number > most >> shift)
		return misuse("{} is too large a size", text);
	return number << shift;
}

std::string kib(unsigned long long bytes)
{
	return std::to_string((bytes >> 10) + (bytes % 1024 != 0));
}

} // namespace kcoro
