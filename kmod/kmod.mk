# SPDX-License-Identifier: GPL-2.0-only
#
# The module: $(O)/kmod/<release>/kcoro.ko, for the kernel that KDIR or KVER name,
# else for the running one.
#
# The kernel's build writes beside the sources. They are therefore mirrored, and
# the checkout stays clean and is built for several kernels side by side.

ifndef KDIR
KDIR := /lib/modules/$(or $(KVER),$(shell uname -r))/build
endif
KRELEASE := $(or $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null),$(KVER),$(shell uname -r))
KMOD_DIR := $(abspath $(O))/kmod/$(KRELEASE)

# The kernel's build. O= because ours would be handed down, and because Debian's
# headers need it to be their own folder, not empty, from 7.x on. The VM's kernels
# may need another root for it: tests/vm/kmake.
KMAKE ?= $(MAKE) -C $(KDIR) O=$(realpath $(KDIR))

# The oldest kernel that has what kcoro needs: struct_ops from modules, kptrs, WQ_BH.
KERNEL_OLDEST := 6.12

.PHONY: kmod
kmod: ## the module, $(O)/kmod/<release>/kcoro.ko
	@printf '%s\n' $(KERNEL_OLDEST) $(KRELEASE) | sort -VC || { \
		echo "kernel $(KRELEASE) is too old: kcoro needs $(KERNEL_OLDEST) or later; see \"On a real machine\" in README.md" >&2; exit 1; }
	@test -e $(KDIR)/Makefile || { \
		echo "kernel $(KRELEASE) has no build tree at $(KDIR): install its headers (apt install linux-headers-$(KRELEASE)), or name another with KVER= or KDIR=" >&2; exit 1; }
	@command -v pahole >/dev/null || { \
		echo "pahole is missing, and without it the module has no BTF: apt install dwarves" >&2; exit 1; }
	$(Q)kmod/mirror.sh $(KMOD_DIR)
	@echo "  KMOD     $(O)/kmod/$(KRELEASE)/kcoro.ko"
	$(Q)+$(KMAKE) M=$(KMOD_DIR) $(if $(filter 1,$(V)),V=1,-s) modules

.PHONY: install
install: ## install what was built, as root: module, command, headers; signs for Secure Boot
	$(Q)DESTDIR=$(DESTDIR) kmod/install.sh install $(KRELEASE) $(KDIR) $(KMOD_DIR)/kcoro.ko $(O)/kcoro $(PREFIX)

.PHONY: uninstall
uninstall: ## take all of it off again, as root
	$(Q)DESTDIR=$(DESTDIR) kmod/install.sh uninstall $(KRELEASE) $(PREFIX)
