# SPDX-License-Identifier: GPL-2.0-only
#
# Exact counts of instructions; docs/bench.md.

KERNEL ?= 6.12
# Parameters of kcoro_bench.ko: size=128 pattern=hot
BENCH ?=
BENCH_KERNELS ?= 6.12 6.12-rt 7.3

.PHONY: bench
bench: bench-build ## count instructions per operation, exactly, in a VM: KERNEL=name
	@O=$(O) tests/bench/bench $(KERNEL) $(BENCH)

.PHONY: bench-kernels
bench-kernels: ## make bench on 6.12, 6.12-rt and 7.3
	@set -e; for kernel in $(BENCH_KERNELS); do $(MAKE) bench KERNEL=$$kernel; echo; done

.PHONY: bench-build
bench-build: vm-build ## what make bench needs
	@$(MAKE) $(parallel) $(O)/tests/bench_bpf $(O)/tests/bench_peers $(O)/tests/bench_report

.PHONY: bench-diff
bench-diff: bench-build ## compare with a revision, row by row, three runs each: BASE=rev KERNEL=name
	@O=$(O) JOBS=$(JOBS) BENCH="$(BENCH)" tests/bench/bench-diff "$(BASE)" $(KERNEL)
