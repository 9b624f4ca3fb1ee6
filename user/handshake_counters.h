// SPDX-License-Identifier: GPL-2.0-only
// handshake_counters.h - names for what the handshake filter counts, and reading it.
#ifndef KCORO_USER_HANDSHAKE_COUNTERS_H
#define KCORO_USER_HANDSHAKE_COUNTERS_H

#include "user/counters.h"
#include "user/labels.h"

#include <filters/handshake/handshake.h>

namespace kcoro {

inline const char *handshake_end_label(unsigned end)
{
	static constexpr std::array<const char *, HANDSHAKE_ENDS> names{
		"finished", "refused", "unanswered", "reset", "abandoned", "killed"};
	return detail::label(names, end);
}

inline const char *handshake_span_label(unsigned span)
{
	static constexpr std::array<const char *, HANDSHAKE_SPANS> names{"server", "client",
									 "whole"};
	return detail::label(names, span);
}

inline constexpr counter<handshake_counters> handshake_counter_list[] = {
	{"syns", "syns", 0, "segments", "SYNs without ACK", &handshake_counters::syns},
	{"begun", "begun", 0, "handshakes", "handshakes that were followed",
	 &handshake_counters::begun},
	{"repeated", "repeated", 0, "segments", "SYNs of a handshake that is followed already",
	 &handshake_counters::repeated},
	{"dropped", "dropped", 0, "segments", "SYNs over the limit of their source",
	 &handshake_counters::dropped},
	{"full", "full", 0, "segments", "SYNs not followed: too many are",
	 &handshake_counters::full},
	{"nomem", "nomem", 0, "segments", "SYNs not followed: no memory",
	 &handshake_counters::nomem},
	{"detached", "detached", 0, "segments", "SYNs not followed: the filter is being detached",
	 &handshake_counters::detached},
	{"fragments", "fragments", 0, "packets", "IP fragments: passed unseen",
	 &handshake_counters::fragments},
};

// {"finished": n, ...}
inline json handshake_ends_json(const __u64 (&ended)[HANDSHAKE_ENDS])
{
	json object = json::object();

	for (unsigned end = 0; end < HANDSHAKE_ENDS; end++)
		object[handshake_end_label(end)] = ended[end];
	return object;
}

} // namespace kcoro

#endif
