# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# accel.sh - may this machine run the VM on its own CPU?
#
# A KVM device that exists may still not run a stock kernel (nested, emulated or
# restricted hosts): the guest spins or dies. So a tiny VM is booted once, and
# what came of it is remembered for this kernel image, this host and this QEMU.

# accel_probe - boot into an init that only says hello; status 0 if it did.
accel_probe() {
	local dir
	dir=$(mktemp -d "$VM_WORK/tmp.XXXXXX")
	mkdir -p "$dir/root/bin" "$dir/root/dev"
	cp "$BUSYBOX" "$dir/root/bin/busybox"
	cat >"$dir/root/init" <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox mount -t devtmpfs devtmpfs /dev
		echo alive >/dev/ttyS1
		/bin/busybox poweroff -f
	INIT
	chmod +x "$dir/root/init"
	staging_pack "$dir/root" "$dir/initrd"
	timeout -k 1 10 qemu-system-x86_64 -accel kvm -cpu host -m 512 -smp 2 \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$KERNEL_IMAGE" -initrd "$dir/initrd" -append "console=ttyS0 panic=-1" \
		-serial null -serial "file:$dir/verdict" </dev/null >/dev/null 2>&1 || true
	grep -qs '^alive' "$dir/verdict"
	local status=$?
	rm -rf "$dir"
	return $status
}

# accel_choose - print kvm or tcg.
accel_choose() {
	local key result
	if [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	key=$({
		stat -L -c '%n %s %Y' "$KERNEL_IMAGE" "$(command -v qemu-system-x86_64)"
		uname -nr
		grep -m1 '^model name' /proc/cpuinfo
	} | sha256sum | cut -c1-16)
	result=$VM_CACHE/accel-$key
	if [[ ! -s $result ]]; then
		if accel_probe; then
			echo kvm >"$result.$$"
		else
			echo tcg >"$result.$$"
		fi
		mv "$result.$$" "$result"
	fi
	cat "$result"
}
