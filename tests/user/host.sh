# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# host.sh - sourced by the tests of the kcoro command: runs a script in a VM that has the
# module, the command and what the scripts need.

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top=$(readlink -f "$here/../..")
# shellcheck disable=SC1090
. "${KCORO_SETUP:-$top/build/setup.mk}"
out=$(cd "$top" && readlink -f "${O:-build}")

# guest SCRIPT OPTION... - runs SCRIPT; options are those of tests/vm/run.
guest() {
	local script=$1
	shift
	"$top/tests/vm/run" --timeout 580 \
		--add "${KCORO_MODULE:-$out/kmod/$KERNEL_RELEASE/kcoro.ko}" \
		--add "$out/kcoro" --add "$out/tests/json_check" \
		--add "$here/guest.sh" --add "$here/$script" "$@" -- bash "/kcoro/$script"
}
