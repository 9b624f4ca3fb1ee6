// SPDX-License-Identifier: GPL-2.0-only
// pools.cc - see pools.h.
#include "user/pools.h"

#include "user/counters.h"
#include "user/labels.h"
#include "user/size.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace kcoro {

namespace {

// Names are of C modules and BPF programs: not ours.
std::string pool_name(const pool_row &pool)
{
	const auto *name = pool.info.name;

	return printable({name, strnlen(name, sizeof(pool.info.name))});
}

std::string quota_text(const pool_row &pool)
{
	return pool.info.quota ? kib(pool.info.quota) : "none";
}

std::string failures_text(const kcoro_frame_counters &sum)
{
	return fmt::format("quota {}  slab {}  context {}  injected {}", sum.failed_quota,
			   sum.failed_slab, sum.failed_context, sum.failed_injected);
}

json sizes_json(const kcoro_pool_info &info)
{
	json sizes = json::array();

	for (unsigned c = 0; c < KCORO_CLASSES; c++)
		sizes.push_back({{"class_bytes", class_bytes(c)}, {"eighths", info.sizes[c]}});
	return sizes;
}

json reserves_json(const kcoro_pool_info &info)
{
	json reserves = json::array();

	for (unsigned c = 0; c < KCORO_CLASSES; c++)
		if (info.reserve_wanted[c] || info.reserve_there[c])
			reserves.push_back({{"class_bytes", class_bytes(c)},
					    {"there", info.reserve_there[c]},
					    {"wanted", info.reserve_wanted[c]}});
	return reserves;
}

json gfp_json(const kcoro_pool_info &info)
{
	json levels = json::array();

	for (unsigned l = 0; l < KCORO_LEVELS; l++)
		levels.push_back({{"level", level_label(l)},
				  {"kernel", info.gfp[l][KCORO_GFP_CHOICE_KERNEL]},
				  {"atomic", info.gfp[l][KCORO_GFP_CHOICE_ATOMIC]},
				  {"caller", info.gfp[l][KCORO_GFP_CHOICE_CALLER]}});
	return levels;
}

} // namespace

result<pool_reader> pool_reader::open()
{
	pool_reader reader;

	reader.object_.reset(pools_bpf::open());
	if (!reader.object_)
		return load_failure("the pools' statistics", -errno);
	if (int err = pools_bpf::load(reader.object_.get()); err)
		return load_failure("the pools' statistics", err);
	return reader;
}

result<std::vector<pool_row>> pool_reader::read() const
{
	std::vector<pool_row> rows;
	pool_read_args args{};

	for (;;) {
		auto ran =
			run_program(bpf_program__fd(object_->progs.pool_read), &args, sizeof(args));

		if (!ran)
			return ran.error();
		if (*ran == POOL_READ_END)
			return rows;
		if (*ran == POOL_READ_ROW)
			rows.push_back(object_->bss->row);
	}
}

result<pool_row> pool_reader::read(__u64 id) const
{
	pool_read_args args{id - 1};
	auto ran = run_program(bpf_program__fd(object_->progs.pool_read), &args, sizeof(args));

	if (!ran)
		return ran.error();
	if (*ran != POOL_READ_ROW || args.id != id)
		return fail("pool {} has gone: `kcoro pool list` shows those that are there", id);
	return object_->bss->row;
}

result<pool_row> pool_reader::find(const std::string &word) const
{
	auto rows = read();
	std::vector<pool_row> found;
	std::string numbers;
	__u64 number = 0;

	if (!rows)
		return rows.error();
	for (const auto &row : *rows)
		if (pool_name(row) == word)
			found.push_back(row);
	auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
	if (found.empty() && error == std::errc() && end == word.data() + word.size())
		std::copy_if(rows->begin(), rows->end(), std::back_inserter(found),
			     [=](const pool_row &row) { return row.info.id == number; });
	if (found.empty())
		return fail("there is no pool {}: `kcoro pool list` shows those that are there",
			    printable(word));
	if (found.size() == 1)
		return found.front();
	for (const auto &row : found)
		numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", row.info.id);
	return fail("{} pools are called {}: name one by its number, of {}", found.size(),
		    printable(word), numbers);
}

outcome pool_reader::reserve(const pool_row &pool, unsigned long long size, unsigned count) const
{
	pool_reserve_args args{pool.info.id, static_cast<__u32>(size), count};
	auto ran = run_program(bpf_program__fd(object_->progs.pool_reserve), &args, sizeof(args));

	if (!ran)
		return ran.error();
	switch (-*ran) {
	case 0:
		return done{};
	case EDQUOT:
		return fail("the quota of pool {}, {} KiB, has no room for {} frames of {} bytes "
			    "beside those that are in use",
			    pool_name(pool), quota_text(pool), count, size);
	case ENOENT:
		return fail("pool {} has gone: `kcoro pool list` shows those that are there",
			    pool_name(pool));
	default:
		return fail("can't reserve {} frames of {} bytes in pool {}: {}", count, size,
			    pool_name(pool), std::strerror(-*ran));
	}
}

kcoro_frame_counters pool_sum(const pool_row &pool)
{
	kcoro_frame_counters sum{};

	for (const auto &row : pool.frames)
		counters_add(frame_counters, sum, row);
	return sum;
}

result<pool_row> read_pool(__u64 id)
{
	auto reader = pool_reader::open();

	if (!reader)
		return reader.error();
	return reader->read(id);
}

json pool_json(const pool_row &pool)
{
	const auto &info = pool.info;
	auto sum = pool_sum(pool);

	return {{"id", info.id},
		{"name", pool_name(pool)},
		{"accounted", (info.flags & KCORO_POOL_ACCOUNT) != 0},
		{"quota_bytes", info.quota},
		{"held_bytes", info.held},
		{"held_most_bytes", info.held_most},
		{"live_bytes", info.live},
		{"cached_bytes", info.cached},
		{"reserved_bytes", info.reserved},
		{"failures", sum.failures},
		{"failed_quota", sum.failed_quota},
		{"failed_slab", sum.failed_slab},
		{"failed_context", sum.failed_context},
		{"failed_injected", sum.failed_injected},
		{"large_allocs", info.large_allocs},
		{"large_frees", info.large_frees},
		{"large_failures", info.large_failures},
		{"reserves", reserves_json(info)},
		{"slab_calls", gfp_json(info)},
		{"sizes", sizes_json(info)}};
}

std::string pool_status(const pool_row &pool)
{
	return fmt::format("  pool {} KiB  quota {}  held {}  live {}  failures {}\n",
			   pool.info.name, kib(pool.info.quota), kib(pool.info.held),
			   kib(pool.info.live), pool_sum(pool).failures);
}

std::string pool_heading()
{
	return fmt::format("{:>4} {:<15} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "",
			   "KiB:", "quota", "held", "most", "live", "cached", "reserved");
}

std::string pool_line(const pool_row &pool)
{
	const auto &info = pool.info;
	auto sum = pool_sum(pool);
	auto text =
		fmt::format("{:>4} {:<15} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", info.id,
			    pool_name(pool), quota_text(pool), kib(info.held), kib(info.held_most),
			    kib(info.live), kib(info.cached), kib(info.reserved));

	if (sum.failures)
		text += fmt::format("     failures: {}\n", failures_text(sum));
	return text;
}

std::string pool_text(const pool_row &pool)
{
	const auto &info = pool.info;
	auto text =
		fmt::format("pool {}, number {}, {}\n", pool_name(pool), info.id,
			    info.flags & KCORO_POOL_ACCOUNT ? "paid by its creator's memory cgroup"
							    : "paid by no memory cgroup");

	text += fmt::format("  KiB: quota {}  held {}  most {}\n", quota_text(pool), kib(info.held),
			    kib(info.held_most));
	text += fmt::format("  KiB: live {}  cached {}  reserved {}\n", kib(info.live),
			    kib(info.cached), kib(info.reserved));
	text += fmt::format("  failures: {}\n", failures_text(pool_sum(pool)));
	if (info.large_allocs || info.large_failures)
		text += fmt::format("  frames over 8192B: allocs {}  frees {}  failures {}\n",
				    info.large_allocs, info.large_frees, info.large_failures);
	for (unsigned l = 0; l < KCORO_LEVELS; l++) {
		const auto &gfp = info.gfp[l];

		if (gfp[0] || gfp[1] || gfp[2])
			text += fmt::format("  slab calls in {}: kernel {}  atomic {}  caller {}\n",
					    level_label(l), gfp[KCORO_GFP_CHOICE_KERNEL],
					    gfp[KCORO_GFP_CHOICE_ATOMIC],
					    gfp[KCORO_GFP_CHOICE_CALLER]);
	}
	for (unsigned c = 0; c < KCORO_CLASSES; c++)
		if (info.reserve_wanted[c] || info.reserve_there[c])
			text += fmt::format("  reserve of {}: {} of {} frames\n", class_label(c),
					    info.reserve_there[c], info.reserve_wanted[c]);
	for (unsigned c = 0; c < KCORO_CLASSES; c++) {
		const auto &sizes = info.sizes[c];

		if (std::any_of(std::begin(sizes), std::end(sizes), [](__u64 n) { return n; }))
			text += fmt::format("  sizes in {}, by eighths: {}\n", class_label(c),
					    fmt::join(sizes, " "));
	}
	return text;
}

} // namespace kcoro
