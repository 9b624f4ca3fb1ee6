# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests that are built in another way than the rest.

# Threads: the thread sanitizer goes with no other one. Clang's, because that one runs under
# any address space layout.
$(O)/tests/unit/%_threads_test: tests/unit/%_threads_test.cc
	@echo "  CXX      $@"
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANGXX) $(CXXFLAGS) $(TEST_CXXFLAGS) -O1 -fsanitize=thread -fno-omit-frame-pointer \
		-MD -MP -o $@ $< -lgtest -lgtest_main
