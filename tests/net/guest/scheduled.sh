# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# scheduled.sh - filters whose coroutines are scheduled, their counters and what they leave;
# sourced behind topology.sh. kind=NAME before.

# attach OPTION... / attaches the filter with the counters of frames as they are now.
attach() {
	read -r allocated_before freed_before < <(frames)
	kcoro attach "$kind" "$@" >&2
}

# status POINTER / what the JSON pointer names in the filter's part of kcoro status.
status() {
	kcoro -j status | json_check "/$kind/0/$1"
}

# is POINTER VALUE [POINTER VALUE...] / all are so at once, within a time that is enough on a
# busy machine.
is() {
	local end=$((SECONDS + 45)) wanted=("$@") got i
	while ((SECONDS < end)); do
		kcoro -j status >/tmp/status
		for ((i = 0; i < $#; i += 2)); do
			got=$(json_check "/$kind/0/${wanted[i]}" </tmp/status)
			[[ $got == "${wanted[i + 1]}" ]] || break
		done
		((i < $#)) || return 0
		sleep 0.2
	done
	echo "${wanted[i]}: $got instead of ${wanted[i + 1]}"
	kcoro status
	return 1
}

# detach / detaches the filter: coroutines ran, and none of their frames is left.
detach() {
	local allocated freed i
	kcoro detach "$kind" >&2 || return
	for ((i = 0; i < 100; i++)); do
		read -r allocated freed < <(frames)
		((allocated - allocated_before != freed - freed_before)) || break
		sleep 0.1
	done
	echo "frames: $((allocated - allocated_before)) allocated, $((freed - freed_before)) freed"
	((allocated > allocated_before && allocated - allocated_before == freed - freed_before))
}

# listening PORT... / a server for them, wherever the command given by $in runs.
listening() {
	local i
	${in-} handshake_peer listen "$@" &
	servers+=($!)
	for ((i = 0; i < 50; i++)); do
		[[ $(${in-} handshake_peer connect ::1 "$1" 1) == 1 ]] && return
		sleep 0.1
	done
}
servers=()
trap '((${#servers[@]})) && kill "${servers[@]}" 2>/dev/null' EXIT
