// SPDX-License-Identifier: GPL-2.0-only
//
// one_packet - attaches the one-packet filter (tests/bpf/one_packet.bpf.c), for comparison.
// It stays attached, its link and counters pinned in DIR; removing DIR detaches it.
#include <linux/types.h>
#include <net/if.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "name_key.h"

namespace {

int fail(const std::string &what)
{
	std::fprintf(stderr, "one_packet: %s: %s\n", what.c_str(), std::strerror(errno));
	return 1;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc < 6) {
		std::fputs("Usage: one_packet OBJECT tc|xdp IFACE DIR NAME...\n", stderr);
		return 2;
	}

	const std::string object_path = argv[1], mode = argv[2], interface = argv[3], dir = argv[4];
	const std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object(
		bpf_object__open(object_path.c_str()), bpf_object__close);

	if (!object)
		return fail("open " + object_path);
	if (bpf_object__load(object.get()))
		return fail("load " + object_path);

	const int names = bpf_object__find_map_fd_by_name(object.get(), "names");

	for (int i = 5; i < argc; i++) {
		const auto key = net::name_key(argv[i]);
		const __u8 value = 1;

		if (bpf_map_update_elem(names, &key, &value, BPF_ANY))
			return fail(std::string("add ") + argv[i]);
	}

	const int index = static_cast<int>(if_nametoindex(interface.c_str()));
	const bool xdp = mode == "xdp";
	const auto *program = bpf_object__find_program_by_name(object.get(), xdp ? "one_packet_xdp"
										 : "one_packet_tc");
	bpf_link *link = xdp ? bpf_program__attach_xdp(program, index)
			     : bpf_program__attach_tcx(program, index, nullptr);

	if (!index || !link)
		return fail("attach to " + interface);
	if (mkdir(dir.c_str(), 0700) ||
	    bpf_obj_pin(bpf_object__find_map_fd_by_name(object.get(), "counters"),
			(dir + "/counters").c_str()) ||
	    bpf_link__pin(link, (dir + "/link").c_str()))
		return fail("pin in " + dir);
	// The pin keeps the link.
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	return 0;
}
