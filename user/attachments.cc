// SPDX-License-Identifier: GPL-2.0-only
// attachments.cc - see attachments.h.
#include "user/attachments.h"

#include "user/filters.h"
#include "user/stats.h"

#include <algorithm>

namespace kcoro {

pinned_state state_of(const histogram_pins &pins)
{
	auto linked = [&](const auto &event) { return exists(pins.link(event)); };

	if (exists(pins.map) && std::all_of(pins.events.begin(), pins.events.end(), linked))
		return pinned_state::whole;
	if (exists(pins.root()) || exists(pins.map))
		return pinned_state::half;
	return pinned_state::none;
}

outcome tidy_pins()
{
	for (const auto *kind : all_filter_kinds) {
		remove_if_empty(kind->root());
		if (exists(kind->root()))
			return done{};
	}
	for (const auto *pins : all_histogram_pins)
		if (state_of(*pins) != pinned_state::none)
			return done{};
	if (auto removed = unpin_stats(); !removed)
		return removed;
	remove_if_empty(pin_root);
	return done{};
}

} // namespace kcoro
