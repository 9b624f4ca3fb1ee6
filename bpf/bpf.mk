# SPDX-License-Identifier: GPL-2.0-only
#
# BPF objects and their skeletons.
#
# Each bpf/<folder>/<name>.bpf.c and bpf/filters/<filter>/<name>.bpf.c becomes
# $(O)/bpf/<name>.bpf.o and $(O)/bpf/<name>.skel.h. The name alone must be unique.

Q ?= $(if $(filter 1,$(V)),,@)
LLVM_STRIP ?= llvm-strip-19

BPF_SOURCES := $(sort $(wildcard bpf/*/*.bpf.c bpf/filters/*/*.bpf.c))
BPF_NAMES := $(patsubst %.bpf.c,%,$(notdir $(BPF_SOURCES)))
BPF_OBJECTS := $(BPF_NAMES:%=$(O)/bpf/%.bpf.o)
BPF_SKELETONS := $(BPF_NAMES:%=$(O)/bpf/%.skel.h)

ifneq ($(words $(BPF_NAMES)),$(words $(sort $(BPF_NAMES))))
$(error two BPF sources have the same name: $(BPF_SOURCES))
endif

BPF_CFLAGS := -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror \
	-Wno-unused-parameter -Iinclude -Ibpf -isystem $(O) $(LIBBPF_CFLAGS)

.PHONY: bpf
bpf: $(BPF_OBJECTS) $(BPF_SKELETONS)

$(O)/vmlinux.h: $(KERNEL_VMLINUX_BTF) | $(O)/bpf
	@echo "  BTF      $@"
	$(Q)$(BPFTOOL) btf dump file $< format c > $@.tmp
	$(Q)mv $@.tmp $@

$(O)/bpf:
	$(Q)mkdir -p $@

# -g drops DWARF and keeps BTF. The rename keeps an interrupted build from leaving half a file.
define bpf_object
$(O)/bpf/$(patsubst %.bpf.c,%,$(notdir $(1))).bpf.o: $(1) $(O)/vmlinux.h | $(O)/bpf
	@echo "  BPF      $$@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -I$(dir $(1)) -MMD -MP -MT $$@ -MF $$(@:.o=.d) -c $$< -o $$@.tmp
	$(Q)$(LLVM_STRIP) -g $$@.tmp
	$(Q)mv $$@.tmp $$@
endef
$(foreach source,$(BPF_SOURCES),$(eval $(call bpf_object,$(source))))

# bpftool 7.5 has struct_ops maps attached by the skeleton, as libbpf 1.5 does and the 1.4
# beside it can't.
SKELETON_TO_1_4 := /map->link = /d

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	@echo "  SKEL     $@"
	$(Q)$(BPFTOOL) gen skeleton $< > $@.tmp
	$(Q)sed -i '$(SKELETON_TO_1_4)' $@.tmp
	$(Q)mv $@.tmp $@

-include $(BPF_OBJECTS:.o=.d)
