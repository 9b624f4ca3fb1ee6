# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh - a kernel, its headers, libbpf and bpftool, unpacked in the cache.
#
# Nothing is installed: an image package would write to /boot, and another
# suite's libraries have no business in the machine's own.

# kernel_packages FLAVOUR - print the packages of the newest kernel of this flavour
# (amd64, rt-amd64) in the suite asked.
kernel_packages() {
	local headers release dep
	headers=$(show_field "linux-headers-$1" Depends | grep -oE "linux-headers-[^ ]+-$1" | head -n 1)
	[[ -n $headers ]] || return 1
	release=${headers#linux-headers-}
	# The unsigned image is uploaded together with the headers, the signed one later.
	# Later kernels have image, modules and the lists of modules apart.
	if [[ -n $(show_field "linux-image-$release-unsigned" Version) ]]; then
		echo "linux-image-$release-unsigned"
	elif [[ -n $(show_field "linux-binary-unsigned-$release" Version) ]]; then
		echo "linux-binary-unsigned-$release"
		echo "linux-modules-$release"
		echo "linux-base-$release"
	else
		echo "linux-image-$release"
	fi
	echo "$headers"
	for dep in $(show_field "$headers" Depends | grep -oE 'linux-(headers-[^ ]+-common(-rt)?|kbuild-[^ ,]+)'); do
		echo "$dep"
	done
}

# kernel_compiler HEADERS - print the release of gcc that built it, say gcc-12.
kernel_compiler() {
	show_field "$1" Depends | grep -oE '(linux-compiler-)?gcc-[0-9]+' | sed 's/^linux-compiler-//' | head -n 1
}

# kernel_relocate DIR RELEASE - make unpacked headers and modules usable in DIR.
kernel_relocate() {
	local dir=$1 release=$2 headers
	headers=$dir/usr/src/linux-headers-$release
	sed -i -E "s#^(include |KBUILD_OUTPUT=)/usr/src/#\\1$dir/usr/src/#" "$headers/Makefile"
	# Debian 13 ships modules below /usr.
	if [[ -d $dir/usr/lib/modules ]]; then
		mkdir -p "$dir/lib"
		mv "$dir/usr/lib/modules" "$dir/lib/modules"
	fi
	ln -sfn "$headers" "$dir/lib/modules/$release/build"
	rm -f "$dir/lib/modules/$release/source"
	depmod --basedir "$dir" "$release"
}

# kernel_describe DIR RELEASE - what build/setup.mk and the VM runner need to know.
kernel_describe() {
	local image
	for image in "$1/boot/vmlinuz-$2" "$1/lib/modules/$2/vmlinuz" "$1/lib/modules/$2/vmlinuz.unsigned"; do
		[[ ! -r $image ]] || break
	done
	cat <<-LINES
		KERNEL_RELEASE=$2
		KERNEL_BUILD=$1/usr/src/linux-headers-$2
		KERNEL_IMAGE=$image
		KERNEL_MODULES=$1/lib/modules/$2
		KERNEL_VMLINUX_BTF=$1/usr/src/linux-headers-$2/vmlinux
	LINES
}
