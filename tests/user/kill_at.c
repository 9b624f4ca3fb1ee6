// SPDX-License-Identifier: GPL-2.0-only
/*
 * kill_at.c - preloaded into the command: kills it right before the n-th call that
 * changes something outside the process (n is the environment's KILL_AT). Calls that
 * only concern the process itself don't count: whatever they make goes with it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void step(void)
{
	static long left = -1;
	const char *wanted = getenv("KILL_AT");

	if (left < 0)
		left = wanted ? atol(wanted) : 0;
	if (left > 0 && --left == 0)
		raise(SIGKILL);
}

/* libbpf has no other way into the kernel than syscall(2). */
long syscall(long number, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);

	if (number == SYS_bpf &&
	    (a[0] == BPF_OBJ_PIN || a[0] == BPF_LINK_CREATE || a[0] == BPF_LINK_DETACH ||
	     a[0] == BPF_RAW_TRACEPOINT_OPEN || a[0] == BPF_PROG_TEST_RUN))
		step();
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int mkdir(const char *path, mode_t mode)
{
	step();
	return (int)syscall(SYS_mkdir, path, mode);
}

int unlink(const char *path)
{
	step();
	return (int)syscall(SYS_unlink, path);
}

int rmdir(const char *path)
{
	step();
	return (int)syscall(SYS_rmdir, path);
}
