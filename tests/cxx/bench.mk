# SPDX-License-Identifier: GPL-2.0-only
#
# The C++ library beside its peers, in user space; docs/cxx-bench.md.

CXX_BENCH := $(O)/tests/cxx-bench
CXX_BENCH_FLAGS := -std=c++20 -O2 -Iinclude
CXX_BENCH_SOURCES := limit_bench.cpp peers_bench.cc asio_bench.cc kcoro_bench.cc waits_bench.cc \
	frames_bench.cc main.cc
CXX_BENCH_OBJECTS := $(addprefix $(CXX_BENCH)/,$(addsuffix .o,$(basename $(CXX_BENCH_SOURCES))))
CXX_BENCH_PROGRAMS := $(addprefix $(CXX_BENCH)/,bench counted hooked report)

.PHONY: bench-cxx
bench-cxx: setup ## measure the C++ library beside the limit, Asio and others
	@$(MAKE) $(parallel) cxx-bench-programs
	@O=$(O) CXX="$(CXX)" CXX_BENCH_FLAGS="$(CXX_BENCH_FLAGS)" tests/cxx/bench/run

.PHONY: cxx-bench-programs
cxx-bench-programs: $(CXX_BENCH_PROGRAMS)

# For tests/unit/cxx_bench.test.
tests unit: $(CXX_BENCH_PROGRAMS)

# $(1) suffix of the source
define cxx_bench_object
$(CXX_BENCH)/%.o: tests/cxx/bench/%.$(1)
	@echo "  CXX      $$@"
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) $$(CXXFLAGS) $$(CXX_BENCH_FLAGS) -Wall -Wextra -Werror -MD -MP -c -o $$@ $$<
endef
$(eval $(call cxx_bench_object,cc))
$(eval $(call cxx_bench_object,cpp))

$(CXX_BENCH)/bench: $(CXX_BENCH_OBJECTS)
	@echo "  LD       $@"
	$(Q)$(CXX) $(CXXFLAGS) -o $@ $^ -lbenchmark -lpthread

$(CXX_BENCH)/counted: $(CXX_BENCH)/counted.o
	$(Q)$(CXX) $(CXXFLAGS) -o $@ $^ -lpthread

$(CXX_BENCH)/hooked: $(CXX_BENCH)/hooked.o
	$(Q)$(CXX) $(CXXFLAGS) -o $@ $^

$(CXX_BENCH)/report: $(CXX_BENCH)/report.o
	$(Q)$(CXX) $(CXXFLAGS) -o $@ $^ -lfmt

-include $(wildcard $(CXX_BENCH)/*.d)
