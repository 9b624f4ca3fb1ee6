// SPDX-License-Identifier: GPL-2.0-only
// attach_sni.h - what `kcoro attach sni` was asked for.
#ifndef KCORO_USER_ATTACH_SNI_H
#define KCORO_USER_ATTACH_SNI_H

#include "user/attach_filter.h"
#include "user/output.h"
#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

struct sni_request {
	filter_place place;
	std::vector<std::string> names; // as given, then checked
	std::string name_file;
	attachment_on_full on_full = ATTACHMENT_OPEN;
	unsigned port = 0; // 0: all
	unsigned max_flows = 16384;
	std::string pool;		   // its name; empty: sni-INTERFACE
	unsigned long long pool_quota = 0; // bytes; 0: filter_pool_quota()
};

// Loads, pins and links the filter; leaves nothing behind when it fails.
outcome attach_sni(sni_request asked, const output &out);

} // namespace kcoro

#endif
