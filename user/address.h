// SPDX-License-Identifier: GPL-2.0-only
// address.h - addresses as the filters keep them: IPv4 in the manner of IPv6.
#ifndef KCORO_USER_ADDRESS_H
#define KCORO_USER_ADDRESS_H

#include <arpa/inet.h>
#include <linux/types.h>

#include <array>
#include <cstring>
#include <string>

namespace kcoro {

// "192.0.2.1" of ::ffff:192.0.2.1, "2001:db8::1" of any other.
inline std::string address_label(const __u8 (&address)[16])
{
	static constexpr std::array<__u8, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	bool ipv4 = std::memcmp(address, mapped.data(), mapped.size()) == 0;
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ipv4 ? AF_INET : AF_INET6, address + (ipv4 ? 12 : 0), text, sizeof(text));
	return text;
}

} // namespace kcoro

#endif
