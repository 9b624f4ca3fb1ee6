// SPDX-License-Identifier: GPL-2.0-only
// bench_peers.cc - the filters sni and dns beside the same made by hand (tests/bench/peers):
// both are given the same packets and must say the same. In the VM, with kcoro.ko loaded.
//
//   bench_peers count FOLDER [BATCHES]   instructions of each packet, as rows (main.c); with
//                                        kcoro_bench.ko
//   bench_peers check FOLDER             verdicts, events and counters; prints ok or not ok
//   bench_peers memory                   bytes that 10,000 waiting flows and queries take
//
// FOLDER has recorded hellos. Status 77: the kernel has no bpf_timer for programs, so there
// are no peers.

#include <linux/types.h>
#include <sched.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/bench/peers/check.h"
#include "tests/bench/peers/counted.h"
#include "tests/bench/peers/memory.h"

namespace {

// The caches are per CPU: stay with one.
void stay()
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		net::die("sched_setaffinity");
}

peers::Recordings read(const char *folder)
{
	auto result = recordings::read(folder);

	if (const auto *wrong = std::get_if<std::string>(&result)) {
		std::fprintf(stderr, "bench_peers: %s\n", wrong->c_str());
		std::exit(3);
	}
	return std::get<recordings::List>(std::move(result));
}

} // namespace

int main(int argc, char **argv)
{
	const std::string_view what = argc > 1 ? argv[1] : "";

	if (access("/sys/kernel/realtime", F_OK) == 0) {
		const char *why = "no bpf_timer on PREEMPT_RT";

		for (const char *peer : {"sni_hand", "dns_hand"})
			std::printf("none\t%s\tpacket\tbpf\t0\tpacket\t1\t%s\n", peer, why);
		return what == "count" ? 0 : 77;
	}
	stay();
	if (what == "count" && argc >= 3) {
		const std::string_view text = argc > 3 ? argv[3] : "201";
		unsigned batches = 0;

		std::from_chars(text.data(), text.data() + text.size(), batches);
		if (batches)
			return peers::count(read(argv[2]), batches);
	}
	if (what == "check" && argc == 3)
		return peers::check(read(argv[2]));
	if (what == "memory" && argc == 2)
		return peers::memory();
	std::fputs("usage: bench_peers count FOLDER [BATCHES] | check FOLDER | memory\n", stderr);
	return 2;
}
