// SPDX-License-Identifier: GPL-2.0-only
// stats.h - the module's frame counters: read for ourselves, and pinned for others.
#ifndef KCORO_USER_STATS_H
#define KCORO_USER_STATS_H

#include "user/bpf.h"
#include "user/result.h"

#include <linux/types.h>

#include <kcoro/abi.h>
#include <inspect/stats.h>

#include "stats.skel.h"

#include <array>

namespace kcoro {

using frame_rows = std::array<frame_stats, FRAME_STATS_ROWS>;

// Reads the counters with a program of its own: needs nothing pinned, and no
// capability once opened.
class frame_reader {
public:
	static result<frame_reader> open();
	result<frame_rows> read() const;

private:
	skeleton<stats_bpf, stats_bpf::destroy> object_;
};

// Pins the iterators `stats` and `pool_stats`, and the maps `frames`, `pools`, `pool_frames`
// and `ticker`, if they are not there yet.
outcome pin_stats();

// Removes them.
outcome unpin_stats();

} // namespace kcoro

#endif
