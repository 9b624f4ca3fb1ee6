# SPDX-License-Identifier: GPL-2.0-only
#
# The command: $(O)/kcoro, with the BPF objects embedded and libbpf linked statically.

Q ?= $(if $(filter 1,$(V)),,@)

USER_SOURCES := $(sort $(wildcard user/*.cc))
USER_OBJECTS := $(USER_SOURCES:user/%.cc=$(O)/user/%.o)

# System headers are those that are not ours to keep free of warnings.
USER_CXXFLAGS := -std=c++20 -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude -Ibpf -I. \
	-isystem $(O)/bpf $(patsubst -I%,-isystem %,$(LIBBPF_CFLAGS))

.PHONY: user
user: $(O)/kcoro

$(O)/kcoro: $(USER_OBJECTS)
	@echo "  LD       $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $(USER_OBJECTS) $(LIBBPF_LIBS) -lfmt

# -MD, not -MMD: skeletons are system headers, and a new one must be compiled in. They must be
# there before the first compile; later the .d files know who includes them.
$(O)/user/%.o: user/%.cc | $(BPF_SKELETONS)
	@echo "  CXX      $@"
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(CXXFLAGS) $(USER_CXXFLAGS) -MD -MP -c $< -o $@

-include $(USER_OBJECTS:.o=.d)
