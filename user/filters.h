// SPDX-License-Identifier: GPL-2.0-only
// filters.h - filters that are attached to interfaces, as their pins tell it.
#ifndef KCORO_USER_FILTERS_H
#define KCORO_USER_FILTERS_H

#include "user/bpf.h"
#include "user/bpffs.h"
#include "user/result.h"

#include <linux/types.h>

#include <inspect/attachment.h>

#include <string>
#include <vector>

namespace kcoro {

// A filter that can be attached. Each attachment has a directory of pins below root().
struct filter_kind {
	std::string name;
	std::string last_link; // pinned last: with it the attachment is whole

	std::string root() const { return pin_root + "/" + name; }
};

inline const filter_kind sni_kind{"sni", "link"};
inline const filter_kind dns_kind{"dns", "link_ingress"};
inline const filter_kind handshake_kind{"handshake", "link_ingress"};
inline const filter_kind knock_kind{"knock", "link_ingress"};
inline const filter_kind *const all_filter_kinds[] = {&sni_kind, &dns_kind, &handshake_kind,
						      &knock_kind};

// A directory of pins of one filter.
struct filter_attachment {
	const filter_kind *kind = nullptr;
	std::string directory; // below the kind's root
	attachment record{};
	bool has_record = false; // false: the command that made it was killed before it got there
	bool linked = false;	 // false: no packet goes through it

	std::string path() const { return kind->root() + "/" + directory; }
	std::string pin(const std::string &name) const { return path() + "/" + name; }

	// The interface's name: now, or when the filter was attached.
	std::string interface() const;
	// "eth0 (tc ingress)"
	std::string title() const;
};

// The directory's name for a filter on that interface of this network namespace:
// <ifindex>-<tc|xdp>-<ingress|egress|both>, and -netns<inode> behind it in a network
// namespace that isn't init's, because every namespace counts its interfaces from 1.
std::string filter_directory(unsigned ifindex, attachment_mode mode,
			     attachment_direction direction);

// Every attachment of a kind, half-made ones included.
std::vector<filter_attachment> filter_attachments(const filter_kind &kind);

// Those on an interface (its name or ifindex, now or when attached); all when empty. Fails
// when there are none, naming the next step.
result<std::vector<filter_attachment>> find_filters(const filter_kind &kind,
						    const std::string &interface);

// Of these the whole ones, the others are left out; fails when there is none.
result<std::vector<filter_attachment>> find_whole_filters(const filter_kind &kind,
							  const std::string &interface);

} // namespace kcoro

#endif
