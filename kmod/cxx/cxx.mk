# SPDX-License-Identifier: GPL-2.0-only
# cxx.mk - C++20 objects in a kernel module. Kbuild has no rule for C++; name them in a Kbuild
# file, and include this behind:
#
#   obj-m := my_module.o
#   my_module-y := main.o body.o
#   kcoro-cxx-y := body.o                # from body.cc
#   include $(KCORO)/share/kcoro/cxx.mk
#
# kcoro-cxx-frame-budget := 1024 makes a coroutine frame of more bytes a compile-time error
# (without it 4096); kcoro-cxx-flags-y are flags of your own.
#
# The compiler must be the kernel's own release. The kernel's flags are taken, less
# what is for C only; -g0 because pahole stops at C++ debug information, and the
# module would then have no BTF; -fno-gnu-unique because std::noop_coroutine() makes
# a GNU_UNIQUE object that no module can hold; sibling calls because symmetric
# transfer needs them. Section groups, which hold inline and template functions, are
# dissolved after the compiler: the module's link would keep their
# __patchable_function_entries apart, and sysfs refuse the second section of a name.

KCORO_CXX := $(subst gcc,g++,$(CC))
# Where this file is: beside the headers, in kcoro's sources and where it is installed.
KCORO_CXX_INCLUDE := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../../include)
kcoro-cxx-frame-budget ?= 4096

kcoro-cxx-drop := -std=% -Wp$(comma)% -include% -fplugin% -fno-optimize-sibling-calls \
	-Wmissing-prototypes -Wmissing-declarations -Wstrict-prototypes -Wold-style-definition \
	-Wno-pointer-sign -Wdeclaration-after-statement -Wvla -Werror=implicit-function-declaration \
	-Werror=implicit-int -Werror=strict-prototypes -Werror=incompatible-pointer-types \
	-Werror=designated-init -Wdesignated-init -Wenum-conversion -Wno-override-init \
	-Wno-missing-field-initializers -Wno-type-limits -Wno-shift-negative-value \
	-Wno-maybe-uninitialized -Wno-sign-compare -fstrict-flex-arrays% -g% -gdwarf%

kcoro-cxx-flags = $(filter-out $(kcoro-cxx-drop),$(KBUILD_CFLAGS)) $(KBUILD_CFLAGS_MODULE) \
	-std=c++20 -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics \
	-fno-use-cxa-atexit -fno-gnu-unique -fcoroutines -foptimize-sibling-calls -g0 \
	-Wall -Wextra -Wno-unused-parameter -DKCORO_FRAME_BUDGET=$(kcoro-cxx-frame-budget) \
	$(kcoro-cxx-flags-y)

quiet_cmd_kcoro_cxx = CXX [M]  $@
      cmd_kcoro_cxx = $(KCORO_CXX) -Wp,-MMD,$(depfile) -D__KERNEL__ -DMODULE \
		$(kcoro-cxx-flags) -I$(KCORO_CXX_INCLUDE) -c -o $@.grouped $< && \
		$(LD) $(KBUILD_LDFLAGS) -r --force-group-allocation -o $@ $@.grouped \
		$(if $(delay-objtool),,$(cmd_objtool))

define kcoro_cxx_object
$$(obj)/$(1).o: $$(src)/$(1).cc FORCE
	$$(call if_changed_dep,kcoro_cxx)
endef

# A Kbuild file may include this more than once.
kcoro-cxx-new := $(filter-out $(kcoro-cxx-done),$(kcoro-cxx-y))
$(foreach object,$(kcoro-cxx-new),$(eval $(call kcoro_cxx_object,$(object:.o=))))
kcoro-cxx-done := $(kcoro-cxx-done) $(kcoro-cxx-new)
