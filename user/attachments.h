// SPDX-License-Identifier: GPL-2.0-only
// attachments.h - what is attached to the module's tracepoints, as the pins tell it.
#ifndef KCORO_USER_ATTACHMENTS_H
#define KCORO_USER_ATTACHMENTS_H

#include "user/bpf.h"
#include "user/bpffs.h"
#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

// Programs at the module's tracepoints, which fill a map of histograms, and their pins.
struct histogram_pins {
	std::string name; // of the attachment
	std::string map;  // beside the directory, where people look for it
	std::vector<std::string> events;

	std::string root() const { return pin_root + "/" + name; }
	std::string lost() const { return root() + "/lost"; }
	std::string link(const std::string &event) const { return root() + "/link_" + event; }
};

inline const histogram_pins latency_pins{
	"latency", pin_root + "/frame_latency_ns", {"alloc", "free"}};
inline const histogram_pins coro_pins{
	"coro", pin_root + "/coro_latency_ns", {"wake", "cancel", "resume", "await", "done"}};
inline const histogram_pins *const all_histogram_pins[] = {&latency_pins, &coro_pins};

enum class pinned_state { none, half, whole };
pinned_state state_of(const histogram_pins &pins);

// Takes away what no attachment needs any more: the statistics and empty directories.
outcome tidy_pins();

} // namespace kcoro

#endif
