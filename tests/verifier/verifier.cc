// SPDX-License-Identifier: GPL-2.0-only
//
// verifier - how much work the kernel's verifier has with each program of BPF objects.
// Runs in the VM with kcoro.ko loaded.
//
//   verifier OBJECT...
//
// Each program is loaded by itself, the way the command loads it, and gives one line:
//
//   verified <tab> object <tab> program <tab> instructions looked at
//   refused  <tab> object <tab> program <tab> why
//
// What the verifier said of a refused program goes to standard error. Ends with 0 if all
// were loaded.
#include <linux/types.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../../bpf/filters/handshake/handshake.h"
#include "../../bpf/filters/sni/sni.h"

namespace {

struct ObjectDeleter {
	void operator()(bpf_object *object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, ObjectDeleter>;

std::string &libbpf_log()
{
	static std::string log;
	return log;
}

int keep_message(libbpf_print_level level, const char *format, va_list args)
{
	char line[4096];
	const int length =
		level == LIBBPF_DEBUG ? 0 : std::vsnprintf(line, sizeof(line), format, args);

	// Of a verifier's log, which comes as one message, this is the beginning.
	if (length > 0)
		libbpf_log() += line;
	return length;
}

// Settings of a filter, constants at load time, with which the verifier walks other paths.
struct Variant {
	const char *object;
	const char *program;
	const char *suffix; // of the object's name in the output
	void (*apply)(bpf_object *);
};

void other_sni_config(bpf_object *object)
{
	std::size_t size = 0;
	const auto *rodata = bpf_object__find_map_by_name(object, ".rodata");
	void *value = rodata ? bpf_map__initial_value(rodata, &size) : nullptr;

	if (!value || size < sizeof(sni_config)) {
		std::fputs("verifier: sni has no struct sni_config in .rodata any more\n", stderr);
		std::exit(2);
	}
	auto *config = static_cast<sni_config *>(value);
	config->port = 443;
	config->closed = 1;
	config->raw_ip = 1;
}

void other_handshake_config(bpf_object *object)
{
	std::size_t size = 0;
	const auto *rodata = bpf_object__find_map_by_name(object, ".rodata");
	void *value = rodata ? bpf_map__initial_value(rodata, &size) : nullptr;

	if (!value || size < sizeof(handshake_config)) {
		std::fputs(
			"verifier: handshake has no struct handshake_config in .rodata any more\n",
			stderr);
		std::exit(2);
	}
	auto *config = static_cast<handshake_config *>(value);
	config->limit = 3;
	config->port = 443;
	config->raw_ip = 1;
}

constexpr Variant variants[] = {
	{"handshake", "handshake_tc", "+limit,port,raw_ip", other_handshake_config},
	{"sni", "sni_tc", "+port,closed,raw_ip", other_sni_config},
	{"sni", "sni_xdp", "+port,closed,raw_ip", other_sni_config},
};

bool realtime_kernel()
{
	return access("/sys/kernel/realtime", F_OK) == 0;
}

// As user/stats.cc: PREEMPT_RT has no bpf_timer.
bool is_loaded_here(const std::string &program)
{
	return program != "ticker_arm" || !realtime_kernel();
}

std::string name_of(const std::string &path)
{
	const auto name = path.substr(path.rfind('/') + 1);

	return name.substr(0, name.find('.'));
}

Object open_object(const std::string &path)
{
	Object object(bpf_object__open(path.c_str()));

	if (!object)
		std::fprintf(stderr, "%s", libbpf_log().c_str());
	return object;
}

std::vector<std::string> programs_of(const bpf_object *object)
{
	std::vector<std::string> names;
	bpf_program *program;

	bpf_object__for_each_program (program, object)
		names.emplace_back(bpf_program__name(program));
	return names;
}

void prepare(bpf_object *object, const std::string &wanted)
{
	bpf_program *program;

	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program, wanted == bpf_program__name(program));
	if (auto *ticker = bpf_object__find_map_by_name(object, "ticker");
	    ticker && realtime_kernel())
		bpf_map__set_autocreate(ticker, false);
}

bool measure(const std::string &path, const std::string &title, const std::string &wanted,
	     void (*apply)(bpf_object *))
{
	bpf_prog_info info{};
	__u32 size = sizeof(info);
	auto object = open_object(path);

	libbpf_log().clear();
	if (!object)
		return false;
	prepare(object.get(), wanted);
	if (apply)
		apply(object.get());
	const int error = bpf_object__load(object.get());
	if (error) {
		std::printf("refused\t%s\t%s\t%s\n", title.c_str(), wanted.c_str(),
			    std::strerror(-error));
		std::fflush(stdout);
		std::fprintf(stderr, "%s", libbpf_log().c_str());
		return false;
	}
	const int fd =
		bpf_program__fd(bpf_object__find_program_by_name(object.get(), wanted.c_str()));
	if (bpf_prog_get_info_by_fd(fd, &info, &size) || !info.verified_insns) {
		std::printf("refused\t%s\t%s\tthe kernel does not tell its instructions\n",
			    title.c_str(), wanted.c_str());
		return false;
	}
	std::printf("verified\t%s\t%s\t%u\n", title.c_str(), wanted.c_str(), info.verified_insns);
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	bool good = argc > 1;

	libbpf_set_print(keep_message);
	for (int i = 1; i < argc; i++) {
		const std::string path = argv[i], name = name_of(path);
		const auto object = open_object(path);

		if (!object) {
			std::printf("refused\t%s\t-\tcan't be opened\n", name.c_str());
			good = false;
			continue;
		}
		for (const auto &program : programs_of(object.get())) {
			if (!is_loaded_here(program))
				continue;
			good &= measure(path, name, program, nullptr);
			for (const auto &variant : variants)
				if (name == variant.object && program == variant.program)
					good &= measure(path, name + variant.suffix, program,
							variant.apply);
		}
	}
	return good ? 0 : 1;
}
