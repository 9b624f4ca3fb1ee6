// SPDX-License-Identifier: GPL-2.0-only
// stress.cc - the BPF half of the stress: `stress SECONDS SEED`, in the VM, with
// kcoro.ko and kcoro_stress.ko loaded.
//
// Threads run syscall, XDP and TC programs and send packets to lo; another makes
// and releases tables and pools; another takes CPUs off- and online; tracing programs
// are attached meanwhile. In the end tables and all pools must balance, and each
// allocation that got nothing must be in a counter. Prints
// "count NAME N" per kind of operation and "ok NAME" or "not ok NAME" per case.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "stress_pools.h"
#include "stress_programs.h"

namespace {

using namespace stress;
using namespace std::chrono_literals;

constexpr unsigned workers = 4;
std::atomic<bool> stop{false};

bool module_run(bool on)
{
	file f{std::fopen("/sys/module/kcoro_stress/parameters/run", "w")};
	return f && std::fputc(on ? '1' : '0', f.get()) != EOF && !std::fflush(f.get());
}

std::optional<std::uint64_t> module_says(const std::string &parameter)
{
	file f{std::fopen(("/sys/module/kcoro_stress/parameters/" + parameter).c_str(), "r")};
	unsigned long long n = 0;
	if (!f || std::fscanf(f.get(), "%llu", &n) != 1)
		return std::nullopt;
	return n;
}

// What the module found so far; it has checks of its own.
bool module_found_errors()
{
	return module_says("errors").value_or(1) != 0;
}

void work(programs &p, unsigned who, std::uint64_t seed)
{
	rng random(seed, who);
	udp_sender udp;
	while (!stop) {
		switch (random.below(8)) {
		case 0:
		case 1:
			p.run_xdp(random.next());
			break;
		case 2:
		case 3:
			p.run_tc(random.next());
			break;
		case 4:
		case 5:
			udp.send(random.next());
			break;
		default:
			p.run_syscall(random.next());
			break;
		}
	}
}

void make_tables_and_pools(programs &p, std::uint64_t seed)
{
	rng random(seed, 50);
	while (!stop) {
		unsigned slot = random.below(STRESS_TABLES);
		p.make_table(slot, random);
		p.make_bad_table(slot, random);
		// The first pool stays.
		p.make_pool(1 + random.below(STRESS_POOLS - 1), random);
		p.make_bad_pool(random);
		p.reserve(random);
		std::this_thread::sleep_for(std::chrono::milliseconds(10 + random.below(90)));
	}
}

// The first CPU stays, as on most machines.
class cpu_switch {
public:
	explicit cpu_switch(std::uint64_t seed) : random_(seed, 60) {}

	void run(programs &p)
	{
		long cpus = sysconf(_SC_NPROCESSORS_CONF);
		while (!stop && cpus > 1) {
			unsigned cpu = 1 + random_.below(static_cast<unsigned>(cpus - 1));
			if (set(cpu, online_[cpu % online_.size()]))
				online_[cpu % online_.size()] ^= true;
			p.perf_follow();
			std::this_thread::sleep_for(
				std::chrono::milliseconds(20 + random_.below(80)));
		}
		for (unsigned cpu = 1; cpu < cpus; cpu++)
			if (online_[cpu % online_.size()])
				set(cpu, true);
	}
	unsigned long offlines() const { return offlines_; }
	unsigned long onlines() const { return onlines_; }

private:
	bool set(unsigned cpu, bool online)
	{
		std::string path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online";
		file f{std::fopen(path.c_str(), "w")};
		if (!f || std::fputc(online ? '1' : '0', f.get()) == EOF || std::fflush(f.get()))
			return false;
		(online ? onlines_ : offlines_)++;
		return true;
	}
	rng random_;
	std::array<bool, 64> online_{}; // true: it is off, and goes online next
	unsigned long offlines_ = 0, onlines_ = 0;
};

bool verdict(const char *name, bool good)
{
	std::printf("%s %s\n", good ? "ok" : "not ok", name);
	std::fflush(stdout);
	return good;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc != 3 || std::atoi(argv[1]) <= 0) {
		std::fprintf(stderr, "bad usage: stress SECONDS SEED\n");
		return 2;
	}
	std::uint64_t seed = std::strtoull(argv[2], nullptr, 0);
	pools all;
	if (!all.load()) {
		std::fprintf(stderr, "stress: the program that reads pools does not load: %s\n",
			     std::strerror(errno));
		return 1;
	}
	programs p;
	std::string why = p.start(seed);
	if (!why.empty()) {
		std::fprintf(stderr, "stress: %s\n", why.c_str());
		return 1;
	}
	// Only now: see tests/stress/main.c.
	if (!module_run(true)) {
		std::fprintf(stderr, "stress: kcoro_stress.ko does not start: %s\n",
			     std::strerror(errno));
		return 1;
	}
	cpu_switch cpus(seed);
	std::vector<std::thread> threads;
	threads.reserve(workers + 2);
	for (unsigned i = 0; i < workers; i++)
		threads.emplace_back([&, i] { work(p, i, seed); });
	threads.emplace_back([&] { make_tables_and_pools(p, seed); });
	threads.emplace_back([&] { cpus.run(p); });

	auto begin = std::chrono::steady_clock::now();
	auto end = begin + std::chrono::seconds(std::atoi(argv[1]));
	while (std::chrono::steady_clock::now() < end && !module_found_errors() && !p.faults())
		std::this_thread::sleep_for(200ms);
	stop = true;
	for (auto &thread : threads)
		thread.join();
	std::printf("ran for %lld s\n",
		    static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(
						   std::chrono::steady_clock::now() - begin)
						   .count()));

	bool good = verdict("stress_module_stops", module_run(false));
	good &= verdict("stress_tables_balance", p.tables_balance());
	p.finish();
	std::printf("count cpu_offline %lu\ncount cpu_online %lu\n", cpus.offlines(),
		    cpus.onlines());
	bool every = p.print_counts() && cpus.offlines() && cpus.onlines();
	// A run that an error has ended early had no time for all.
	if (!p.faults() && !module_found_errors())
		good &= verdict("stress_every_kind_ran", every);
	good &= verdict("stress_bpf_contents", p.print_faults() == 0);
	const auto failures = module_says("failures");
	good &= verdict("stress_failures_explained",
			failures &&
				all.failures_explained(p.failed(), p.pool_that_stays(), *failures));
	p.unload();
	good &= verdict("stress_pools_balance", all.balance());
	return good ? 0 : 1;
}
