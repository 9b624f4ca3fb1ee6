// SPDX-License-Identifier: GPL-2.0-only
// names.h - server names as people write them, and as the sni filter looks them up.
#ifndef KCORO_USER_NAMES_H
#define KCORO_USER_NAMES_H

#include "user/result.h"

#include <linux/types.h>

#include <filters/sni/sni.h>

#include <string>
#include <string_view>
#include <vector>

namespace kcoro {

// Gives the name in lower case: a host name, or "*." and a host name. Says what is wrong
// with it otherwise (a usage failure).
result<std::string> check_name(std::string_view name);

// The filter's key of a name that check_name() gave.
sni_name_key name_key(std::string_view checked);

// The name of a key, the reverse of name_key().
std::string key_name(const sni_name_key &key);

// Reads names one per line; "#" begins a comment. Says file and line of a wrong one.
result<std::vector<std::string>> read_name_file(const std::string &path);

} // namespace kcoro

#endif
