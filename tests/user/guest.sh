# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034 # what sources this uses the variables
#
# guest.sh - sourced by the scripts of this folder that run inside the VM.

kcoro=/kcoro/kcoro
pins=/sys/fs/bpf/kcoro
failed=0

# result NAME STATUS - the case is passed when the status is 0; shows the output if not.
result() {
	if (($2 == 0)); then
		echo "ok $1"
		return
	fi
	echo "not ok $1"
	sed 's/^/  | /' /tmp/out /tmp/err
	failed=1
}

# ok NAME COMMAND... - the case is passed when the command is.
ok() {
	local name=$1 status=0
	shift
	"$@" >/tmp/out 2>/tmp/err || status=$?
	result "$name" "$status"
}

# run ARG... - runs kcoro; output in /tmp/out and /tmp/err, status in $status.
run() {
	status=0
	"$kcoro" "$@" >/tmp/out 2>/tmp/err || status=$?
}

# expect NAME STATUS PATTERN ARG... - kcoro ends with the status and prints the pattern;
# an error is one line on standard error, and in JSON an object with "error" on standard
# output.
expect() {
	local name=$1 want=$2 pattern=$3
	shift 3
	run "$@"
	if ((status != want)); then
		echo "status $status instead of $want" >>/tmp/err
	elif ! grep -qE -- "$pattern" /tmp/out /tmp/err; then
		echo "nothing printed matches: $pattern" >>/tmp/err
	elif ((want == 0)) && [[ -s /tmp/err ]]; then
		echo "something on standard error, though all went well" >>/tmp/err
	elif ((want != 0)) && [[ ${1-} != doctor ]] && ! error_is_well_formed "$@"; then
		echo "the error is not one line, or not JSON with -j" >>/tmp/err
	else
		result "$name" 0
		return
	fi
	result "$name" 1
}

error_is_well_formed() {
	[[ ! -s /tmp/out && $(wc -l </tmp/err) == 1 ]] || return 1
	"$kcoro" -j "$@" 2>/tmp/err.json | /kcoro/json_check /error >/tmp/message || return 1
	[[ ! -s /tmp/err.json && "kcoro: $(cat /tmp/message)" == "$(cat /tmp/err)" ]]
}

# value POINTER ARG... - what the JSON pointer names in kcoro's output.
value() {
	local pointer=$1
	shift
	"$kcoro" -j "$@" | /kcoro/json_check "$pointer"
}

# eventually COMMAND... - true as soon as the command is, within 30 seconds.
eventually() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

no_bpf_left() {
	[[ ! -e $pins && -z $(bpftool link list) && -z $(bpftool map list) &&
		-z $(bpftool prog list) ]]
}

# Nothing is pinned, no BPF object lives, and nothing holds the module.
nothing_left() {
	eventually no_bpf_left || {
		ls -R "$pins"
		bpftool link list
		bpftool map list
		bpftool prog list
		return 1
	}
	eventually unheld || {
		echo "kcoro's reference count is $(cat /sys/module/kcoro/refcnt)"
		return 1
	}
}

# A program's hold on the module ends after its id is gone, by a grace period and a work item.
unheld() {
	[[ $(cat /sys/module/kcoro/refcnt) == 0 ]]
}

# attempt SECONDS NAME [ADDRESS] - true when a TLS connection under that name comes about in
# that time. Each has a server of its own: one that waits for a blocked hello serves nobody else.
attempt() {
	local server status=0

	[[ -s /tmp/cert ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 1 -subj /CN=test -keyout /tmp/key -out /tmp/cert 2>/dev/null
	openssl s_server -quiet -accept 443 -key /tmp/key -cert /tmp/cert >/dev/null 2>&1 </dev/null &
	server=$!
	eventually listening
	timeout "$1" openssl s_client -connect "${3:-127.0.0.1}:443" -servername "$2" \
		</dev/null 2>/dev/null | grep -q 'BEGIN CERTIFICATE' || status=1
	kill "$server"
	wait "$server" 2>/dev/null
	return "$status"
}

# Who may pass has time to: a busy machine is no block.
connect() {
	attempt 30 "$@"
}

# A debug kernel needs seconds to begin.
blocked_after=3
[[ ! -e /proc/lockdep ]] || blocked_after=20

refused() {
	! attempt "$blocked_after" "$@"
}

listening() {
	ss -ltn | grep -q :443
}
