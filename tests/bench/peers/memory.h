// SPDX-License-Identifier: GPL-2.0-only
// memory.h - what waiting flows and queries take of the machine's memory.
#pragma once

#include <fstream>
#include <string>

#include "tests/bench/peers/agree.h"

namespace peers {

constexpr unsigned crowd = 10000;

// Free memory, when nothing is cached that could be given back and all that was freed is.
inline long long free_bytes()
{
	std::ofstream("/proc/sys/vm/drop_caches") << 3 << std::flush;
	sleep(2);
	std::ifstream meminfo("/proc/meminfo");
	std::string name;
	long long kilobytes = 0;

	while (meminfo >> name >> kilobytes) {
		if (name == "MemFree:")
			return kilobytes * 1024;
		std::getline(meminfo, name);
	}
	net::die("/proc/meminfo");
}

template <typename Pair, typename Fill>
void measure_memory(Pair &pair, std::size_t which, const Fill &fill)
{
	const auto before = free_bytes();

	for (unsigned i = 0; i < crowd; i++)
		fill(*pair.sides.at(which).program, i);
	std::printf("memory\t%s\t%.0f\n", pair.sides.at(which).name.c_str(),
		    static_cast<double>(before - free_bytes()) / crowd);
}

inline int memory()
{
	const auto hello = hello::for_name("www.example.com", 1000).records();
	const auto flow = [&](const Program &program, unsigned i) {
		const Client client{static_cast<std::uint16_t>(1000 + i)};

		program.run(client.syn());
		program.run(client.data(hello, 0, 300));
	};
	const auto asked = [](const Program &program, unsigned i) {
		program.run(query(static_cast<std::uint16_t>(1000 + i), 1, "www.example.com"));
	};
	// None may end while the other side's are made.
	constexpr __u64 hour = 3600000000000ULL;
	const Settings settings{.hello_timeout_ns = hour, .query_timeout_ns = hour};
	SniPair sni(settings);
	DnsPair dns(settings);

	for (std::size_t which = 0; which < 2; which++) {
		measure_memory(sni, which, flow);
		measure_memory(dns, which, asked);
	}
	if (!same_counters(sni) || !same_outcomes(dns)) {
		std::puts("not ok all_wait");
		return 1;
	}
	return 0;
}

} // namespace peers
