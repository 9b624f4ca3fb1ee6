// SPDX-License-Identifier: GPL-2.0-only
// interface.h - network interfaces and network namespaces.
#ifndef KCORO_USER_INTERFACE_H
#define KCORO_USER_INTERFACE_H

#include "user/result.h"

#include <string>

namespace kcoro {

// Finds an interface of this network namespace; only Ethernet and loopback will do,
// because the filters read Ethernet headers.
result<unsigned> find_interface(const std::string &name);

// The name that an ifindex has in this network namespace now; empty when it has none.
std::string interface_name(unsigned ifindex);

// Goes to the network namespace /run/netns/<name>, or to the file of that path.
outcome enter_netns(const std::string &name);

// Inode number of this process's network namespace: its identity.
unsigned long long netns_inode();

// That of process 1.
unsigned long long init_netns_inode();

} // namespace kcoro

#endif
