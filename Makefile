# SPDX-License-Identifier: GPL-2.0-only
#
# kcoro: `make help` lists the targets. What is built goes to $(O) and nowhere else.

O ?= build
PREFIX ?= /usr/local
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
JOBS ?= $(shell nproc)

MAKEFLAGS += --no-print-directory $(if $(filter 1,$(V)),,-s)
# An ordinary user's path has no modprobe, ip or ethtool.
export PATH := $(PATH):/usr/sbin:/sbin
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# Goals that are root's business. With the others root leaves no file of its own
# in a checkout that belongs to somebody else (`sudo make check`): root installs
# what is missing, the rest is done as the owner, if this machine knows the owner.
root_goals := install uninstall check-bare
goals := $(or $(MAKECMDGOALS),all)
owner := $(shell stat -c %u .)
owner_home := $(shell getent passwd $(owner) | cut -d: -f6)
ifneq ($(filter-out $(shell id -u),$(owner)),)
ifneq ($(wildcard $(owner_home)),)
as_owner := $(if $(filter 0,$(shell id -u)),$(filter-out $(root_goals),$(goals)))
endif
endif

ifneq ($(as_owner),)
.PHONY: $(goals) as-owner
$(goals): as-owner
	@:
as-owner:
	$(if $(filter setup demo check check-% unit vm-build kernel lint ci,$(goals)),@tests/setup/setup --packages)
	@setpriv --reuid=$(owner) --regid=$(shell stat -c %g .) --init-groups \
		env HOME=$(owner_home) $(MAKE) $(goals)
else

# Written by tests/setup/setup: where the VM's kernel, libbpf and bpftool are.
-include $(O)/setup.mk

# Without it: what a machine with its own tools and a new enough kernel has.
CLANG ?= $(firstword $(notdir $(shell command -v clang-19 clang-20 clang-21 clang)) clang)
BPFTOOL ?= $(firstword $(shell PATH=$$PATH:/usr/sbin:/sbin; command -v bpftool) bpftool)
LIBBPF_CFLAGS ?= $(shell pkg-config --cflags libbpf 2>/dev/null)
LIBBPF_LIBS ?= $(shell pkg-config --libs libbpf 2>/dev/null)
KERNEL_VMLINUX_BTF ?= /sys/kernel/btf/vmlinux

# The kernel that the VM boots: one that tests/vm/kernels names. Another than the
# default has a setup.mk of its own, with its KERNEL_*. BPF objects are built once,
# with the default kernel's types, and run on all (CO-RE).
KERNEL_DEFAULT := $(shell sed -n 's/^kernel \([^ ]*\) from=setup.*/\1/p' tests/vm/kernels)
KERNEL ?= $(KERNEL_DEFAULT)
export KCORO_SETUP := $(abspath $(O))/$(if $(filter $(KERNEL_DEFAULT),$(KERNEL)),setup.mk,kernels/$(KERNEL).mk)
ifneq ($(KERNEL),$(KERNEL_DEFAULT))
vmlinux_of_default := $(KERNEL_VMLINUX_BTF)
-include $(KCORO_SETUP)
KERNEL_VMLINUX_BTF := $(vmlinux_of_default)
endif

# A sub-make joins the jobs of `make -j`; without -j it starts its own.
parallel = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))

.PHONY: all
all: kmod ## build for the running kernel: the module; BPF objects and command if their tools are there
	@if tests/setup/have-tools "$(CLANG)" "$(BPFTOOL)" "$(LIBBPF_CFLAGS)"; then $(MAKE) $(parallel) bpf user; fi

include kmod/kmod.mk
-include bpf/bpf.mk
-include user/user.mk
-include tests/tests.mk
-include examples/examples.mk

bpf: ## the BPF objects and their skeletons
user: ## the command, $(O)/kcoro

.PHONY: setup
setup: ## install what is missing for demo and check
	@O=$(O) tests/setup/setup

.PHONY: kernel
kernel: setup ## have the kernel KERNEL=NAME ready in the cache
ifneq ($(KERNEL),$(KERNEL_DEFAULT))
	@O=$(O) JOBS=$(JOBS) tests/vm/kernel $(KERNEL)
endif

# Set-up may write $(O)/setup.mk anew, so that what follows is a make of its own.
.PHONY: vm-build
vm-build: kernel ## set up, and build all for the VM's kernel
	@$(MAKE) $(parallel) built-for-vm

.PHONY: built-for-vm
built-for-vm:
	@test -n "$(KERNEL_BUILD)" || { echo "not set up yet: run make vm-build" >&2; exit 1; }
	@$(MAKE) KDIR=$(KERNEL_BUILD) KVER=$(KERNEL_RELEASE) $(if $(KERNEL_ROOT),KMAKE=tests/vm/kmake) kmod bpf user

.PHONY: demo
demo: vm-build ## set up, build, and show the main job in a VM
	@$(MAKE) $(parallel) demo-programs
	@O=$(O) tests/demo/run

.PHONY: clean
clean: ## remove $(O), but not the set-up's cache
	$(Q)find $(O) -mindepth 1 -maxdepth 1 ! -name setup.mk -exec rm -rf {} +

.PHONY: distclean-cache
distclean-cache: clean ## remove $(O) and the cache with all kernels; installed packages stay
	@O=$(O) tests/vm/kernel --remove
	$(Q)rm -rf $(O) $(CACHE)

.PHONY: help
help: ## this list
	@echo "Targets:"
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sed 's/[$$](O)/$(subst /,\/,$(O))/g' | \
		while IFS="$$(printf '\t')" read -r target text; do printf '  %-16s %s\n' "$$target" "$$text"; done
	@echo
	@echo "Variables:"
	@echo "  V=1              show the commands"
	@echo "  KVER=RELEASE     build and install for this installed kernel instead of the running one"
	@echo "  KDIR=DIR         build for the kernel whose build tree (headers) is there"
	@echo "  KERNEL=NAME      the VM's kernel: $(shell tests/vm/kernel --list | xargs | sed 's/ /, /g')"
	@echo "  O=DIR            put what is built there (default build)"
	@echo "  PREFIX=DIR       install to DIR/bin and DIR/include (default /usr/local)"
	@echo "  JOBS=N           jobs at a time (default: as many as CPUs)"

endif
