// SPDX-License-Identifier: GPL-2.0-only
// stats.cc - see stats.h.
#include "user/stats.h"

#include "user/bpffs.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

const std::string iterator_pin = pin_root + "/stats";
const std::string frames_pin = pin_root + "/frames";
const std::string ticker_pin = pin_root + "/ticker";
const std::string pool_iterator_pin = pin_root + "/pool_stats";
const std::string pools_pin = pin_root + "/pools";
const std::string pool_frames_pin = pin_root + "/pool_frames";

// All but the ticker's, which some kernels have not.
const std::string pins[] = {iterator_pin, pool_iterator_pin, frames_pin, pools_pin,
			    pool_frames_pin};

// PREEMPT_RT has no bpf_timer: `frames` is then refreshed by reading `stats` only.
bool kernel_has_bpf_timer()
{
	return !exists("/sys/kernel/realtime");
}

outcome arm_ticker(stats_bpf *object)
{
	auto ran = run_program(bpf_program__fd(object->progs.ticker_arm), nullptr, 0);

	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't start the ticker: {}", std::strerror(-*ran));
	return done{};
}

outcome pin_iterator(const bpf_program *program, const bpf_map *over, const std::string &path)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	bpf_iter_link_info about{};

	about.map.map_fd = static_cast<__u32>(bpf_map__fd(over));
	options.iter_info = &about;
	options.iter_info_len = sizeof(about);
	descriptor link(bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, &options));
	if (!link)
		return fail("can't make the iterator: {}", std::strerror(errno));
	return pin(link.get(), path);
}

} // namespace

result<frame_reader> frame_reader::open()
{
	frame_reader reader;

	reader.object_.reset(stats_bpf::open());
	if (!reader.object_)
		return load_failure("the statistics", -errno);
	bpf_program__set_autoload(reader.object_->progs.ticker_arm, false);
	bpf_program__set_autoload(reader.object_->progs.stats, false);
	bpf_program__set_autoload(reader.object_->progs.pool_stats, false);
	for (bpf_map *map : {reader.object_->maps.ticker, reader.object_->maps.pools,
			     reader.object_->maps.pool_frames, reader.object_->maps.pool_index})
		bpf_map__set_autocreate(map, false);
	if (int err = stats_bpf::load(reader.object_.get()); err)
		return load_failure("the statistics", err);
	return reader;
}

result<frame_rows> frame_reader::read() const
{
	frame_rows rows{};
	auto ran = run_program(bpf_program__fd(object_->progs.frames_refresh), nullptr, 0);

	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't read the module's counters: {}", std::strerror(-*ran));
	for (__u32 i = 0; i < rows.size(); i++) {
		if (int err = bpf_map_lookup_elem(bpf_map__fd(object_->maps.frames), &i, &rows[i]);
		    err)
			return fail("can't read the counters: {}", std::strerror(-err));
	}
	return rows;
}

outcome pin_stats()
{
	bool timer = kernel_has_bpf_timer();
	bool all = exists(ticker_pin) || !timer;

	for (const auto &path : pins)
		all = all && exists(path);
	if (all)
		return done{};
	// A kcoro that was killed may have left a part: begin anew.
	if (auto removed = unpin_stats(); !removed)
		return removed;

	skeleton<stats_bpf, stats_bpf::destroy> object(stats_bpf::open());
	if (!object)
		return load_failure("the statistics", -errno);
	bpf_program__set_autoload(object->progs.frames_refresh, !timer);
	bpf_program__set_autoload(object->progs.ticker_arm, timer);
	bpf_map__set_autocreate(object->maps.ticker, timer);
	if (int err = stats_bpf::load(object.get()); err)
		return load_failure("the statistics", err);

	if (timer) {
		if (auto armed = arm_ticker(object.get()); !armed)
			return armed;
		if (auto pinned = pin(bpf_map__fd(object->maps.ticker), ticker_pin); !pinned)
			return pinned;
	}
	const std::pair<const bpf_map *, const std::string &> maps[] = {
		{object->maps.frames, frames_pin},
		{object->maps.pools, pools_pin},
		{object->maps.pool_frames, pool_frames_pin},
	};
	for (const auto &[map, path] : maps)
		if (auto pinned = pin(bpf_map__fd(map), path); !pinned)
			return pinned;
	if (auto pinned = pin_iterator(object->progs.pool_stats, object->maps.pool_index,
				       pool_iterator_pin);
	    !pinned)
		return pinned;
	return pin_iterator(object->progs.stats, object->maps.frames, iterator_pin);
}

outcome unpin_stats()
{
	for (const auto &path : pins)
		if (auto removed = remove_pin(path); !removed)
			return removed;
	return remove_pin(ticker_pin);
}

} // namespace kcoro
