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
inline const std::string latency_root = pin_root + "/latency";
inline const std::string latency_map_pin = pin_root + "/frame_latency_ns";
inline const std::string latency_lost_pin = latency_root + "/lost";
inline const std::string latency_alloc_pin = latency_root + "/link_alloc";
inline const std::string latency_free_pin = latency_root + "/link_free";

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

enum class latency_state { none, half, whole };
latency_state latency_attached();

// Takes away what no attachment needs any more: the statistics and empty directories.
outcome tidy_pins();

} // namespace kcoro

#endif
