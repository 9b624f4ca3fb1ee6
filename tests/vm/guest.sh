# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# guest.sh - for scripts that run inside the VM; the runner puts it there. They say
# `. /vm/guest.sh`, and end with `exit $failed`.

failed=0
export failed # for those who source this

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

# Programs and maps that were left go a little later; so does their hold on the module.
unload() {
	local i
	for ((i = 0; i < 300; i++)); do
		rmmod kcoro 2>/dev/null && return 0
		sleep 0.1
	done
	rmmod kcoro
}

# memory_group NAME / a new memory cgroup, $group, with nobody in it and no limit yet.
memory_group() {
	local root=/tmp/cgroup
	group=$root/$1
	export group # for those who source this
	grep -q " $root " /proc/mounts || { mkdir -p "$root" && mount -t cgroup2 none "$root"; } || return 1
	echo +memory >"$root/cgroup.subtree_control" && mkdir -p "$group"
}
