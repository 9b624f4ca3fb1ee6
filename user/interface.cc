// SPDX-License-Identifier: GPL-2.0-only
// interface.cc - see interface.h.
#include "user/interface.h"

#include "user/bpf.h"
#include "user/output.h"

#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

constexpr unsigned short link_raw_ip = 519; // ARPHRD_RAWIP, which net/if_arp.h has not

unsigned long long inode_of(const char *path)
{
	struct stat about;

	return ::stat(path, &about) == 0 ? about.st_ino : 0;
}

} // namespace

result<interface> find_interface(const std::string &name)
{
	ifreq request{};
	descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	unsigned ifindex = ::if_nametoindex(name.c_str());

	if (ifindex == 0)
		return fail("there is no interface \"{}\": `ip link` lists them", printable(name));
	name.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
	if (::ioctl(socket.get(), SIOCGIFHWADDR, &request))
		return fail("can't ask interface {}: {}", name, std::strerror(errno));

	auto type = request.ifr_hwaddr.sa_family;
	bool raw_ip = type == ARPHRD_NONE || type == ARPHRD_PPP || type == link_raw_ip;
	if (!raw_ip && type != ARPHRD_ETHER && type != ARPHRD_LOOPBACK)
		return fail("{} carries neither Ethernet nor bare IP (link type {}): attach to the "
			    "interface above or below it",
			    name, type);
	return interface{ifindex, raw_ip, type == ARPHRD_LOOPBACK};
}

std::string interface_name(unsigned ifindex)
{
	char name[IF_NAMESIZE] = "";

	return ::if_indextoname(ifindex, name) ? name : "";
}

outcome enter_netns(const std::string &name)
{
	auto path = name.find('/') == name.npos ? "/run/netns/" + name : name;
	descriptor netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));

	if (!netns)
		return fail("can't open network namespace {}: {}", path, std::strerror(errno));
	if (::setns(netns.get(), CLONE_NEWNET))
		return fail("can't enter network namespace {}: {}", path, std::strerror(errno));
	return done{};
}

unsigned long long netns_inode()
{
	return inode_of("/proc/self/ns/net");
}

unsigned long long init_netns_inode()
{
	return inode_of("/proc/1/ns/net");
}

} // namespace kcoro
