// SPDX-License-Identifier: GPL-2.0-only
// doctor_machine.cc - the checks of the machine.
#include "user/doctor.h"

#include "user/bpffs.h"
#include "user/privileges.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace kcoro {

namespace {

constexpr int oldest_major = 6, oldest_minor = 12;

std::string first_line(const std::string &path)
{
	std::ifstream file(path);
	std::string line;

	std::getline(file, line);
	return line;
}

std::string kernel_release()
{
	utsname about{};

	uname(&about);
	return about.release;
}

finding check_kernel()
{
	auto release = kernel_release();
	int major = 0, minor = 0;

	if (std::sscanf(release.c_str(), "%d.%d", &major, &minor) == 2 &&
	    std::pair(major, minor) >= std::pair(oldest_major, oldest_minor))
		return {"kernel", health::ok, release, ""};
	return {"kernel", health::failed, release + " is too old",
		fmt::format("install {}.{} or later; Debian 12 has one in its backports",
			    oldest_major, oldest_minor)};
}

finding check_kernel_btf()
{
	if (exists("/sys/kernel/btf/vmlinux"))
		return {"kernel BTF", health::ok, "/sys/kernel/btf/vmlinux", ""};
	return {"kernel BTF", health::failed, "the kernel has none",
		"boot a kernel with CONFIG_DEBUG_INFO_BTF=y"};
}

finding check_jit()
{
	auto jit = first_line("/proc/sys/net/core/bpf_jit_enable");

	if (jit.empty())
		return {"BPF JIT", health::warning, "can't tell whether it is on",
			"run as root, with /proc mounted"};
	if (jit == "0")
		return {"BPF JIT", health::failed, "is off, and kfuncs need it",
			"sysctl net.core.bpf_jit_enable=1"};
	return {"BPF JIT", health::ok, "on", ""};
}

finding check_headers()
{
	auto release = kernel_release();
	auto makefile = "/lib/modules/" + release + "/build/Makefile";

	if (exists(makefile))
		return {"headers", health::ok, "/lib/modules/" + release + "/build", ""};
	return {"headers", health::warning, "none for this kernel; only to build the module",
		"apt install linux-headers-" + release};
}

finding check_pahole()
{
	const char *path = std::getenv("PATH");
	std::istringstream list(path ? path : "");
	std::string directory;

	while (std::getline(list, directory, ':'))
		if (::access((directory + "/pahole").c_str(), X_OK) == 0)
			return {"pahole", health::ok, directory + "/pahole", ""};
	return {"pahole", health::warning, "not found; only to build the module",
		"apt install dwarves"};
}

// The file reads like "none [integrity] confidentiality".
finding check_lockdown()
{
	auto modes = first_line("/sys/kernel/security/lockdown");

	if (modes.find("[confidentiality]") != modes.npos)
		return {"lockdown", health::failed, "confidentiality: BPF may not read the kernel",
			"boot without lockdown=confidentiality"};
	if (modes.find("[integrity]") != modes.npos)
		return {"lockdown", health::warning, "integrity: modules must be signed",
			"sign kcoro.ko with a key that mokutil has enrolled"};
	return {"lockdown", health::ok, "none", ""};
}

finding check_bpffs()
{
	if (bpffs_mounted())
		return {"bpffs", health::ok, bpffs_root, ""};
	return {"bpffs", health::warning, "not mounted; attach will try to mount it",
		"mount -t bpf bpf " + bpffs_root};
}

finding check_capabilities()
{
	auto missing = missing_capabilities(true);
	std::string list;

	for (const auto &name : missing)
		list += (list.empty() ? "" : ", ") + name;
	if (missing.empty())
		return {"capabilities", health::ok, "enough to attach", ""};
	return {"capabilities", health::failed, "missing: " + list, "run as root, say with sudo"};
}

} // namespace

std::vector<finding> examine_machine()
{
	return {check_kernel(), check_kernel_btf(), check_jit(),   check_headers(),
		check_pahole(), check_lockdown(),   check_bpffs(), check_capabilities()};
}

} // namespace kcoro
