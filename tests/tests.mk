# SPDX-License-Identifier: GPL-2.0-only
#
# Tests: programs that run in the VM, unit tests that run here, and the driver.
#
#   tests/<folder>/<name>.test      a scenario: a script here that calls tests/vm/run
#   tests/<folder>/<name>.cc        with a main(): a program for it, $(O)/tests/<name>
#   tests/<folder>/<name>.bpf.c     a BPF object for it, $(O)/tests/<name>.bpf.o and .skel.h
#   tests/unit/<name>_test.cc       a GoogleTest program, $(O)/tests/unit/<name>_test
#   tests/<folder>/<folder>.mk      targets of that folder's own
#   tests/<folder>/module.kbuild    a module that is built with kcoro.ko

TEST_BPF := $(sort $(wildcard tests/*/*.bpf.c tests/bench/peers/*.bpf.c))
TEST_BPF_NAMES := $(patsubst %.bpf.c,%,$(notdir $(TEST_BPF)))
TEST_SKELETONS := $(TEST_BPF_NAMES:%=$(O)/tests/%.skel.h)
TEST_SOURCES := $(shell grep -lE '^int main\b' $(filter-out tests/unit/%,$(wildcard tests/*/*.cc)) /dev/null)
TEST_PROGRAMS := $(patsubst %.cc,$(O)/tests/%,$(notdir $(TEST_SOURCES)))
UNIT_SOURCES := $(sort $(wildcard tests/unit/*_test.cc))
UNIT_PROGRAMS := $(UNIT_SOURCES:tests/unit/%.cc=$(O)/tests/unit/%)

TEST_CXXFLAGS := -std=c++20 -g -Wall -Wextra -Werror -Iinclude -Ibpf -I. \
	-isystem $(O)/tests -isystem $(O)/bpf $(patsubst -I%,-isystem %,$(LIBBPF_CFLAGS))

.PHONY: tests
tests: test-programs $(UNIT_PROGRAMS) ## build the tests (after vm-build)

.PHONY: test-programs
test-programs: $(TEST_SKELETONS) $(TEST_PROGRAMS)

# What `make demo` shows beside the product.
.PHONY: demo-programs
demo-programs: $(addprefix $(O)/tests/,hello_peer one_packet one_packet.bpf.o)

# Unit tests run here, whatever the VM boots.
tests_for_kernel := $(if $(filter $(KERNEL_DEFAULT),$(KERNEL)),tests,test-programs)

.PHONY: check
check: vm-build ## set up, build, and run all tests, on KERNEL=NAME
	@$(MAKE) $(parallel) $(tests_for_kernel)
	@O=$(O) JOBS=$(JOBS) KERNEL=$(KERNEL) EXCEPT='$(EXCEPT)' tests/check

# Enough to see that a kernel is served, in a few minutes: what a kernel changes
# most is memory, contexts, kfuncs and the network's hooks.
SHORT := kernel/module kernel/kfuncs net/openssl examples/first_filter examples/frame_module examples/echo

.PHONY: check-short
check-short: vm-build ## the same with a short set of tests
	@$(MAKE) $(parallel) $(tests_for_kernel)
	@O=$(O) JOBS=$(JOBS) KERNEL=$(KERNEL) tests/check $(SHORT)

.PHONY: check-debug
check-debug: ## all tests in the VM on the debug kernel (KASAN, lockdep, kmemleak...)
	@$(MAKE) check KERNEL=debug

.PHONY: check-kernels
check-kernels: ## all tests on all kernels, one after another
	@O=$(O) MAKE='$(MAKE)' tests/stages $(foreach name,$(shell tests/vm/kernel --list),"$(name)=check KERNEL=$(name)")

# In 45 minutes on two cores, from nothing. Building the debug kernel takes a quarter of
# that and its tests as long again, a thousand loads and clang-tidy minutes more: `make
# ci-long` has them.
# The other kernels' short sets are last: what is wrong everywhere shows early. They are
# fetched while the rest is at work; should that fail, their own stage tells why.
CI_LINT := sparse,checkpatch,clang-format,shellcheck,co_await,codespell,spdx,length,private,exports
CI_KERNELS := 6.12-rt 7.3

.PHONY: ci
ci: setup ## what CI runs: lint, unit tests, all tests on 6.12, fuzzing, a short set on others
	@for name in $(CI_KERNELS); do O=$(O) JOBS=$(JOBS) tests/vm/kernel $$name; done >$(O)/kernels-ahead.log 2>&1 & \
	O=$(O) MAKE='$(MAKE)' tests/stages "lint=lint LINT=$(CI_LINT)" "$(KERNEL_DEFAULT)=check EXCEPT=kernel/loads" \
		"fuzz=fuzz SECONDS=20" $(foreach name,$(CI_KERNELS),"$(name)=check-short KERNEL=$(name)"); \
	status=$$?; wait; exit $$status

.PHONY: ci-long
ci-long: setup ## what takes longer: all of lint, 1,000 loads, and a short set on the debug kernel
	@O=$(O) MAKE='$(MAKE)' tests/stages lint=lint "loads=check-loads" "debug=check-short KERNEL=debug"

.PHONY: check-loads
check-loads: vm-build ## load and unload the module 1,000 times
	@O=$(O) JOBS=$(JOBS) KERNEL=$(KERNEL) tests/check kernel/loads

.PHONY: check-vm
check-vm: kernel ## test the VM runner alone
	@O=$(O) JOBS=$(JOBS) KERNEL=$(KERNEL) tests/check vm/runner

.PHONY: check-hellos
check-hellos: ## run the table of verdicts on recordings: DIR=<folder> BLOCK=a,b
	@test -n "$(DIR)" -a -e "$(DIR)/index.tsv" || { \
		echo 'make check-hellos DIR=<folder> BLOCK=<name,name>: the folder must hold an index.tsv (file, bytes, server_name, name_offset)' >&2; exit 2; }
	@$(MAKE) vm-build
	@$(MAKE) $(parallel) test-programs
	@O=$(O) tests/net/hellos.test --dir "$(DIR)" --block "$(BLOCK)"

.PHONY: check-bare
check-bare: ## as root: prove set-up, demo and check on a bare Debian in a scratch folder
	@tests/setup/bare-test

.PHONY: unit
unit: $(UNIT_PROGRAMS) ## build and run the unit tests, with sanitizers
	@O=$(O) JOBS=$(JOBS) tests/check unit

# $(1) source. The search paths are those of the filter that the object is compared with.
define test_bpf
$(O)/tests/$(patsubst %.bpf.c,%,$(notdir $(1))).bpf.o: $(1) $(O)/vmlinux.h
	@echo "  BPF      $$@"
	$(Q)mkdir -p $$(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -I$(dir $(1)) -Ibpf/filters/sni -MMD -MP -MT $$@ -MF $$(@:.o=.d) -c $$< -o $$@.tmp
	$(Q)$(LLVM_STRIP) -g $$@.tmp
	$(Q)mv $$@.tmp $$@
endef
$(foreach source,$(TEST_BPF),$(eval $(call test_bpf,$(source))))

$(O)/tests/%.skel.h: $(O)/tests/%.bpf.o
	@echo "  SKEL     $@"
	$(Q)$(BPFTOOL) gen skeleton $< > $@.tmp
	$(Q)sed -i '$(SKELETON_TO_1_4)' $@.tmp
	$(Q)mv $@.tmp $@

define test_program
$(O)/tests/$(patsubst %.cc,%,$(notdir $(1))): $(1) | $(TEST_SKELETONS)
	@echo "  CXX      $$@"
	$(Q)mkdir -p $$(@D)
	$(Q)$(CXX) $(CXXFLAGS) $(TEST_CXXFLAGS) -O2 -MD -MP -o $$@ $$< $(LIBBPF_LIBS)
endef
$(foreach source,$(TEST_SOURCES),$(eval $(call test_program,$(source))))

$(O)/tests/unit/%: tests/unit/%.cc
	@echo "  CXX      $@"
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(CXXFLAGS) $(TEST_CXXFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -MD -MP -o $@ $< -lgtest -lgtest_main

-include $(wildcard $(O)/tests/*.d $(O)/tests/unit/*.d)

include $(wildcard tests/*/*.mk)
