// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* first_filter.c - loads the filter, makes its table, and attaches it until Ctrl-C. */
#include <net/if.h>
#include <signal.h>
#include <stdio.h>

#include <bpf/bpf.h>

#include "first_filter.skel.h"

static int fail(const char *what)
{
	fprintf(stderr, "first_filter: %s\n", what);
	return 1;
}

static int run(struct first_filter_bpf *filter, int ifindex)
{
	LIBBPF_OPTS(bpf_test_run_opts, setup);
	LIBBPF_OPTS(bpf_tcx_opts, tcx);
	sigset_t ends;
	int signal;

	if (bpf_prog_test_run_opts(bpf_program__fd(filter->progs.knocks_setup), &setup) ||
	    setup.retval)
		return fail("no table: is there memory left?");
	filter->links.first_filter =
		bpf_program__attach_tcx(filter->progs.first_filter, ifindex, &tcx);
	if (!filter->links.first_filter)
		return fail("cannot attach to the interface");
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	puts("attached; Ctrl-C ends it. Who knocks: cat /sys/kernel/tracing/trace_pipe");
	fflush(stdout);
	sigwait(&ends, &signal);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int ifindex = argc == 2 ? if_nametoindex(argv[1]) : 0;
	struct first_filter_bpf *filter;
	int status;

	if (!ifindex)
		return fail(argc == 2 ? "no such interface" : "usage: first_filter INTERFACE");
	filter = first_filter_bpf__open_and_load();
	if (!filter)
		return fail("cannot load; run it as root, and with the module: modprobe kcoro");
	status = run(filter, ifindex);
	/* Links, programs and maps go; with its map the table; with the table its frames. */
	first_filter_bpf__destroy(filter);
	return status;
}
