# SPDX-License-Identifier: GPL-2.0-only
#
# The baseline of verifier.test.

.PHONY: verifier-baseline
verifier-baseline: vm-build ## write the kernel's rows of tests/verifier/baseline.tsv: KERNEL=name
	@$(MAKE) $(parallel) test-programs
	@O=$(O) tests/verifier/verifier.test --renew
