// SPDX-License-Identifier: GPL-2.0-only
// fault_table - makes a table, enters it and keeps frames in a map, through BPF
// programs, while allocations may fail. Runs in the VM with kcoro.ko loaded.
//
//   fault_table        the scenario. Status 0: all was to be had; 3: some was refused,
//                      was told as the ABI says and counted; 1: something is wrong
//   fault_table live   status 0 when no frame of the default pool is live, or soon none
#include <linux/types.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "fault_table.h"
#include "fault_table.skel.h"

namespace {

constexpr int refused_status = 3;

struct Deleter {
	void operator()(fault_table_bpf *skeleton) const { fault_table_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<fault_table_bpf, Deleter>;

template <typename T> bool run(const bpf_program *program, T &context)
{
	bpf_test_run_opts opts = {};

	opts.sz = sizeof(opts);
	opts.ctx_in = &context;
	opts.ctx_size_in = sizeof(context);
	return !bpf_prog_test_run_opts(bpf_program__fd(program), &opts) && !opts.retval;
}

int wrong(const char *what)
{
	std::fprintf(stderr, "fault_table: %s\n", what);
	return 1;
}

// A step of the system's that failed; without memory that is a defined result.
int no_memory(const char *what)
{
	std::fprintf(stderr, "fault_table: %s: %s\n", what, std::strerror(errno));
	return errno == ENOMEM ? refused_status : 1;
}

fault_counts counts(const fault_table_bpf &skeleton, __u64 table)
{
	fault_counts c{};

	c.table_id = table;
	if (!run(skeleton.progs.read_counts, c))
		c.live = -1;
	return c;
}

int scenario(const fault_table_bpf &skeleton)
{
	const auto before = counts(skeleton, 0);
	fault_call table{};

	if (!run(skeleton.progs.create, table))
		return no_memory("create");
	if (!table.table_id) {
		std::fprintf(stderr, "fault_table: no table: Cannot allocate memory\n");
		return refused_status;
	}

	unsigned no_entry = 0, no_frame = 0;

	for (__u32 key = 0; key < FAULT_KEYS; key++) {
		fault_call call{};

		call.table_id = table.table_id;
		call.key = key;
		if (!run(skeleton.progs.enter, call))
			return no_memory("enter");
		if (call.error && call.error != -ENOMEM)
			return wrong("an enter failed with something else than -ENOMEM");
		no_entry += call.error != 0;
		if (!run(skeleton.progs.keep, call))
			return no_memory("keep");
		no_frame += call.error != 0;
	}

	const auto after = counts(skeleton, table.table_id);

	if (after.nomem != no_entry)
		return wrong("the table's counter nomem is not the number of refused entries");
	if (after.failures - before.failures != no_entry + no_frame)
		return wrong("the pool's failures are not the number of refused frames");
	if (after.live - before.live != 2 * FAULT_KEYS - no_entry - no_frame)
		return wrong("the pool's live frames are not those that were had");
	if (!no_entry && !no_frame)
		return 0;
	std::fprintf(stderr, "fault_table: %u entries, %u frames refused: Cannot allocate memory\n",
		     no_entry, no_frame);
	return refused_status;
}

// Tables and maps go a little after the program that held them.
int no_frame_lives(const fault_table_bpf &skeleton)
{
	const timespec moment{0, 20000000};
	__s64 live = 0;

	for (int i = 0; i < 500; i++) {
		live = counts(skeleton, 0).live;
		if (!live)
			return 0;
		nanosleep(&moment, nullptr);
	}
	std::fprintf(stderr, "fault_table: %lld frames are live\n", static_cast<long long>(live));
	return 1;
}

} // namespace

int main(int argc, char **argv)
{
	const Skeleton skeleton(fault_table_bpf__open_and_load());

	if (!skeleton)
		return no_memory("the programs don't load");
	return argc > 1 && argv[1] == std::string_view("live") ? no_frame_lives(*skeleton)
							       : scenario(*skeleton);
}
