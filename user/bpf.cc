// SPDX-License-Identifier: GPL-2.0-only
// bpf.cc - see bpf.h.
#include "user/bpf.h"

#include "user/module.h"

#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace kcoro {

namespace {

std::string &libbpf_log()
{
	static std::string log;
	return log;
}

int keep_message(libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG)
		return 0;

	va_list again;
	va_copy(again, args);
	int length = std::vsnprintf(nullptr, 0, format, args);
	if (length > 0) {
		std::string text(static_cast<size_t>(length) + 1, '\0');

		std::vsnprintf(text.data(), text.size(), format, again);
		text.pop_back();
		libbpf_log() += text;
	}
	va_end(again);
	return length;
}

} // namespace

descriptor::~descriptor()
{
	if (fd_ >= 0)
		::close(fd_);
}

void capture_libbpf_log()
{
	libbpf_set_print(keep_message);
}

std::string take_libbpf_log()
{
	return std::exchange(libbpf_log(), {});
}

failure load_failure(const std::string &what, int err)
{
	auto log = take_libbpf_log();

	if (auto ready = module_complete(); !ready) {
		auto why = ready.error();
		why.log = log;
		return why;
	}
	if (err == -ENOMEM)
		return {exit_code::failed, fmt::format("can't load {}: out of memory", what), log};
	return {exit_code::failed,
		fmt::format("can't load {}: {}; `kcoro doctor` looks for the reason", what,
			    std::strerror(-err)),
		log};
}

outcome pin(int fd, const std::string &path)
{
	if (int err = bpf_obj_pin(fd, path.c_str()); err)
		return fail("can't pin {}: {}", path, std::strerror(-err));
	return done{};
}

result<descriptor> open_pinned(const std::string &path)
{
	int fd = bpf_obj_get(path.c_str());

	if (fd < 0)
		return fail("can't open {}: {}", path, std::strerror(-fd));
	return descriptor(fd);
}

result<int> run_program(int program, void *context, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	options.ctx_in = context;
	options.ctx_size_in = static_cast<__u32>(size);
	if (int err = bpf_prog_test_run_opts(program, &options); err)
		return fail("can't run a BPF program: {}", std::strerror(-err));
	return static_cast<int>(options.retval);
}

result<unsigned> link_ifindex(int link)
{
	bpf_link_info info{};
	__u32 size = sizeof(info);

	if (int err = bpf_link_get_info_by_fd(link, &info, &size); err)
		return fail("can't ask a link: {}", std::strerror(-err));
	// XDP and tcx links both begin with the ifindex; older linux/bpf.h know XDP only.
	return unsigned{info.xdp.ifindex};
}

result<descriptor> link_program(int link)
{
	bpf_link_info info{};
	__u32 size = sizeof(info);

	if (int err = bpf_link_get_info_by_fd(link, &info, &size); err)
		return fail("can't ask a link: {}", std::strerror(-err));
	descriptor program(bpf_prog_get_fd_by_id(info.prog_id));
	if (!program)
		return fail("can't open a link's program: {}", std::strerror(errno));
	return program;
}

result<unsigned long long> program_misses(int program)
{
	bpf_prog_info info{};
	__u32 size = sizeof(info);

	if (int err = bpf_prog_get_info_by_fd(program, &info, &size); err)
		return fail("can't ask a program: {}", std::strerror(-err));
	return static_cast<unsigned long long>(info.recursion_misses);
}

} // namespace kcoro
