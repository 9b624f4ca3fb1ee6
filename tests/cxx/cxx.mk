# SPDX-License-Identifier: GPL-2.0-only
#
# The C++ library's tests, $(O)/tests/unit/cxx_<name>_<way>_test, so that tests/check finds them
# among the unit tests. `make check` has, for all tests or those named below:
#
#   asan     clang, address and undefined behaviour sanitizers; a loop resumes
#   o2       GCC, -O2: symmetric transfer
#   bare     GCC, -O2, no exceptions, no RTTI, KCORO_THREADS=0
#   clang    clang, -O2: symmetric transfer
#   tsan     clang, thread sanitizer
#
# and `make check-cxx-all` these, too, and the last two for all tests:
#
#   gcc_asan  GCC, the sanitizers of asan
#   loop      GCC, -O2 with KCORO_SYMMETRIC_TRANSFER=0
#   noexcept  GCC, -O2, no exceptions, no RTTI
#   o0        GCC, -O0

CXX_TESTS := $(patsubst tests/cxx/%_test.cc,%,$(sort $(wildcard tests/cxx/*_test.cc)))
# Frames and chains: where compilers differ. Threads: where there are some.
CXX_TESTS_CLANG := task spawn
CXX_TESTS_TSAN := pool rc_ptr
CXX_TESTS_BARE := $(filter-out pool rc_ptr resource,$(CXX_TESTS))
comma := ,
CLANGXX ?= $(subst clang,clang++,$(CLANG))
CXX_CLANG = $(CLANGXX) -Wno-unknown-warning-option
# GCC 12 can't see that a union's value is there only without an error.
CXX_TEST_FLAGS := -std=c++20 -Wall -Wextra -Werror -Wno-psabi -Wno-maybe-uninitialized -Iinclude
CXX_SANITIZED := -O1 -g1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CXX_NOEXCEPT := -O2 -fno-exceptions -fno-rtti -DGTEST_HAS_EXCEPTIONS=0 -DGTEST_HAS_RTTI=0

# $(1) tests, $(2) way
cxx_programs = $(patsubst %,$(O)/tests/unit/cxx_%_$(2)_test,$(1))
cxx_test_programs := $(call cxx_programs,$(CXX_TESTS),asan) $(call cxx_programs,$(CXX_TESTS),o2) \
	$(call cxx_programs,$(CXX_TESTS_BARE),bare) $(call cxx_programs,$(CXX_TESTS_CLANG),clang) \
	$(call cxx_programs,$(CXX_TESTS_TSAN),tsan)
cxx_more_programs := $(foreach way,gcc_asan loop noexcept o0 clang tsan,$(call cxx_programs,$(CXX_TESTS),$(way)))

.PHONY: cxx-tests
cxx-tests: $(cxx_test_programs) ## build the C++ library's tests

tests unit: $(cxx_test_programs)

.PHONY: check-cxx-all
check-cxx-all: setup ## the C++ library's tests, built in all ways
	@$(MAKE) $(parallel) $(cxx_test_programs) $(cxx_more_programs)
	@O=$(O) JOBS=$(JOBS) tests/check cxx unit/cxx_

# $(1) way, $(2) compiler, $(3) flags. Each has the headers of pch.hpp compiled once.
define cxx_tests
$(O)/tests/cxx/$(1)/pch.hpp.gch: tests/cxx/pch.hpp
	@echo "  CXX      $$@"
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $$(CXXFLAGS) $$(CXX_TEST_FLAGS) $(3) -MD -MP -MF $$(@:.gch=.d) -MT $$@ -x c++-header -o $$@ $$<

$(O)/tests/unit/cxx_%_$(1)_test: tests/cxx/%_test.cc $(O)/tests/cxx/$(1)/pch.hpp.gch
	@echo "  CXX      $$@"
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $$(CXXFLAGS) $$(CXX_TEST_FLAGS) $(3) -include $(O)/tests/cxx/$(1)/pch.hpp -MD -MP -o $$@ $$< \
		-lgtest -lgtest_main -lpthread

-include $(wildcard $(O)/tests/cxx/$(1)/pch.hpp.d)
endef
$(eval $(call cxx_tests,asan,$(CXX_CLANG),$(CXX_SANITIZED)))
$(eval $(call cxx_tests,o2,$(CXX),-O2))
$(eval $(call cxx_tests,bare,$(CXX),$(CXX_NOEXCEPT) -DKCORO_THREADS=0))
$(eval $(call cxx_tests,clang,$(CXX_CLANG),-O2))
$(eval $(call cxx_tests,tsan,$(CXX_CLANG),-O1 -g1 -fsanitize=thread -fno-omit-frame-pointer))
$(eval $(call cxx_tests,gcc_asan,$(CXX),$(CXX_SANITIZED)))
$(eval $(call cxx_tests,loop,$(CXX),-O2 -DKCORO_SYMMETRIC_TRANSFER=0))
$(eval $(call cxx_tests,noexcept,$(CXX),$(CXX_NOEXCEPT)))
$(eval $(call cxx_tests,o0,$(CXX),-O0))

-include $(wildcard $(O)/tests/unit/cxx_*.d)
