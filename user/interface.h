// SPDX-License-Identifier: GPL-2.0-only
// interface.h - network interfaces and network namespaces.
#ifndef KCORO_USER_INTERFACE_H
#define KCORO_USER_INTERFACE_H

#include "user/result.h"

#include <string>

namespace kcoro {

struct interface {
	unsigned index;
	bool raw_ip;   // its packets begin with the IP header: tun, wireguard, ppp
	bool loopback; // what it sends it receives: each packet comes twice
};

// Finds an interface of this network namespace. Fails when the filters can't read what
// goes over it: it must carry Ethernet frames, or bare IP.
result<interface> find_interface(const std::string &name);

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
