# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh - for scenarios of examples that are kernel modules: builds one as its
# README says, against kcoro's headers and symbols. Sets $top, $out, $kmod (where kcoro.ko
# is) and $work, where the module is built; that goes when the scenario ends.

top=$(readlink -f "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../..")
# shellcheck disable=SC1090
. "${KCORO_SETUP:-$top/build/setup.mk}"
out=$(cd "$top" && readlink -f "${O:-build}")
kmod=$out/kmod/$KERNEL_RELEASE
work=$(mktemp -d)
export out
trap 'rm -rf "$work"' EXIT

# example_build NAME - from examples/NAME, in $work: the kernel's build writes beside the source.
example_build() {
	find "$top/examples/$1" -type f ! -name '*.md' -exec cp -t "$work" {} +
	MAKEFLAGS='' "$top/tests/vm/kmake" -s M="$work" KCORO="$top" \
		KBUILD_EXTRA_SYMBOLS="$kmod/Module.symvers" modules
}
