// SPDX-License-Identifier: GPL-2.0-only
//
// sni_crowd - many flows in the sni filter at once: each has sent half of its hello and waits.
// Then all send the other half, each verdict is looked at, and each frame goes back. By
// BPF_PROG_TEST_RUN, in the VM with kcoro.ko loaded.
//
// Usage: sni_crowd FLOWS
#include <sys/sysinfo.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <kcoro/abi.h>

#include "hello_maker.h"
#include "sni_filter.h"
#include "wire.h"

#include "../../bpf/inspect/stats.h"

#include "../../bpf/inspect/pools.h"
#include "pools.skel.h"

namespace {

using hello::Bytes;
using namespace std::chrono_literals;

constexpr __u64 most_bytes = 640; // of memory that a waiting flow may take, all in all
constexpr auto listed = "blocked.example.org", unlisted = "www.example.com";

int failed = 0;

void ok(bool good, const std::string &what)
{
	std::printf("%s %s\n", good ? "ok    " : "not ok", what.c_str());
	failed += !good;
}

// What the kernel could still give away, in bytes.
__u64 available()
{
	std::ifstream file("/proc/meminfo");
	std::string word;
	__u64 kib = 0;

	while (file >> word)
		if (word == "MemAvailable:")
			file >> kib;
	return kib * 1024;
}

// The pool of that number, by the command's own program.
class Pool {
public:
	explicit Pool(__u64 id) : object_(pools_bpf__open_and_load()), id_(id)
	{
		if (!object_)
			net::die("load pools.bpf.o");
	}

	[[nodiscard]] kcoro_pool_info read() const
	{
		pool_read_args args{};

		do {
			LIBBPF_OPTS(bpf_test_run_opts, options);

			options.ctx_in = &args;
			options.ctx_size_in = sizeof(args);
			if (bpf_prog_test_run_opts(bpf_program__fd(object_->progs.pool_read),
						   &options) ||
			    options.retval == POOL_READ_END)
				net::die("the filter's pool");
		} while (args.id != id_);
		return object_->bss->row.info;
	}

private:
	struct Close {
		void operator()(pools_bpf *object) const { pools_bpf__destroy(object); }
	};

	std::unique_ptr<pools_bpf, Close> object_;
	__u64 id_;
};

// One packet of flow n, over and over in the same buffer: only address and port change.
class Flow {
public:
	Flow(std::uint32_t seq, std::uint8_t flags, const Bytes &payload)
		: frame_(net::detail::ethernet(
			  {}, Bytes(6, 2), Bytes(6, 4),
			  net::detail::ipv4(
				  {}, net::detail::tcp({}, 0, 443, {seq, 1, flags, payload}))))
	{
	}

	const Bytes &of(std::uint32_t n)
	{
		frame_[28] = static_cast<std::uint8_t>(n >> 16); // in the source address
		frame_[34] = static_cast<std::uint8_t>(n >> 8);	 // source port
		frame_[35] = static_cast<std::uint8_t>(n);
		return frame_;
	}

private:
	Bytes frame_;
};

Bytes part(const Bytes &all, std::size_t from, std::size_t to)
{
	return {all.begin() + static_cast<std::ptrdiff_t>(from),
		all.begin() + static_cast<std::ptrdiff_t>(std::min(to, all.size()))};
}

// Each third flow asks for the listed name.
bool is_listed(std::uint32_t n)
{
	return n % 3 == 0;
}

} // namespace

int main(int argc, char **argv)
{
	const auto flows = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 0);

	if (!flows) {
		std::fputs("Usage: sni_crowd FLOWS\n", stderr);
		return 2;
	}

	net::SniSettings settings;
	settings.names = {listed};
	settings.max_flows = flows;
	settings.config.max_hello = 131072;
	settings.config.blocked_timeout_ns = 1000000000;

	const auto at_first = available();
	net::SniFilter filter(settings);
	const auto live = [&] {
		const auto table = filter.table();

		return table.created - table.ended - table.expired;
	};
	// 200 bytes of extensions in front of the name: it stands in the second segment.
	const auto block = hello::for_name(listed, 200).records(),
		   pass = hello::for_name(unlisted, 200).records();
	constexpr std::size_t cut = 150;
	Flow syn(99, net::SYN, {});
	Flow first_block(100, net::ACK, part(block, 0, cut)),
		first_pass(100, net::ACK, part(pass, 0, cut));
	Flow second_block(100 + cut, net::ACK, part(block, cut, block.size())),
		second_pass(100 + cut, net::ACK, part(pass, cut, pass.size()));
	std::uint32_t wrong = 0;

	for (std::uint32_t n = 0; n < flows; n++) {
		const auto begun = filter.packet(syn.of(n));
		const auto half = filter.packet((is_listed(n) ? first_block : first_pass).of(n));

		wrong += begun.dropped || half.dropped || !begun.events.empty() ||
			 !half.events.empty();
	}

	const auto waiting = live();
	const auto counters = filter.counters();
	const auto taken = at_first - available();
	const Pool pool_of_filter(filter.pool_id());
	const auto pool = pool_of_filter.read();

	ok(!wrong && waiting == flows && counters.suspended == flows,
	   std::to_string(waiting) + " of " + std::to_string(flows) +
		   " flows wait inside their hello");
	std::printf(
		"# each: %llu bytes in frames, %llu held by the pool, %llu of the machine's memory, the filter and its table included\n",
		pool.live / flows, pool.held / flows, taken / flows);
	// A debug kernel's records of each allocation and larger locks are no cost of the filter.
	const bool debug = !access("/sys/kernel/debug/kmemleak", F_OK);
	ok(debug || (pool.held / flows <= most_bytes && taken / flows <= most_bytes),
	   "at most " + std::to_string(most_bytes) + " bytes each");

	Flow more(99, net::SYN, {});
	const auto refused = filter.packet(more.of(flows));

	ok(!refused.dropped && refused.events.size() == 1 &&
		   refused.events[0].verdict == SNI_NO_FRAME,
	   "one more finds no room, and passes");

	wrong = 0;
	for (std::uint32_t n = 0; n < flows; n++) {
		const auto end = filter.packet((is_listed(n) ? second_block : second_pass).of(n));

		wrong += end.events.size() != 1 || end.dropped != is_listed(n) ||
			 end.events[0].verdict != (is_listed(n) ? SNI_BLOCK : SNI_PASS) ||
			 std::string(end.events[0].name) != (is_listed(n) ? listed : unlisted);
	}
	ok(!wrong, "each has its verdict (" + std::to_string(wrong) + " wrong)");
	const auto all = filter.counters();
	ok(all.verdict[SNI_BLOCK] == (flows + 2) / 3 &&
		   all.verdict[SNI_PASS] == flows - (flows + 2) / 3 && !all.events_lost,
	   "and is counted");

	// Those that are blocked go when they have been silent for a second.
	for (int i = 0; i < 600 && live(); i++)
		std::this_thread::sleep_for(100ms);
	ok(!live() && !pool_of_filter.read().live, "all frames go back");
	return failed ? 1 : 0;
}
