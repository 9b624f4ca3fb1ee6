// SPDX-License-Identifier: GPL-2.0-only
//
// name_key.h - the key of a name or "*.suffix" in the filters' map `names`. The command's own
// is user/names.h; tests that attach without the command have this one.
#pragma once

#include <linux/types.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "../../bpf/filters/sni/sni.h"

namespace net {

inline sni_name_key name_key(const std::string &name)
{
	const bool suffix = name.starts_with("*");
	const auto text = suffix ? name.substr(1) : name;
	sni_name_key key{};

	std::transform(text.rbegin(), text.rend(), key.reversed,
		       [](unsigned char c) { return std::tolower(c); });
	key.prefixlen = static_cast<__u32>((text.size() + (suffix ? 0 : 1)) * 8);
	return key;
}

} // namespace net
