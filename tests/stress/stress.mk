# SPDX-License-Identifier: GPL-2.0-only
#
# The stress as long as wished; tests/stress/stress.test is a short run of it.

.PHONY: stress
stress: vm-build ## random operations from every context at once: SECONDS=n KERNEL=name SEED=n
	@$(MAKE) $(parallel) $(O)/tests/stress
	@O=$(O) STRESS_SECONDS="$(SECONDS)" STRESS_SEED="$(SEED)" tests/stress/stress.test
