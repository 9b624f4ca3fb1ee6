// SPDX-License-Identifier: GPL-2.0-only
// version.h - the command's version.
#ifndef KCORO_USER_VERSION_H
#define KCORO_USER_VERSION_H

#define KCORO_COMMAND_VERSION "kcoro 0.1.0"

#endif
