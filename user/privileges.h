// SPDX-License-Identifier: GPL-2.0-only
// privileges.h - what the command needs, and giving it up.
#ifndef KCORO_USER_PRIVILEGES_H
#define KCORO_USER_PRIVILEGES_H

#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

// Names of the capabilities that loading and pinning need and this process has not;
// attaching to an interface needs one more.
std::vector<std::string> missing_capabilities(bool attach);

// Fails with the next step when missing_capabilities() has any.
outcome require_capabilities(bool attach = false);

// Gives up every capability, and the way back. For loops that only read what is open.
outcome drop_privileges();

} // namespace kcoro

#endif
