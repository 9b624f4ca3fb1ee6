# SPDX-License-Identifier: GPL-2.0-only
#
# The flow from CPU to CPU as long as wished; tests/kernel/flow.test is a short one.

OPERATIONS ?= 100000000

.PHONY: flow
flow: vm-build ## frames allocated on one CPU and freed on another: OPERATIONS=n (10^8) KERNEL=name
	@O=$(O) FLOW_OPERATIONS="$(OPERATIONS)" tests/kernel/flow.test
