// SPDX-License-Identifier: GPL-2.0-only
// bpffs.h - the places under /sys/fs/bpf where what is attached stays attached.
#ifndef KCORO_USER_BPFFS_H
#define KCORO_USER_BPFFS_H

#include "user/bpf.h"
#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

inline const std::string bpffs_root = "/sys/fs/bpf";
inline const std::string pin_root = bpffs_root + "/kcoro";

bool bpffs_mounted();

// Mounts bpffs where it is missing, unless the mount would vanish with this command.
outcome ensure_bpffs();

// Held while pins are made or removed; waits a while for another kcoro.
result<descriptor> lock_pins();

bool exists(const std::string &path);

// Makes a directory; one that is there already is fine.
outcome make_directory(const std::string &path);

// Names in a directory, sorted; empty when there is none.
std::vector<std::string> list_directory(const std::string &path);

// When the entry was made, seconds since the epoch; 0 when it is not there.
long long made_at(const std::string &path);

// Removes a pin; one that is not there is fine.
outcome remove_pin(const std::string &path);

// Removes a directory of pins: links first, so that what remains when this is cut short
// acts on nothing.
outcome remove_pins(const std::string &directory);

// Removes a directory if it is empty.
void remove_if_empty(const std::string &directory);

} // namespace kcoro

#endif
