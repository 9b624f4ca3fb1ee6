# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# initramfs.sh - what the VM finds in its root file system.
#
# The kernel takes several cpio archives in a row, so the image is put together
# from three parts: the tools (built once per machine), the kernel modules
# (built once per kernel and choice of modules) and what this run adds. None is
# compressed: an emulated CPU needs longer to unpack than QEMU needs to copy.

# Programs of the host that every VM has. busybox gives the rest.
VM_TOOLS=(bash ip tc ss ethtool openssl kmod)

# staging_init DIR - an empty root with the merged /usr that the parts agree on.
# A part must never hold a directory where another one has a symbolic link.
staging_init() {
	mkdir -p "$1"/usr/{bin,sbin,lib,lib64}
	ln -s usr/bin "$1/bin"
	ln -s usr/sbin "$1/sbin"
	ln -s usr/lib "$1/lib"
	ln -s usr/lib64 "$1/lib64"
}

# staging_libraries DIR FILE... - the shared libraries that these programs load.
staging_libraries() {
	local dir=$1 file lib
	shift
	for file; do
		# Only ELF files that name an interpreter or libraries: ldd runs the loader.
		[[ -f $file && $(head -c4 "$file" | tr -d '\0') == $'\x7fELF' ]] || continue
		ldd "$file" 2>/dev/null || true
	done | sed -n -e 's/^\t.* => \(\/[^ ]*\) (0x.*/\1/p' -e 's/^\t\(\/[^ ]*\) (0x.*/\1/p' -e 's/^\t\([^ ]*\) => not found/!\1/p' |
		sort -u | while read -r lib; do
		[[ $lib != !* ]] || fail "the library ${lib#!} that a program for the VM needs is not on this machine"
		[[ -e $dir$lib ]] || install -D -m 755 "$lib" "$dir$lib"
	done
}

# staging_pack DIR ARCHIVE - make the archive; appears whole or not at all.
staging_pack() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet --null -o -H newc -R 0:0) >"$2.$$"
	mv "$2.$$" "$2"
}

# initramfs_tools - print the path of the archive with the tools, building it
# when a program in it has changed.
initramfs_tools() {
	local tool path paths key archive dir applet

	[[ -x $BPFTOOL && -x $BUSYBOX ]] || fail "bpftool or busybox is gone from the cache: run make setup"
	paths=("$BUSYBOX")
	for tool in "${VM_TOOLS[@]}"; do
		path=$(command -v "$tool") ||
			fail "the program $tool is missing: run make setup"
		paths+=("$(readlink -f "$path")")
	done
	paths+=("$BPFTOOL")
	key=$(stat -L -c '%n %s %Y' "${paths[@]}" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
	archive=$VM_CACHE/tools-$key.cpio
	if [[ ! -s $archive ]]; then
		dir=$(mktemp -d "$VM_WORK/tmp.XXXXXX")
		staging_init "$dir"
		mkdir -p "$dir"/{proc,sys,dev,run,tmp,root,etc,var,kcoro,vm} "$dir/usr/lib/ssl"
		install -m 755 "${paths[0]}" "$dir/usr/bin/busybox"
		for applet in $("$BUSYBOX" --list); do
			[[ $applet == busybox ]] || ln -s busybox "$dir/usr/bin/$applet"
		done
		for tool in "${!VM_TOOLS[@]}"; do
			rm -f "$dir/usr/bin/${VM_TOOLS[tool]}"
			install -m 755 "${paths[tool + 1]}" "$dir/usr/bin/${VM_TOOLS[tool]}"
		done
		# Debian's busybox shell prefers its own ip, tc and modprobe: bash does not.
		ln -sf bash "$dir/usr/bin/sh"
		install -m 755 "$BPFTOOL" "$dir/usr/bin/bpftool"
		for applet in modprobe insmod rmmod lsmod modinfo depmod; do
			ln -sf kmod "$dir/usr/bin/$applet"
		done
		# The kernel calls this path when it wants a module by itself.
		ln -s ../bin/kmod "$dir/usr/sbin/modprobe"
		staging_libraries "$dir" "${paths[@]}"
		echo "root:x:0:0:root:/root:/bin/bash" >"$dir/etc/passwd"
		echo "root:x:0:" >"$dir/etc/group"
		printf '127.0.0.1 localhost\n::1 localhost\n' >"$dir/etc/hosts"
		echo "hosts: files" >"$dir/etc/nsswitch.conf"
		[[ ! -r /etc/ssl/openssl.cnf ]] || install -D -m 644 /etc/ssl/openssl.cnf "$dir/usr/lib/ssl/openssl.cnf"
		rm -f "$VM_CACHE"/tools-*.cpio
		staging_pack "$dir" "$archive"
		rm -rf "$dir"
	fi
	echo "$archive"
}

# initramfs_modules NAME... - print the path of the archive with these modules
# of the distribution's kernel and all they depend on, and the list that init
# loads, in order.
initramfs_modules() {
	local key archive dir base name path rel

	key=$({
		printf '%s\n' "$KERNEL_MODULES" "$KERNEL_RELEASE" "$@"
		stat -c '%Y %s' "$KERNEL_MODULES/modules.dep" "${BASH_SOURCE[0]}"
	} | sha256sum | cut -c1-16)
	archive=$VM_CACHE/modules-$key.cpio
	if [[ ! -s $archive ]]; then
		dir=$(mktemp -d "$VM_WORK/tmp.XXXXXX")
		staging_init "$dir"
		base=/lib/modules/$KERNEL_RELEASE
		mkdir -p "$dir$base" "$dir/vm"
		# modprobe wants BASE/lib/modules/RELEASE: give it one, wherever the modules are.
		mkdir -p "$dir.base/lib/modules"
		ln -s "$KERNEL_MODULES" "$dir.base/lib/modules/$KERNEL_RELEASE"
		for name; do
			modprobe --dirname "$dir.base" --set-version "$KERNEL_RELEASE" --config /dev/null \
				--show-depends "$name" || fail "the kernel $KERNEL_RELEASE has no module $name"
		done >"$dir.list"
		while read -r name path _; do
			[[ $name == insmod ]] || continue
			rel=${path#*"/lib/modules/$KERNEL_RELEASE/"}
			[[ ! -e $dir$base/$rel ]] || continue
			install -D -m 644 "$path" "$dir$base/$rel"
			echo "$base/$rel" >>"$dir/vm/modules"
		done <"$dir.list"
		cp "$KERNEL_MODULES"/modules.{builtin,builtin.modinfo,order} "$dir$base/"
		depmod --basedir "$dir" "$KERNEL_RELEASE"
		staging_pack "$dir" "$archive"
		rm -rf "$dir" "$dir.base" "$dir.list"
	fi
	echo "$archive"
}

# staging_add DIR SRC[:DEST] - one --add: a file, a program with its libraries,
# or a directory taken whole.
staging_add() {
	local dir=$1 src=$2 dest
	if [[ $src == *:* ]]; then
		dest=${src#*:}
		src=${src%%:*}
		[[ $dest == /* ]] || usage_error "--add $2: the destination must begin with /"
		[[ $dest != */ ]] || dest+=$(basename "$src")
	else
		dest=/kcoro/$(basename "$(realpath -m "$src")")
	fi
	[[ -r $src ]] || usage_error "--add $2: there is no readable $src"
	mkdir -p "$(dirname "$dir$dest")"
	if [[ -d $src ]]; then
		mkdir -p "$dir$dest"
		cp -a "$src/." "$dir$dest/"
		local programs=()
		mapfile -d '' programs < <(find "$src/" -type f -perm /111 -print0)
		staging_libraries "$dir" "${programs[@]}"
	else
		cp -pL "$src" "$dir$dest"
		[[ ! -x $src ]] || staging_libraries "$dir" "$src"
	fi
}
