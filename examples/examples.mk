# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The examples in BPF, $(O)/examples/<name>.bpf.o. Kernel modules are built by their
# users, and by tests/examples/<name>.test.

.PHONY: examples
examples: $(O)/examples/first_filter.bpf.o ## the examples in BPF, $(O)/examples/<name>.bpf.o

# `make check` builds and runs them.
test-programs: examples

$(O)/examples/first_filter.bpf.o: examples/first_filter/first_filter.bpf.c $(O)/vmlinux.h
	@echo "  BPF      $@"
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(LLVM_STRIP) -g $@.tmp
	$(Q)mv $@.tmp $@

-include $(O)/examples/first_filter.bpf.d
