# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# plan.sh - how much there is to do, said and checked before it is done.

# sizes - megabytes to download and megabytes unpacked, of the packages named on
# standard input.
sizes() {
	xargs -r apt-cache ${FOREIGN[@]+"${FOREIGN[@]}"} show --no-all-versions 2>/dev/null |
		awk '/^Size: / { get += $2 } /^Installed-Size: / { put += $2 }
			END { printf "%d %d\n", get / 1048576 + 1, put / 1024 + 1 }'
}

# with_dependencies PACKAGE... - what apt would install or upgrade for these.
with_dependencies() {
	LC_ALL=C apt-get "${APT_QUIETLY[@]}" --no-install-recommends -s install "$@" 2>"$LOG.last" |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# would_remove PACKAGE... - what apt would take away for these.
would_remove() {
	LC_ALL=C apt-get "${APT_QUIETLY[@]}" --no-install-recommends -s install "$@" 2>/dev/null |
		sed -n 's/^Remv \([^ ]*\) .*/\1/p' | xargs
}

# minutes MB-TO-DOWNLOAD MB-UNPACKED - a guess, at 5 MB/s and 12 MB/s.
minutes() { echo $((($1 / 5 + $2 / 12) / 60 + 1)); }

# require_disk PATH MB PATH MB - stop if a file system has less than its share.
require_disk() {
	local path mb device free
	local -A need=() where=()
	while (($#)); do
		path=$1 mb=$2
		shift 2
		while [[ ! -e $path ]]; do path=$(dirname "$path"); done
		device=$(stat -c %d "$path")
		need[$device]=$((${need[$device]-0} + mb))
		where[$device]=$path
	done
	for device in "${!need[@]}"; do
		free=$(df -Pm "${where[$device]}" | awk 'NR == 2 { print $4 }')
		((free >= need[$device])) ||
			fail "the disk is too small: ${need[$device]} MB are needed at ${where[$device]}, $free MB are free (KCORO_CACHE=DIR puts the cache elsewhere)"
	done
}
