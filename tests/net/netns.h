// SPDX-License-Identifier: GPL-2.0-only
//
// netns.h - sockets in another network namespace, from one process.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace net {

/// Ends a test program that cannot go on: what was tried, and why it failed.
[[noreturn]] inline void die(const std::string &what)
{
	std::fflush(stdout);
	std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
	std::exit(3);
}

/// An open file descriptor.
class Fd {
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	Fd(const Fd &) = delete;
	Fd &operator=(const Fd &) = delete;
	~Fd() { close(); }

	[[nodiscard]] int get() const { return fd_; }
	explicit operator bool() const { return fd_ >= 0; }
	void close()
	{
		if (fd_ >= 0)
			::close(std::exchange(fd_, -1));
	}

private:
	int fd_ = -1;
};

/// A network namespace by the name `ip netns` gave it; "" is the one the program started in.
class Namespace {
public:
	explicit Namespace(const std::string &name)
		: fd_(open(name.empty() ? "/proc/self/ns/net" : ("/run/netns/" + name).c_str(),
			   O_RDONLY | O_CLOEXEC)),
		  name_(name)
	{
		if (!fd_)
			die("network namespace \"" + name + "\"");
	}

	/// Runs `work` in the namespace; what it opens stays there.
	template <typename Work> auto inside(Work &&work) const
	{
		struct Back {
			Fd home{open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};

			~Back()
			{
				if (setns(home.get(), CLONE_NEWNET))
					die("setns back");
			}
		} back;

		if (setns(fd_.get(), CLONE_NEWNET))
			die("setns " + name_);
		return work();
	}

	/// Writes a sysctl below net/ of the namespace.
	void sysctl(const std::string &path, const std::string &value) const
	{
		inside([&] {
			const Fd file(
				open(("/proc/sys/net/" + path).c_str(), O_WRONLY | O_CLOEXEC));

			if (write(file.get(), value.data(), value.size()) !=
			    static_cast<ssize_t>(value.size()))
				die("net/" + path + " = " + value);
		});
	}

private:
	Fd fd_;
	std::string name_;
};

} // namespace net
