/* SPDX-License-Identifier: GPL-2.0-only */
/* bench_bpf.h - what bench_bpf.bpf.c and bench_bpf.cc agree on. */
#ifndef KCORO_BENCH_BPF_H
#define KCORO_BENCH_BPF_H

#define BENCH_PAIRS 64		/* in one run of a program */
#define BENCH_RUNS_MAX 1024	/* in one BPF_PROG_TEST_RUN */

#endif /* KCORO_BENCH_BPF_H */
