// SPDX-License-Identifier: GPL-2.0-only
// bench_bpf.cc - runs the programs of bench_bpf.bpf.c and bench_coro.bpf.c and prints their
// rows, as kcoro_bench.ko's own (main.c). In the VM, with both modules loaded.
//
//   bench_bpf [BATCHES [SIZE]]

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <linux/types.h>
#include <sched.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench_bpf.h"
#include "bench_bpf.skel.h"
#include "bench_coro.skel.h"

namespace {

constexpr unsigned warm_up = 8;

struct skeleton_deleter {
	void operator()(bench_bpf_bpf *skeleton) const { bench_bpf_bpf__destroy(skeleton); }
	void operator()(bench_coro_bpf *skeleton) const { bench_coro_bpf__destroy(skeleton); }
	void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};
struct row_name {
	std::string operation, subject, size;
};

row_name parse(std::string_view program)
{
	std::vector<std::string> fields;
	for (std::size_t end = 0; end != std::string_view::npos;) {
		end = program.find("__");
		fields.emplace_back(program.substr(0, end));
		if (end != std::string_view::npos)
			program.remove_prefix(end + 2);
	}
	fields.resize(3);
	return {fields[0], fields[1], fields[2]};
}

// One BPF_PROG_TEST_RUN of so many runs.
bool test_run(const bpf_program *program, unsigned runs)
{
	char packet[64] = {};
	bpf_test_run_opts opts = {};
	opts.sz = sizeof(opts);
	opts.data_in = packet;
	opts.data_size_in = sizeof(packet);
	opts.repeat = static_cast<int>(runs);
	const int err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (err)
		std::fprintf(stderr, "bench_bpf: %s: BPF_PROG_TEST_RUN: %s\n",
			     bpf_program__name(program), std::strerror(-err));
	return !err;
}

bool all_ran(const bpf_program *program, __u32 ran, unsigned wanted)
{
	if (ran != wanted)
		std::fprintf(stderr, "bench_bpf: %s: ran %u times in place of %u\n",
			     bpf_program__name(program), ran, wanted);
	return ran == wanted;
}

bool run(const bpf_program *program, bench_bpf_bpf &bpf, unsigned runs)
{
	bpf.bss->runs = 0;
	return test_run(program, runs) && all_ran(program, bpf.bss->runs, runs);
}

// The coroutines of each end before the next.
bool run(const bpf_program *program, bench_coro_bpf &bpf, unsigned runs)
{
	bpf.bss->runs = 0;
	for (unsigned i = 0; i < runs; i++) {
		if (!test_run(program, 1))
			return false;
		usleep(1000);
	}
	return all_ran(program, bpf.bss->runs, runs);
}

void print(const row_name &name, std::vector<__u64> totals)
{
	std::sort(totals.begin(), totals.end());
	const auto good = std::upper_bound(totals.begin(), totals.end(), 0);
	const bool enough = (good - totals.begin()) * 10 <= totals.end() - totals.begin();
	std::printf("%s\t%s\t%s\tbpf\t%s\thot\t1\t", enough ? "row" : "none", name.subject.c_str(),
		    name.operation.c_str(), name.size.c_str());
	if (enough)
		std::printf("%d\t%llu\t%llu\n", BENCH_PAIRS, *good,
			    *(good + (totals.end() - good) / 2));
	else
		std::puts("often nothing");
}

template <typename Skeleton>
bool measure(const bpf_program *program, Skeleton &bpf, unsigned batches)
{
	if (!run(program, bpf, warm_up) || !run(program, bpf, batches))
		return false;
	print(parse(bpf_program__name(program)), {bpf.bss->totals, bpf.bss->totals + batches});
	// What was freed now and put off (grace periods) is no business of the next one.
	usleep(100000);
	return true;
}

std::optional<unsigned> number(std::string_view text)
{
	unsigned n = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
	if (error != std::errc() || end != text.data() + text.size())
		return std::nullopt;
	return n;
}

// Programs with the name of a row of that size, 0: of all.
template <typename Skeleton> bool measure_all(Skeleton &bpf, unsigned batches, unsigned size)
{
	bpf_program *program;

	bpf_object__for_each_program (program, bpf.obj) {
		const std::string own = parse(bpf_program__name(program)).size;
		if (own.empty() || (size && own != "0" && own != std::to_string(size)))
			continue;
		if (!measure(program, bpf, batches))
			return false;
	}
	return true;
}

bool prepare(const bpf_program *program)
{
	bpf_test_run_opts once = {};
	once.sz = sizeof(once);
	if (!bpf_prog_test_run_opts(bpf_program__fd(program), &once) && !once.retval)
		return true;
	std::fprintf(stderr, "bench_bpf: %s failed\n", bpf_program__name(program));
	return false;
}

bool measure_frames(unsigned batches, unsigned size)
{
	const std::unique_ptr<bench_bpf_bpf, skeleton_deleter> bpf(bench_bpf_bpf__open_and_load());
	if (!bpf) {
		std::fputs(
			"bench_bpf: the programs do not load; are kcoro.ko and kcoro_bench.ko?\n",
			stderr);
		return false;
	}
	return prepare(bpf->progs.make_pool) && measure_all(*bpf, batches, size);
}

// Of whatever size of frames: theirs is 64 bytes of state.
bool measure_coros(unsigned batches)
{
	const std::unique_ptr<bench_coro_bpf, skeleton_deleter> bpf(
		bench_coro_bpf__open_and_load());
	if (!bpf) {
		std::fputs("bench_bpf: the coroutines' programs do not load\n", stderr);
		return false;
	}
	const std::unique_ptr<bpf_link, skeleton_deleter> link(
		bpf_map__attach_struct_ops(bpf->maps.bench_ops));
	if (!link) {
		std::fputs("bench_bpf: the coroutines' ops cannot be attached\n", stderr);
		return false;
	}
	return prepare(bpf->progs.bench_prepare) && measure_all(*bpf, batches, 0);
}

} // namespace

int main(int argc, char **argv)
{
	const auto batches = number(argc > 1 ? argv[1] : "201");
	const auto size = number(argc > 2 ? argv[2] : "0");
	if (argc > 3 || !batches || !*batches || *batches > BENCH_RUNS_MAX || !size) {
		std::fputs("usage: bench_bpf [BATCHES [SIZE]]\n", stderr);
		return 2;
	}
	// The allocators' lists are per CPU: stay with one, and let the others sleep.
	cpu_set_t first;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first)) {
		std::perror("bench_bpf: sched_setaffinity");
		return 1;
	}
	return measure_frames(*batches, *size) && measure_coros(*batches) ? 0 : 1;
}
