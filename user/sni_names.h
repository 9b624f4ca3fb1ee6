// SPDX-License-Identifier: GPL-2.0-only
// sni_names.h - the list of names of an attached sni filter.
#ifndef KCORO_USER_SNI_NAMES_H
#define KCORO_USER_SNI_NAMES_H

#include "user/attachments.h"
#include "user/filters.h"
#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

// Sorted.
result<std::vector<std::string>> listed_names(const filter_attachment &filter);

} // namespace kcoro

#endif
