# shellcheck shell=bash
# shellcheck disable=SC2154,SC2153 # tests/vm/kernel sets name, from, new and dir
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel_packages.sh - a kernel of a distribution: image and headers, unpacked, and
# a root of its suite where its headers' tools do not run here.

# packages_root - the suite of the root that it needs on this machine, or nothing.
packages_root() {
	local root
	root=$(kernel_get "$name" root)
	[[ $root == "$SUITE" ]] || echo "$root"
}

packages_suite() {
	local suite
	suite=$(kernel_get "$name" suite)
	[[ $suite == machine ]] && suite=$OTHER_SUITE
	echo "$suite"
}

packages_key() {
	kernel_want "$name" suite flavour
	echo "layout 3 $CACHE $(packages_suite) $(kernel_get "$name" flavour) $(packages_root) $(kernel_get "$name" compiler)"
}

packages_make() {
	local suite packages headers compiler wanted mb root
	suite=$(packages_suite)
	[[ -n $suite ]] || own_update
	foreign_init "$suite"
	packages=$(kernel_packages "$(kernel_get "$name" flavour)") ||
		fail "$(apt_site) has no linux-headers-$(kernel_get "$name" flavour) in ${suite:-$SUITE}"
	headers=$(grep -E '^linux-headers-.*-amd64$' <<<"$packages")
	compiler=$(kernel_compiler "$headers")
	root=$(packages_root)
	if [[ -n $root ]]; then
		wanted=$(kernel_get "$name" compiler)
		[[ $compiler == "$wanted" ]] ||
			fail "the headers $headers want ${compiler:-no compiler that is known}, tests/vm/kernels says ${wanted:-nothing}"
	elif [[ -n $compiler ]]; then
		own_packages "$compiler" "${compiler/gcc/g++}"
	fi
	read -ra mb < <(tr ' ' '\n' <<<"$packages" | sizes)
	# Unpacked while the download is still there.
	require_disk "$CACHE" $((mb[0] + mb[1] + 100))
	say "downloading and unpacking ${headers#linux-headers-}: ${mb[0]} MB to download, ${mb[1]} MB on the disk; log: $LOG"
	mkdir "$new/debs"
	# shellcheck disable=SC2086 # names are words
	download "$new/debs" $packages || apt_failed "download $packages"
	for deb in "$new"/debs/*.deb; do
		dpkg-deb -x "$deb" "$new"
	done
	rm -rf "$new/debs"
	# What the headers' tools are linked with.
	if [[ -n $root ]]; then
		root_make "$root" make "$compiler" "${compiler/gcc/g++}" pahole \
			"$(show_field "$(grep '^linux-kbuild' <<<"$packages")" Depends | tr ',' '\n' | grep -oE '^ *lib[^ ]+')"
	fi
	echo "${headers#linux-headers-}" >"$new/release"
}

# relocate - after it was put in place.
relocate() {
	local release
	release=$(<"$dir/release")
	if [[ $from == packages ]]; then
		kernel_relocate "$dir" "$release"
	fi
	{
		kernel_describe "$dir" "$release"
		echo "KERNEL_ROOT=$(root_dir "$(kernel_get "$name" root)")"
	} >"$dir/kernel.mk"
}
