# SPDX-License-Identifier: GPL-2.0-only
#
# Fuzz targets: tests/fuzz/<target>_fuzz.cc becomes $(O)/fuzz/<target>.
#
# Seeds and inputs that once broke something stand in tests/fuzz/corpus/<target>/;
# what a run finds goes to $(O)/fuzz/corpus/<target>/.

SECONDS ?= 60
CLANGXX ?= $(subst clang,clang++,$(CLANG))

FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*_fuzz.cc))
FUZZ_PROGRAMS := $(FUZZ_SOURCES:tests/fuzz/%_fuzz.cc=$(O)/fuzz/%)

FUZZ_CXXFLAGS := -std=c++20 -g -O1 -DFMT_HEADER_ONLY -Wall -Wextra -Werror -Iinclude -Ibpf -I. \
	$(patsubst -I%,-isystem %,$(LIBBPF_CFLAGS)) \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# The command's own sources that a target is linked with, beside what it includes.
FUZZ_EXTRA_options := $(patsubst %,user/%.cc,attach_dns_options attach_handshake_options \
	attach_knock_options attach_sni_options attach_options cli_verb ops_options schedule size)

.PHONY: fuzz
fuzz: setup ## fuzz every parser and the magazines: SECONDS=n each (60), TARGETS="a b"
	@$(MAKE) $(parallel) fuzz-programs
	@O=$(O) JOBS=$(JOBS) tests/fuzz/run --seconds $(SECONDS) $(TARGETS)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

# tests/unit/fuzz_corpus.test runs them over what is kept in the checkout. Some need libbpf's
# headers, which the set-up brings; `make unit` does without them if it must.
FUZZ_NEED_LIBBPF := $(addprefix $(O)/fuzz/,packet options)
LIBBPF_HEADER := $(wildcard $(addsuffix /bpf/libbpf.h,$(patsubst -I%,%,$(LIBBPF_CFLAGS)) /usr/include))

tests: $(FUZZ_PROGRAMS)
unit: $(if $(LIBBPF_HEADER),$(FUZZ_PROGRAMS),$(filter-out $(FUZZ_NEED_LIBBPF),$(FUZZ_PROGRAMS)))

define fuzz_program
$(O)/fuzz/$(1): tests/fuzz/$(1)_fuzz.cc $(FUZZ_EXTRA_$(1))
	@echo "  FUZZ     $$@"
	$(Q)mkdir -p $$(@D)
	$(Q)$(CLANGXX) $(CXXFLAGS) $(FUZZ_CXXFLAGS) -MD -MP -MF $$@.d -o $$@ $$(filter %.cc,$$^)
endef
$(foreach program,$(notdir $(FUZZ_PROGRAMS)),$(eval $(call fuzz_program,$(program))))

-include $(wildcard $(O)/fuzz/*.d)
