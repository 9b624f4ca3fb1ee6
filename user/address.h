// SPDX-License-Identifier: GPL-2.0-only
// address.h - IP addresses as text.
#ifndef KCORO_USER_ADDRESS_H
#define KCORO_USER_ADDRESS_H

#include <linux/types.h>

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace kcoro {

// Of 16 bytes; one mapped into IPv6 (::ffff:a.b.c.d) as the IPv4 address that it is.
inline std::string mapped_address(const __u8 (&bytes)[16])
{
	static constexpr __u8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	bool ipv4 = std::equal(std::begin(mapped), std::end(mapped), bytes);
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? bytes + 12 : bytes, text, sizeof(text));
	return text;
}

} // namespace kcoro

#endif
