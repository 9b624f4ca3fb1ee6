#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# install.sh install RELEASE KDIR MODULE COMMAND PREFIX
# install.sh uninstall RELEASE PREFIX
#
# Puts the module to /lib/modules/RELEASE/extra and the command to PREFIX/bin, and for
# who builds modules on top of it the headers to PREFIX/include/kcoro and kcoro.symvers
# (the Module.symvers of kcoro alone) beside the module, and kcoro.pc for C++ in user space; all
# below DESTDIR if that is set.
# Under Secure Boot the module must be signed with a key that the firmware's owner
# enrolled: DKMS's key, if there is one.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
DESTDIR=${DESTDIR-}
MOK_KEY=${MOK_KEY:-/var/lib/dkms/mok.key}
MOK_CERT=${MOK_CERT:-/var/lib/dkms/mok.pub}

fail() {
	echo "kcoro: $*" >&2
	exit 1
}

secure_boot_is_on() {
	local variable
	for variable in /sys/firmware/efi/efivars/SecureBoot-*; do
		# Four bytes of attributes, then the value.
		[[ -r $variable && $(od -An -tu1 -j4 -N1 "$variable") -eq 1 ]] && return
	done
	return 1
}

mok_steps() {
	cat >&2 <<-STEPS
		kcoro: Secure Boot is on and there is no key to sign the module with, so that
		modprobe would refuse it. Make a key and enroll it, once:
		  mkdir -p $(dirname "$MOK_KEY")
		  openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 -subj "/CN=module signing/" \\
		      -addext extendedKeyUsage=codeSigning -outform DER -keyout $MOK_KEY -out $MOK_CERT
		  mokutil --import $MOK_CERT    # asks for a password of your choice
		  reboot                        # the firmware asks for it: choose "Enroll MOK"
		  make install                  # again: signs the module
	STEPS
}

sign() {
	local release=$1 kdir=$2 module=$3 tool hash
	if [[ ! -r $MOK_KEY || ! -r $MOK_CERT ]]; then
		secure_boot_is_on && mok_steps
		return 0
	fi
	for tool in "$kdir/scripts/sign-file" "/usr/lib/linux-kbuild-${release%.*}/scripts/sign-file" ''; do
		[[ -n $tool && ! -x $tool ]] || break
	done
	if [[ -z $tool ]]; then
		secure_boot_is_on && fail "Secure Boot is on, but sign-file is not among the headers of $release"
		return 0
	fi
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' "$kdir/.config" 2>/dev/null || true)
	"$tool" "${hash:-sha256}" "$MOK_KEY" "$MOK_CERT" "$module"
	echo "  SIGN     $module with $MOK_KEY"
}

# What others build against. Headers of an older kcoro go: one that is no more would be found.
install_headers() {
	local symvers=$1 extra=$2 include=$3 from=$here/../include/kcoro header
	[[ -r $symvers ]] || fail "$symvers is missing: run make first, without sudo"
	install -d "$extra"
	# The third column is where the module was built: only the name matters.
	sed -nE 's:\t([^\t]*/)?kcoro\t:\tkcoro\t:p' "$symvers" >"$extra/kcoro.symvers"
	[[ -s $extra/kcoro.symvers ]] || fail "$symvers has no symbols of kcoro: run make again"
	chmod 644 "$extra/kcoro.symvers"
	rm -rf "$include"
	while IFS= read -r header; do
		install -D -m 644 "$from/$header" "$include/$header"
	done < <(cd "$from" && find . -name '*.h' -o -name '*.hpp')
	# The rule for C++ finds the headers from where it is.
	install -D -m 644 "$here/cxx/cxx.mk" "${include%/include/kcoro}/share/kcoro/cxx.mk"
	echo "  INSTALL  $include, $extra/kcoro.symvers"
}

# For C++ in user space: the headers are all there is.
install_pkgconfig() {
	local prefix=$1 file=$DESTDIR$1/lib/pkgconfig/kcoro.pc
	install -d "${file%/*}"
	cat >"$file" <<-PC
		prefix=$prefix
		includedir=\${prefix}/include

		Name: kcoro
		Description: C++20 coroutines in headers, for the kernel and for user space
		Version: 0
		Cflags: -I\${includedir}
	PC
	chmod 644 "$file"
	echo "  INSTALL  $file"
}

install_all() {
	local release=$1 kdir=$2 module=$3 command=$4 prefix=$5 target
	not_here "$prefix"
	[[ -e $module ]] || fail "the module is not built for $release: run make first, without sudo"
	[[ -n $DESTDIR || $(id -u) == 0 ]] || fail "make install wants root: sudo make install"
	target=$DESTDIR/lib/modules/$release/extra/kcoro.ko
	# Debug information goes, the BTF that BPF programs need stays.
	install -D -m 644 "$module" "$target"
	strip --strip-debug "$target"
	sign "$release" "$kdir" "$target"
	echo "  INSTALL  $target"
	[[ -n $DESTDIR ]] || PATH=$PATH:/usr/sbin:/sbin depmod "$release"
	if [[ -x $command ]]; then
		install -D -m 755 "$command" "$DESTDIR$prefix/bin/kcoro"
		echo "  INSTALL  $DESTDIR$prefix/bin/kcoro"
	else
		echo "kcoro: the command was not built, and is not installed" >&2
	fi
	install_headers "${module%/*}/Module.symvers" "${target%/*}" "$DESTDIR$prefix/include/kcoro"
	install_pkgconfig "$prefix"
}

uninstall_all() {
	local release=$1 prefix=$2
	not_here "$prefix"
	[[ -n $DESTDIR || $(id -u) == 0 ]] || fail "make uninstall wants root: sudo make uninstall"
	rm -f "$DESTDIR/lib/modules/$release/extra/"kcoro.{ko,symvers} "$DESTDIR$prefix/bin/kcoro"
	rm -rf "$DESTDIR$prefix/include/kcoro" "$DESTDIR$prefix/share/kcoro"
	rm -f "$DESTDIR$prefix/lib/pkgconfig/kcoro.pc"
	[[ -n $DESTDIR ]] || PATH=$PATH:/usr/sbin:/sbin depmod "$release"
	[[ -z $DESTDIR && -e /sys/module/kcoro ]] && echo "kcoro: still loaded: rmmod kcoro" >&2
	return 0
}

# not_here PREFIX - headers are removed by folder, and that must not be the sources'.
not_here() {
	[[ ! $DESTDIR$1 -ef $here/.. ]] || fail "PREFIX=$1 is the folder of kcoro's sources: choose another"
}

case ${1-} in
install) install_all "${@:2}" ;;
uninstall) uninstall_all "${@:2}" ;;
*) fail "bad usage: see the head of $0" ;;
esac
