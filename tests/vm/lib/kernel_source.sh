# shellcheck shell=bash
# shellcheck disable=SC2154,SC2153 # tests/vm/kernel sets name, here and new
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel_source.sh - a kernel built here from the distribution's source package,
# tinyconfig and a fragment. What stays is the image, BTF, and the build tree for
# external modules that the kernel's own packaging makes.

SOURCE_TOOLS=(make gcc bc bison flex libelf-dev libssl-dev dwarves xz-utils cpio rsync kmod)
# What the sources and the objects take while it is built, in MB.
SOURCE_MB=4500
# More jobs than this only make memory scarce.
SOURCE_JOBS=${JOBS:-$(nproc)}

source_key() {
	kernel_want "$name" package config
	[[ -r $here/$(kernel_get "$name" config) ]] || fail "tests/vm/kernels: $name: there is no tests/vm/$(kernel_get "$name" config)"
	echo "layout 1 $CACHE $SUITE $(kernel_get "$name" package) $(sha256sum <"$here/$(kernel_get "$name" config)" | cut -c1-16)"
}

# source_check FRAGMENT CONFIG - did every line of the fragment come true?
source_check() {
	local line option lacking=()
	while IFS= read -r line; do
		case $line in
		CONFIG_*=*) grep -qxF -- "$line" "$2" || lacking+=("$line") ;;
		'# CONFIG_'*' is not set')
			option=${line#\# }
			! grep -q "^${option%% *}=" "$2" || lacking+=("$line")
			;;
		esac
	done <"$1"
	((!${#lacking[@]})) || fail "the configuration of $name lacks what $1 asks for (dependencies?): $(printf '%s; ' "${lacking[@]}")"
}

# source_progress PID - say how far the build is, while the process is there.
source_progress() {
	local minutes=0
	while sleep 60 && kill -0 "$1" 2>/dev/null; do
		minutes=$((minutes + 1))
		say "$(grep -cE '^  (CC|AS) ' "$LOG" || true) files compiled in $minutes min"
	done
}

source_run() {
	"$@" </dev/null >>"$LOG" 2>&1 8>&-
}

source_make() {
	local package tree fragment release build pid watch status=0
	package=$(kernel_get "$name" package)
	fragment=$here/$(kernel_get "$name" config)
	own_packages "${SOURCE_TOOLS[@]}"
	require_disk "$CACHE" $SOURCE_MB
	say "fetching $package"
	mkdir "$new/debs"
	if ! download "$new/debs" "$package"; then
		own_update
		download "$new/debs" "$package" || apt_failed "download $package"
	fi
	dpkg-deb -x "$new"/debs/*.deb "$new/deb"
	rm -rf "$new/debs"
	tree=$new/linux
	mkdir "$tree"
	# Whatever is not of this architecture stays in the archive.
	tar -xf "$new"/deb/usr/src/"$package".tar.* -C "$tree" --strip-components=1 --exclude='*/Documentation/*/*' ||
		fail "the sources of $package could not be unpacked (is the disk full?)"
	rm -rf "$new/deb"

	source_run make -C "$tree" tinyconfig || fail "tinyconfig failed (log: $LOG)"
	cat "$fragment" >>"$tree/.config"
	source_run make -C "$tree" olddefconfig || fail "olddefconfig failed (log: $LOG)"
	source_check "$fragment" "$tree/.config"
	say "building $(make -s -C "$tree" kernelversion) with $SOURCE_JOBS jobs: about 1,500 files, 8 minutes on two idle CPUs; log: $LOG"
	# A make of its own, whatever jobs the one above us has.
	MAKEFLAGS='' MFLAGS='' nice make -C "$tree" -j"$SOURCE_JOBS" KBUILD_BUILD_USER=kcoro KBUILD_BUILD_HOST=kcoro \
		bzImage modules </dev/null >>"$LOG" 2>&1 8>&- &
	pid=$!
	source_progress $pid 8>&- &
	watch=$!
	# shellcheck disable=SC2064 # now
	trap "kill $pid $watch 2>/dev/null; wait; rm -rf '$new' '$APT_DIR'" EXIT
	wait $pid || status=$?
	kill $watch 2>/dev/null || true
	((!status)) || fail "$name does not compile: $(grep -E '(error|Error)' "$LOG" | head -n 1) (log: $LOG)"
	trap 'rm -rf "$new" "$APT_DIR"' EXIT

	release=$(<"$tree/include/config/kernel.release")
	build=usr/src/linux-headers-$release
	source_run make -C "$tree" INSTALL_MOD_PATH="$new" modules_install || fail "modules_install failed (log: $LOG)"
	source_run make -C "$tree" run-command \
		KBUILD_RUN_COMMAND="\$(srctree)/scripts/package/install-extmod-build $new/$build" ||
		fail "the build tree for modules could not be made (log: $LOG)"
	mkdir -p "$new/boot"
	cp "$tree/arch/x86/boot/bzImage" "$new/boot/vmlinuz-$release"
	cp "$tree/System.map" "$new/boot/System.map-$release"
	cp "$tree/.config" "$new/$build/.config"
	# BTF is all that a module's build reads of it.
	source_run objcopy --only-section=.BTF "$tree/vmlinux" "$new/$build/vmlinux" ||
		fail "vmlinux has no BTF (log: $LOG)"
	rm -rf "$tree"
	ln -sfn "../../../$build" "$new/lib/modules/$release/build"
	echo "$release" >"$new/release"
}
