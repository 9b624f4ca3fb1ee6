// SPDX-License-Identifier: GPL-2.0-only
// privileges.cc - see privileges.h.
#include "user/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

struct capability {
	unsigned number;
	const char *name;
};

// Opening programs by id and mounting need CAP_SYS_ADMIN; CAP_BPF alone will not do.
constexpr capability always[] = {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
constexpr capability for_attach[] = {{CAP_NET_ADMIN, "CAP_NET_ADMIN"}};

bool effective(unsigned number)
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};

	if (::syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number);
}

} // namespace

std::vector<std::string> missing_capabilities(bool attach)
{
	std::vector<std::string> missing;

	for (const auto &one : always)
		if (!effective(one.number))
			missing.emplace_back(one.name);
	if (attach)
		for (const auto &one : for_attach)
			if (!effective(one.number))
				missing.emplace_back(one.name);
	return missing;
}

outcome require_capabilities(bool attach)
{
	if (auto missing = missing_capabilities(attach); !missing.empty())
		return fail("needs {}: run it as root, say with sudo", missing.front());
	return done{};
}

outcome drop_privileges()
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};

	if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    ::syscall(SYS_capset, &header, none))
		return fail("can't give up capabilities: {}", std::strerror(errno));
	return done{};
}

} // namespace kcoro
