# SPDX-License-Identifier: GPL-2.0-only
#
# examples/first_filter: its BPF object, its skeleton and its loader in $(O)/examples.
# examples/frame_module is built by its user; tests/examples/frame_module.test does it.

EXAMPLES := $(O)/examples/first_filter

.PHONY: examples
examples: $(EXAMPLES) ## the examples, $(O)/examples

# `make check` builds and runs them.
tests: examples

$(O)/examples/first_filter.bpf.o: examples/first_filter/first_filter.bpf.c $(O)/vmlinux.h
	@echo "  BPF      $@"
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(LLVM_STRIP) -g $@.tmp
	$(Q)mv $@.tmp $@

$(O)/examples/first_filter.skel.h: $(O)/examples/first_filter.bpf.o
	@echo "  SKEL     $@"
	$(Q)$(BPFTOOL) gen skeleton $< > $@.tmp
	$(Q)mv $@.tmp $@

$(O)/examples/first_filter: examples/first_filter/first_filter.c $(O)/examples/first_filter.skel.h
	@echo "  CC       $@"
	$(Q)$(CC) $(CFLAGS) -O2 -g -Wall -Wextra -Werror -isystem $(O)/examples \
		$(patsubst -I%,-isystem %,$(LIBBPF_CFLAGS)) $(LDFLAGS) -o $@ $< $(LIBBPF_LIBS)

-include $(O)/examples/first_filter.bpf.d
