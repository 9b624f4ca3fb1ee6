# SPDX-License-Identifier: GPL-2.0-only
# guest.sh - sourced by the scripts that run inside the VM.
# shellcheck shell=bash

kcoro_dir=/kcoro

# ok NAME COMMAND... / the case is passed when the command is.
ok() {
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "not ok $name"
		failed=1
	fi
}
failed=0

# Programs and maps that were left go a little later; so does their hold on the module.
unload() {
	local i
	for ((i = 0; i < 100; i++)); do
		rmmod kcoro 2>/dev/null && return 0
		sleep 0.1
	done
	rmmod kcoro
}
