# SPDX-License-Identifier: GPL-2.0-only
#
# The C++ library's tests, $(O)/tests/unit/cxx_<name>_test, so that tests/check finds them among
# the unit tests. Each is built several times:
#
#   cxx_<name>_test         address and undefined behaviour sanitizers
#   cxx_<name>_o2_test      -O2: symmetric transfer
#   cxx_<name>_loop_test    -O2 with KCORO_SYMMETRIC_TRANSFER=0
#   cxx_<name>_clang_test   clang 19, -O2
#   cxx_<name>_o0_test, cxx_<name>_noexcept_test    for those named below
#   cxx_<name>_tsan_test    thread sanitizer, for those named below

CXX_TESTS := $(patsubst tests/cxx/%_test.cc,%,$(sort $(wildcard tests/cxx/*_test.cc)))
CXX_TESTS_O0 := task
CXX_TESTS_NOEXCEPT := $(filter task frame spawn rc_ptr,$(CXX_TESTS))
CXX_TESTS_TSAN := $(filter task pool spawn channel completion rc_ptr,$(CXX_TESTS))
comma := ,
CLANGXX ?= $(subst clang,clang++,$(CLANG))
# GCC 12 can't see that a union's value is there only without an error.
CXX_TEST_FLAGS := -std=c++20 -g -Wall -Wextra -Werror -Wno-psabi -Wno-maybe-uninitialized -Iinclude

cxx_test_programs := $(patsubst %,$(O)/tests/unit/cxx_%_test,\
	$(foreach t,$(CXX_TESTS),$(t) $(t)_o2 $(t)_loop $(t)_clang) $(CXX_TESTS_O0:%=%_o0) \
	$(CXX_TESTS_NOEXCEPT:%=%_noexcept) $(CXX_TESTS_TSAN:%=%_tsan))

.PHONY: cxx-tests
cxx-tests: $(cxx_test_programs) ## build the C++ library's tests

tests unit: $(cxx_test_programs)

# $(1) suffix, $(2) compiler, $(3) flags
define cxx_tests
$(O)/tests/unit/cxx_%$(1)_test: tests/cxx/%_test.cc
	@echo "  CXX      $$@"
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $$(CXXFLAGS) $$(CXX_TEST_FLAGS) $(3) -MD -MP -o $$@ $$< -lgtest -lgtest_main -lpthread
endef
$(eval $(call cxx_tests,,$(CXX),-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer))
$(eval $(call cxx_tests,_o2,$(CXX),-O2))
$(eval $(call cxx_tests,_o0,$(CXX),-O0))
$(eval $(call cxx_tests,_noexcept,$(CXX),-O2 -fno-exceptions -fno-rtti -DGTEST_HAS_EXCEPTIONS=0 -DGTEST_HAS_RTTI=0))
$(eval $(call cxx_tests,_loop,$(CXX),-O2 -DKCORO_SYMMETRIC_TRANSFER=0))
$(eval $(call cxx_tests,_clang,$(CLANGXX),-O2 -Wno-unknown-warning-option))
$(eval $(call cxx_tests,_tsan,$(CLANGXX),-O1 -Wno-unknown-warning-option -fsanitize=thread -fno-omit-frame-pointer))

-include $(wildcard $(O)/tests/unit/cxx_*.d)
