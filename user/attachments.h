// SPDX-License-Identifier: GPL-2.0-only
// attachments.h - what is attached, as the pins tell it.
#ifndef KCORO_USER_ATTACHMENTS_H
#define KCORO_USER_ATTACHMENTS_H

#include "user/bpf.h"
#include "user/bpffs.h"
#include "user/result.h"

#include <linux/types.h>

#include <inspect/attachment.h>

#include <string>
#include <vector>

namespace kcoro {

inline const std::string sni_root = pin_root + "/sni";

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

// A directory of pins of one sni filter.
struct sni_attachment {
	std::string directory; // below sni_root
	attachment record{};
	bool has_record = false; // false: the command that made it was killed before it got there
	bool linked = false;	 // false: no packet goes through it

	std::string path() const { return sni_root + "/" + directory; }
	std::string pin(const char *name) const { return path() + "/" + name; }

	// The interface's name: now, or when the filter was attached.
	std::string interface() const;
	// "eth0 (tc ingress)"
	std::string title() const;
};

// The directory's name for a filter on that interface of this network namespace:
// <ifindex>-<tc|xdp>-<ingress|egress>, and -netns<inode> behind it in a network namespace
// that isn't init's, because every namespace counts its interfaces from 1.
std::string sni_directory(unsigned ifindex, attachment_mode mode, attachment_direction direction);

// Every attachment, half-made ones included.
std::vector<sni_attachment> sni_attachments();

// Those on an interface (its name or ifindex, now or when attached); all when empty. Fails
// when there are none, naming the next step.
result<std::vector<sni_attachment>> find_sni(const std::string &interface);

enum class pinned_state { none, half, whole };
pinned_state state_of(const histogram_pins &pins);

// Takes away what no attachment needs any more: the statistics and empty directories.
outcome tidy_pins();

} // namespace kcoro

#endif
