// SPDX-License-Identifier: GPL-2.0-only
//
// bpf_case.h - what the programs of this folder share that test kfuncs through BPF
// programs: run one, wait for what comes a little later, cases and their report.
#ifndef KCORO_TEST_BPF_CASE_H
#define KCORO_TEST_BPF_CASE_H

#include <cstdio>
#include <functional>

#include <linux/types.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

// Runs a syscall program; `context` is in and out. What it returned, or why it did not run.
template <typename T> int run(const bpf_program *program, T &context)
{
	bpf_test_run_opts opts = {};
	opts.sz = sizeof(opts);
	opts.ctx_in = &context;
	opts.ctx_size_in = sizeof(context);
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	return err ? err : static_cast<int>(opts.retval);
}

inline void sleep_ms(long ms)
{
	timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, nullptr);
}

// A condition that comes true a little later: tables, pools and maps go asynchronously.
inline bool soon(const std::function<bool()> &condition)
{
	for (int i = 0; i < 500; i++) {
		if (condition())
			return true;
		sleep_ms(20);
	}
	return false;
}

struct failure {
	int line = 0;
};

#define EXPECT(condition)                         \
	do {                                      \
		if (!(condition))                 \
			return failure{__LINE__}; \
	} while (0)

template <typename Fixture> struct test_case {
	const char *name;
	failure (*run)(Fixture &);
};

// Runs all of them: "ok NAME" or "not ok NAME" each. The exit status.
template <typename Fixture, size_t N>
int run_cases(const test_case<Fixture> (&cases)[N], Fixture &fixture)
{
	int failed = 0;
	for (const auto &c : cases) {
		failure result = c.run(fixture);
		if (result.line)
			std::printf("not ok %s (line %d)\n", c.name, result.line);
		else
			std::printf("ok %s\n", c.name);
		std::fflush(stdout);
		failed += result.line != 0;
	}
	return failed ? 1 : 0;
}

#endif
