// SPDX-License-Identifier: GPL-2.0-only
// program.h - runs a packet's program on packets, and counts what each takes.
#pragma once

#include <linux/types.h>
#include <x86intrin.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "count.skel.h"
#include "tests/bench/peers/packets.h"

namespace peers {

struct Destroyer {
	void operator()(count_bpf *object) const { count_bpf__destroy(object); }
	void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, Destroyer>;

// What a packet's program said and took.
struct Ran {
	int verdict = 0;
	__u64 counted = 0; // from its first instruction to its return
	__u64 all = 0;	   // with the system call, and what ran in softirq before it returned
};

// A program; the object that it is of is somebody else's.
class Program {
public:
	Program(const bpf_program *program, bool counts)
		: fd_(bpf_program__fd(program)), name_(bpf_program__name(program))
	{
		if (!counts)
			return;
		count_.reset(count_bpf__open());
		if (!count_)
			net::die("count");
		bpf_program__set_autoload(count_->progs.nothing, false);
		for (auto *each : {count_->progs.before, count_->progs.after})
			if (bpf_program__set_attach_target(each, fd_, name_.c_str()))
				net::die("count " + name_);
		if (count_bpf__load(count_.get()))
			net::die("load count; is kcoro_bench.ko there?");
		for (auto *each : {count_->progs.before, count_->progs.after})
			links_.emplace_back(bpf_program__attach(each));
		for (const auto &link : links_)
			if (!link)
				net::die("attach count to " + name_);
	}

	Ran run(const Bytes &packet) const
	{
		bpf_test_run_opts opts = {};
		Ran ran;

		opts.sz = sizeof(opts);
		opts.data_in = packet.data();
		opts.data_size_in = static_cast<__u32>(packet.size());
		opts.repeat = 1;
		const auto runs = count_ ? count_->bss->runs : 0;
		const auto begin = __rdtsc();
		const int err = bpf_prog_test_run_opts(fd_, &opts);
		ran.all = __rdtsc() - begin;
		if (err || (count_ && count_->bss->runs != runs + 1))
			net::die("run " + name_);
		ran.verdict = static_cast<int>(opts.retval);
		ran.counted = count_ ? count_->bss->counted : 0;
		return ran;
	}

private:
	int fd_;
	std::string name_;
	std::unique_ptr<count_bpf, Destroyer> count_;
	std::vector<Link> links_;
};

// The only element of a per-CPU array of a struct of __u64, summed.
template <typename Struct> Struct sum_of(const bpf_map *map)
{
	constexpr auto words = sizeof(Struct) / sizeof(__u64);
	std::vector<__u64> values(words * static_cast<std::size_t>(libbpf_num_possible_cpus()));
	__u64 sum[words] = {};
	__u32 zero = 0;
	Struct all;

	if (bpf_map_lookup_elem(bpf_map__fd(map), &zero, values.data()))
		net::die(std::string("read ") + bpf_map__name(map));
	for (std::size_t i = 0; i < values.size(); i++)
		sum[i % words] += values[i];
	std::memcpy(&all, sum, sizeof(all));
	return all;
}

// Runs a program that sets something up.
inline void run_once(const bpf_program *program, void *args, std::size_t size)
{
	bpf_test_run_opts opts = {};

	opts.sz = sizeof(opts);
	opts.ctx_in = args;
	opts.ctx_size_in = static_cast<__u32>(size);
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts) || opts.retval)
		net::die(std::string("run ") + bpf_program__name(program));
}

} // namespace peers
