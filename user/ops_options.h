// SPDX-License-Identifier: GPL-2.0-only
// ops_options.h - options that filters with scheduled coroutines have in common.
#ifndef KCORO_USER_OPS_OPTIONS_H
#define KCORO_USER_OPS_OPTIONS_H

#include "user/cli_verb.h"

#include <linux/types.h>

#include <kcoro/abi.h>

#include <string>

namespace kcoro {

// A time in seconds, 0.001 to 86400.
void add_seconds(const cli_verb &verb, const std::string &name, double &to,
		 const std::string &help);

// --name NAME and --pool-quota SIZE: see check_pool_options().
void add_ops_pool(const cli_verb &verb, std::string &name, std::string &quota,
		  const std::string &usual_name);

} // namespace kcoro

#endif
