// SPDX-License-Identifier: GPL-2.0-only
// bpf.h - file descriptors, pins and programs of the kernel's BPF, as values.
#ifndef KCORO_USER_BPF_H
#define KCORO_USER_BPF_H

#include "user/result.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <memory>
#include <string>
#include <vector>

namespace kcoro {

// Owns a file descriptor.
class descriptor {
public:
	descriptor() = default;
	explicit descriptor(int fd) : fd_(fd) {}
	descriptor(descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	descriptor &operator=(descriptor &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~descriptor();

	int get() const { return fd_; }
	explicit operator bool() const { return fd_ >= 0; }

private:
	int fd_ = -1;
};

// Owns a skeleton: skeleton<stats_bpf, stats_bpf__destroy>.
template <typename Type, void (*destroy)(Type *)> struct skeleton_deleter {
	void operator()(Type *one) const { destroy(one); }
};
template <typename Type, void (*destroy)(Type *)>
using skeleton = std::unique_ptr<Type, skeleton_deleter<Type, destroy>>;

// From now on libbpf prints nothing; what it says is kept.
void capture_libbpf_log();

// What libbpf and the verifier said since the last call.
std::string take_libbpf_log();

// Why an object could not be opened or loaded: `err` is a negative errno. Finds out
// whether the module is the reason.
failure load_failure(const std::string &what, int err);

// Pins a map, program or link.
outcome pin(int fd, const std::string &path);

// Opens what is pinned there.
result<descriptor> open_pinned(const std::string &path);

// Runs a syscall program; gives what it returned. `context` is in and out.
result<int> run_program(int program, void *context, size_t size);

// The ifindex of an XDP or tcx link; 0 when its interface has gone.
result<unsigned> link_ifindex(int link);

// The program behind a link.
result<descriptor> link_program(int link);

// Runs of a program that the kernel left out because it was running on that CPU already.
result<unsigned long long> program_misses(int program);

} // namespace kcoro

#endif
