# shellcheck shell=bash
# shellcheck disable=SC2153 # SUITE is the machine's
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel_root.sh - the root of another suite, in which modules are built
# (tests/vm/kmake), and how all that is root's is removed again.

# root_dir SUITE - print where it is; nothing without a suite or on its own machine.
root_dir() { [[ -z $1 || $1 == "$SUITE" ]] || echo "$CACHE/roots/$1"; }

# root_make SUITE PACKAGE... - make it, or make it anew if it lacks a package.
root_make() {
	local suite=$1 root site packages tmp
	shift
	root=$(root_dir "$suite")
	packages=$(tr ' ' '\n' <<<"$*" | sort -u | xargs)
	mkdir -p "$CACHE/roots"
	exec 7>"$CACHE/roots/$suite.lock"
	flock 7
	if [[ -r $root/etc/kcoro-packages && $(<"$root/etc/kcoro-packages") == "$packages" ]]; then
		exec 7>&-
		return
	fi
	own_packages debootstrap
	need_root
	site=$(apt_site)
	[[ -n $site ]] || fail "apt has no network source for $SUITE main: add one to /etc/apt/sources.list (man sources.list)"
	require_disk "$CACHE" 1500
	say "making a root of $suite to build modules in: about 1 minute, 500 MB; log: $LOG"
	tmp=$root.new
	remove_as_root "$tmp"
	# In a mount name space: debootstrap may leave its /proc mounted.
	as_root unshare --mount --propagation private debootstrap --variant=minbase \
		--include="${packages// /,}" "$suite" "$tmp" "$site" 7>&- 8>&- </dev/null >>"$LOG" 2>&1 || {
		remove_as_root "$tmp"
		fail "debootstrap failed: $(grep -E '^E: ' "$LOG" | tail -n 1) (log: $LOG)"
	}
	as_root rm -rf "$tmp/var/cache/apt" "$tmp/var/lib/apt/lists" "$tmp/usr/share/doc" "$tmp/usr/share/locale"
	# shellcheck disable=SC2016 # for that shell
	as_root sh -c 'echo "$1" >"$2"' - "$packages" "$tmp/etc/kcoro-packages"
	remove_as_root "$root"
	as_root mv "$tmp" "$root"
	exec 7>&-
}

# remove_as_root DIR - never with something mounted in it.
remove_as_root() {
	[[ -e $1 ]] || return 0
	if grep -qF " $1/" /proc/self/mountinfo; then
		fail "something is mounted in $1: unmount it first (grep $1 /proc/self/mountinfo)"
	fi
	need_root
	as_root rm -rf --one-file-system "$1"
}

# remove_kernels - all kernels and roots in the cache.
remove_kernels() {
	local root
	for root in "$CACHE"/roots/*/; do
		[[ ! -d $root ]] || remove_as_root "${root%/}"
	done
	rm -rf "$CACHE/roots" "$CACHE/kernels.new"
	find "$CACHE/kernels" -mindepth 1 -maxdepth 1 ! -name '*-amd64' -exec rm -rf {} + 2>/dev/null || true
}
