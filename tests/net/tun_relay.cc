// SPDX-License-Identifier: GPL-2.0-only
//
// tun_relay - joins two network namespaces by a pair of tun interfaces, t0 here and t1 in the
// namespace "client": an interface whose packets have no Ethernet header. Runs until it is killed.
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <cstdint>

#include "netns.h"

namespace {

net::Fd open_tun(const std::string &name)
{
	net::Fd fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
	ifreq request{};

	if (!fd)
		net::die("/dev/net/tun");
	name.copy(request.ifr_name, IFNAMSIZ - 1);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (ioctl(fd.get(), TUNSETIFF, &request))
		net::die("tun interface " + name);
	return fd;
}

} // namespace

int main()
{
	const auto here = open_tun("t0");
	const auto there = net::Namespace("client").inside([] { return open_tun("t1"); });
	std::array<std::uint8_t, 65536> buffer{};

	std::puts("ready");
	std::fflush(stdout);
	for (;;) {
		std::array<pollfd, 2> wait{{{here.get(), POLLIN, 0}, {there.get(), POLLIN, 0}}};

		if (poll(wait.data(), wait.size(), -1) < 0)
			net::die("poll");
		for (std::size_t i = 0; i < wait.size(); i++) {
			const auto n = wait[i].revents
					       ? read(wait[i].fd, buffer.data(), buffer.size())
					       : 0;

			// What the other end does not take is lost, as on any wire.
			if (n > 0 &&
			    write(wait[1 - i].fd, buffer.data(), static_cast<std::size_t>(n)) < 0)
				continue;
		}
	}
}
