// SPDX-License-Identifier: GPL-2.0-only
// bpf_ops_fixture.h - bpf_ops.bpf.c loaded, and its programs as functions.
#ifndef KCORO_TEST_BPF_OPS_FIXTURE_H
#define KCORO_TEST_BPF_OPS_FIXTURE_H

#include <memory>

#include <linux/types.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <kcoro/abi.h>

#include "bpf_case.h"
#include "bpf_ops.h"
#include "bpf_ops.skel.h"

namespace {

struct deleter {
	void operator()(bpf_ops_bpf *skeleton) const { bpf_ops_bpf__destroy(skeleton); }
	void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};
using skeleton = std::unique_ptr<bpf_ops_bpf, deleter>;
using link_ptr = std::unique_ptr<bpf_link, deleter>;

constexpr __u64 never = 3600ULL * 1000000000;

class fixture {
public:
	fixture() : skeleton_(bpf_ops_bpf__open_and_load()) {}
	// With other attributes.
	explicit fixture(void (*change)(bpf_ops_bpf &, __u64), __u64 value = 0)
		: skeleton_(bpf_ops_bpf__open())
	{
		if (skeleton_)
			change(*skeleton_, value);
		if (skeleton_ && bpf_ops_bpf__load(skeleton_.get()))
			skeleton_.reset();
	}
	explicit operator bool() const { return skeleton_ != nullptr; }

	plan_seen seen() const { return skeleton_->bss->seen; }
	bpf_map *plans() { return skeleton_->maps.plans; }
	bpf_map *others() { return skeleton_->maps.others; }

	link_ptr attach()
	{
		link_ptr link(bpf_map__attach_struct_ops(plans()));
		__u64 unused = 0;
		skeleton_->bss->seen = {};
		run(skeleton_->progs.find_ops, unused);
		return link;
	}
	__u64 find()
	{
		__u64 unused = 0;
		run(skeleton_->progs.find_ops, unused);
		return seen().ops_id;
	}
	plan_spawn spawn(plan_args args, __u32 times = 1, bool too_large = false)
	{
		plan_spawn call = {};
		call.args = args;
		call.times = times;
		call.size = too_large;
		run(skeleton_->progs.spawn, call);
		return call;
	}
	plan_spawn spawn(plan what, __u32 times = 1)
	{
		plan_args args = {};
		args.plan = what;
		return spawn(args, times);
	}
	// One that awaits its key from the beginning; woken at once if the value is not 0.
	int spawn_key(plan_args args, __u32 value = 0, bool wrong_size = false)
	{
		plan_spawn call = {};
		call.args = args;
		call.times = value;
		call.size = wrong_size;
		run(skeleton_->progs.spawn_key, call);
		return call.error;
	}
	int wake(__u64 table, __u32 key, __s64 value, plan_how how = PLAN_WAKE_ONE)
	{
		plan_wake call = {};
		call.how = how;
		call.table_id = table;
		call.key = key;
		call.value = value;
		run(skeleton_->progs.wake, call);
		return call.error;
	}
	// By a tracing program.
	int wake_late(__u64 table, __u32 key, __s64 value)
	{
		link_ptr link(bpf_program__attach(skeleton_->progs.wake_late));
		bpf_test_run_opts opts = {};
		opts.sz = sizeof(opts);
		skeleton_->bss->late.table_id = table;
		skeleton_->bss->late.key = key;
		skeleton_->bss->late.value = value;
		skeleton_->bss->late.error = 1;
		bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.wake_late), &opts);
		return skeleton_->bss->late.error;
	}
	// A pool of the programs' own, 0: none.
	__u64 create_pool(__u64 quota)
	{
		return run(skeleton_->progs.create_pool, quota) ? 0 : quota;
	}
	// By a packet: see the program.
	int spawn_from_packet(const plan_args &args)
	{
		char packet[64] = {};
		bpf_test_run_opts opts = {};
		opts.sz = sizeof(opts);
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
		skeleton_->bss->from_packet = args;
		skeleton_->bss->packet_error = 1;
		bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.spawn_from_packet), &opts);
		return skeleton_->bss->packet_error;
	}
	__u64 create_table()
	{
		__u64 id = 0;
		run(skeleton_->progs.create_table, id);
		return id;
	}
	void release_table()
	{
		__u64 unused = 0;
		run(skeleton_->progs.release_table, unused);
	}

private:
	skeleton skeleton_;
};

plan_args key_args(__u64 table, __u32 key, __u64 ns)
{
	plan_args args = {};
	args.plan = PLAN_KEY;
	args.table_id = table;
	args.key = key;
	args.ns = ns;
	return args;
}

} // namespace

#endif // KCORO_TEST_BPF_OPS_FIXTURE_H
