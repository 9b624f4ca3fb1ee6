// SPDX-License-Identifier: GPL-2.0-only
// size.h - sizes in bytes as people write them.
#ifndef KCORO_USER_SIZE_H
#define KCORO_USER_SIZE_H

#include "user/result.h"

#include <string>
#include <string_view>

namespace kcoro {

// "4096", "64K", "12M", "1G": bytes, or so many times 1024, 1024^2, 1024^3; small letters
// will do. Anything else is misuse.
result<unsigned long long> parse_size(std::string_view text);

// In KiB, rounded up: "12", without unit.
std::string kib(unsigned long long bytes);

} // namespace kcoro

#endif
