// SPDX-License-Identifier: GPL-2.0-only
// attach_sni.h - what `kcoro attach sni` was asked for.
#ifndef KCORO_USER_ATTACH_SNI_H
#define KCORO_USER_ATTACH_SNI_H

#include "user/output.h"
#include "user/result.h"

#include <linux/types.h>

#include <inspect/attachment.h>

#include <string>
#include <vector>

namespace kcoro {

struct sni_request {
	std::string interface;
	std::string netns;
	std::vector<std::string> names; // as given, then checked
	std::string name_file;
	attachment_mode mode = ATTACHMENT_TC;
	attachment_direction direction = ATTACHMENT_INGRESS;
	attachment_on_full on_full = ATTACHMENT_OPEN;
	unsigned port = 0; // 0: all
	unsigned max_flows = 16384;
	std::string pool;		   // its name; empty: sni-INTERFACE
	unsigned long long pool_quota = 0; // bytes; 0: default_pool_quota()
};

// Bytes for so many flows, and for what so many CPUs may cache meanwhile.
constexpr unsigned long long default_pool_quota(unsigned max_flows, unsigned cpus)
{
	return 512ULL * max_flows + 65536 + 131072ULL * cpus;
}

// Less would be cached before the first flows are served.
constexpr unsigned long long smallest_pool_quota = 65536;

// Loads, pins and links the filter; leaves nothing behind when it fails.
outcome attach_sni(sni_request asked, const output &out);

} // namespace kcoro

#endif
