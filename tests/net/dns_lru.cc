// SPDX-License-Identifier: GPL-2.0-only
// dns_lru.cc - attaches dns_lru.bpf.c to both directions of an interface, prints "ready", and
// at SIGTERM "QUERIES ANSWERS MATCHED".
#include <linux/types.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "dns_lru.h"
#include "dns_lru.skel.h"

namespace {

// enum bpf_attach_type, as user/attach_filter.cc has them.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);

struct destroyer {
	void operator()(dns_lru_bpf *object) const { dns_lru_bpf__destroy(object); }
};

} // namespace

int main(int argc, char **argv)
{
	const auto ifindex = static_cast<int>(argc > 1 ? if_nametoindex(argv[1]) : 0);
	const std::unique_ptr<dns_lru_bpf, destroyer> object(dns_lru_bpf__open_and_load());
	sigset_t end;
	int which;

	if (!ifindex || !object) {
		std::fputs("usage: dns_lru IFACE\n", stderr);
		return 2;
	}
	const int program = bpf_program__fd(object->progs.dns_lru);
	if (bpf_link_create(program, ifindex, tcx_ingress, nullptr) < 0 ||
	    bpf_link_create(program, ifindex, tcx_egress, nullptr) < 0) {
		std::perror("dns_lru");
		return 1;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, nullptr);
	std::puts("ready");
	std::fflush(stdout);
	sigwait(&end, &which);
	const auto &seen = object->bss->seen;
	std::printf("%llu %llu %llu\n", seen.queries, seen.answers, seen.matched);
	return 0;
}
