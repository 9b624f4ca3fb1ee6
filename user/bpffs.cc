// SPDX-License-Identifier: GPL-2.0-only
// bpffs.cc - see bpffs.h.
#include "user/bpffs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

namespace kcoro {

namespace {

constexpr auto lock_patience = std::chrono::seconds(10);

bool same_namespace_as_init(const char *kind)
{
	struct stat own, init;

	return ::stat(fmt::format("/proc/self/ns/{}", kind).c_str(), &own) == 0 &&
	       ::stat(fmt::format("/proc/1/ns/{}", kind).c_str(), &init) == 0 &&
	       own.st_ino == init.st_ino;
}

} // namespace

bool bpffs_mounted()
{
	struct statfs about;

	return ::statfs(bpffs_root.c_str(), &about) == 0 && about.f_type == BPF_FS_MAGIC;
}

outcome ensure_bpffs()
{
	if (bpffs_mounted())
		return done{};
	// `ip netns exec` gives a mount namespace of its own, with a bare /sys: pins made there
	// would go, and the filter with them, when this command ends.
	if (!same_namespace_as_init("mnt"))
		return fail("no bpffs at {} in this mount namespace, and one mounted here goes "
			    "with it; for another network namespace use `kcoro attach --netns "
			    "NAME` or `nsenter --net=/run/netns/NAME`",
			    bpffs_root);
	if (::mount("bpf", bpffs_root.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "mode=0700"))
		return fail("can't mount bpffs: {}; try `mount -t bpf bpf {}`",
			    std::strerror(errno), bpffs_root);
	return done{};
}

result<descriptor> lock_pins()
{
	descriptor root(::open(bpffs_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	auto limit = std::chrono::steady_clock::now() + lock_patience;

	if (!root)
		return fail("can't open {}: {}", bpffs_root, std::strerror(errno));
	while (::flock(root.get(), LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return fail("can't lock {}: {}", bpffs_root, std::strerror(errno));
		if (std::chrono::steady_clock::now() > limit)
			return fail("another kcoro is at work on {}: try again when it has ended",
				    bpffs_root);
		std::this_thread::sleep_for(std::chrono::milliseconds(50));
	}
	return root;
}

bool exists(const std::string &path)
{
	return ::access(path.c_str(), F_OK) == 0;
}

outcome make_directory(const std::string &path)
{
	if (::mkdir(path.c_str(), 0700) && errno != EEXIST)
		return fail("can't make {}: {}", path, std::strerror(errno));
	return done{};
}

std::vector<std::string> list_directory(const std::string &path)
{
	struct closer {
		void operator()(DIR *one) const { ::closedir(one); }
	};
	std::unique_ptr<DIR, closer> directory(::opendir(path.c_str()));
	std::vector<std::string> names;

	if (!directory)
		return names;
	while (const dirent *entry = ::readdir(directory.get())) {
		std::string name = entry->d_name;

		if (name != "." && name != "..")
			names.push_back(std::move(name));
	}
	std::sort(names.begin(), names.end());
	return names;
}

long long made_at(const std::string &path)
{
	struct stat about;

	return ::stat(path.c_str(), &about) == 0 ? about.st_mtim.tv_sec : 0;
}

outcome remove_pin(const std::string &path)
{
	if (::unlink(path.c_str()) && errno != ENOENT)
		return fail("can't remove {}: {}", path, std::strerror(errno));
	return done{};
}

outcome remove_pins(const std::string &directory)
{
	auto names = list_directory(directory);

	std::stable_partition(names.begin(), names.end(),
			      [](const std::string &name) { return name.starts_with("link"); });
	for (const auto &name : names) {
		auto path = directory + "/" + name;

		if (name.starts_with("link")) {
			// At once, not when the last reference goes. Tracing links can't; then
			// the unlink has to do.
			if (auto link = open_pinned(path); link)
				bpf_link_detach(link->get());
		}
		if (auto removed = remove_pin(path); !removed)
			return removed;
	}
	if (::rmdir(directory.c_str()) && errno != ENOENT)
		return fail("can't remove {}: {}", directory, std::strerror(errno));
	return done{};
}

void remove_if_empty(const std::string &directory)
{
	::rmdir(directory.c_str());
}

} // namespace kcoro
