# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# host.sh - sourced by the tests of this folder, which test the rig itself: a fault is
# put into a copy of the module by a patch, and an ordinary scenario must then fail and
# say why. The same scenario passes with the same copy when it is whole.

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top=$(readlink -f "$here/../..")
export KCORO_SETUP=${KCORO_SETUP:-$top/build/setup.mk}
# shellcheck disable=SC1090
. "$KCORO_SETUP"
out=$(cd "$top" && readlink -f "${O:-build}")
tree=$out/broken/$KERNEL_RELEASE
failed=0
export failed # for those who source this
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# verdict NAME STATUS [LOG] - a case; the end of LOG is shown when it failed.
verdict() {
	if (($2 == 0)); then
		echo "ok $1"
		return
	fi
	echo "not ok $1"
	failed=1
	[[ -z ${3-} ]] || tail -n 40 "$3"
}

# needs OPTION WHY - skip unless the kernel was built with that. That the patch of the test's
# name fits is seen on every kernel, so that who changes the sources hears of it at once.
needs() {
	local config=$KERNEL_BUILD/.config name
	grep -qs "^$1=y" "$config" && return
	name=$(basename "$0" .test)
	cp -a "$top/kmod" "$top/include" "$work/"
	patch_in "$work" "$name" || {
		echo "not ok $name: its patch fits"
		exit 1
	}
	echo "kernel $KERNEL_RELEASE is without $1, which $2: that is for the debug kernel"
	exit 77
}

# patch_in TREE PATCH - put the fault into the copy of the sources in TREE.
patch_in() {
	local log=$work/patched
	(cd "$1" && "$BUSYBOX" patch -p1 -i "$here/$2.patch") >"$log" 2>&1 </dev/null || {
		cat "$log"
		echo "tests/broken/$2.patch does not fit the sources any more: make it anew, with the same fault"
		return 1
	}
}

# broken PATCH - $work/broken.ko, from the sources with that fault in them.
# One tree serves all: only what a patch touches is compiled again.
broken() {
	local log=$work/build
	(
		flock 9
		cd "$top" && kmod/mirror.sh "$tree" Kbuild kmod include || exit 1
		patch_in "$tree" "$1" || exit 1
		tests/vm/kmake -s M="$tree" modules >"$log" 2>&1 || {
			tail -n 30 "$log"
			echo "the module does not build with tests/broken/$1.patch"
			exit 1
		}
		strip --strip-debug -o "$work/broken.ko" "$tree/kcoro.ko"
	) 9>"$out/broken.lock"
}

# scenario MODULE WHAT - run it; output and kernel log in $work/log. The status of the run.
scenario() {
	"$top/tests/vm/run" --add "$work/$1.ko:/kcoro/kcoro.ko" \
		--add "$out/kmod/$KERNEL_RELEASE/kcoro_test.ko" --add "$out/tests/kfuncs" \
		--add "$here/broken.guest" -- bash /kcoro/broken.guest "$2" >"$work/log" 2>&1
}

# whole WHAT - the scenario passes with the module as it is. What has passed once, with the
# very same files, need not be shown again by the next test.
whole() {
	local status=0 key
	strip --strip-debug -o "$work/whole.ko" "$out/kmod/$KERNEL_RELEASE/kcoro.ko" || return 1
	key=$(cat "$work/whole.ko" "$out/tests/kfuncs" "$out/kmod/$KERNEL_RELEASE/kcoro_test.ko" \
		"$here/broken.guest" "$KERNEL_IMAGE" <(echo "$1") | sha256sum | cut -c1-16)
	(
		flock 9
		[[ ! -e $tree/passed-$key ]] || exit 0
		scenario whole "$1" || exit 1
		touch "$tree/passed-$key"
	) 9>"$tree/whole.lock" || status=$?
	return "$status"
}

# caught PATCH WHAT WORDS - with this fault in it the scenario fails, and its output has the words.
caught() {
	local status=0
	mkdir -p "$tree"
	whole "$2" || status=$?
	verdict "$1: the scenario passes with the module as it is" "$status" "$work/log"
	status=0
	broken "$1" || {
		verdict "$1: a module with this fault" 1
		return
	}
	scenario broken "$2" || status=$?
	verdict "$1: the run failed (status $status)" "$((status == 0 || status == 125))" "$work/log"
	status=0
	grep -qE "$3" "$work/log" || status=1
	verdict "$1: and says why: $(grep -m 1 -oE "$3" "$work/log" || echo nothing)" "$status" "$work/log"
}
