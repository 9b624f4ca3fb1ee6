# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks: tests/lint/tools/<tool>.

.PHONY: lint
lint: setup ## static checks over the tree: LINT=tool,tool FILES="file file" for some
	@case ",$(LINT)," in *,sparse,*|*,clang-tidy,*|,,) $(MAKE) vm-build && $(MAKE) $(parallel) lint-headers ;; esac
	@O=$(O) KCORO_SETUP=$(abspath $(O))/setup.mk JOBS=$(JOBS) \
		tests/lint/lint $(if $(LINT),--only $(LINT)) $(FILES)

# What C++ includes that is generated.
.PHONY: lint-headers
lint-headers: $(BPF_SKELETONS) $(TEST_SKELETONS)

# For tests/lint/tools/clang-tidy.
.PHONY: lint-flags
lint-flags:
	@echo 'user: $(filter-out -Werror,$(USER_CXXFLAGS))'
	@echo 'tests: $(filter-out -Werror,$(TEST_CXXFLAGS))'
