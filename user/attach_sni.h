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
};

// Loads, pins and links the filter; leaves nothing behind when it fails.
outcome attach_sni(sni_request asked, const output &out);

} // namespace kcoro

#endif
