# SPDX-License-Identifier: GPL-2.0-only
#
# Failing allocations, at length; `make check` has one scenario of each kind.

.PHONY: check-faults
check-faults: setup ## every scenario with each allocation failing: frames on 6.12, slab and frames on debug
	@O=$(O) MAKE='$(MAKE)' tests/stages "$(KERNEL_DEFAULT)=check-faults-here" "debug=check-faults-here KERNEL=debug"

.PHONY: check-faults-here
check-faults-here: vm-build ## the same on one kernel, KERNEL=NAME; ONLY="slab (insmod|rmmod)" some of them
	@$(MAKE) $(parallel) test-programs
	@O=$(O) tests/faults/faults.test --all $(if $(ONLY),"$(ONLY)")
