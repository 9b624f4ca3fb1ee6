# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# apt.sh - asks apt and never the user.
#
# Versions and sites come from apt. What another suite has is asked for at the
# site that the machine already uses, with lists of our own in the cache and the
# Debian keyring to verify them: the machine's package sources stay as they are.

LOCK_SECONDS=900

# Apt waits for dpkg's lock in silence, and for others not at all: run_apt waits.
APT_QUIETLY=(-o APT::Get::Assume-Yes=true -o DPkg::Lock::Timeout=2
	-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0
	-o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)

# as_root COMMAND... - directly or through sudo; a proxy in the environment stays.
as_root() {
	local proxy=()
	if (($(id -u) == 0)); then
		"$@"
		return
	fi
	mapfile -t proxy < <(env | grep -iE '^(https?|ftp|no)_proxy=' || true)
	sudo env ${proxy[@]+"${proxy[@]}"} "$@"
}

# need_root - stop now, with one line, if root is out of reach.
need_root() {
	(($(id -u))) || return 0
	command -v sudo >/dev/null ||
		fail "packages must be installed: run this as root, or install sudo and try again"
	# A password may be asked only where somebody can type it.
	sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; } ||
		fail "packages must be installed, and sudo wants a password: run \"sudo -v\" first, or this as root"
}

# run_apt COMMAND... - with its output in the log, and the last one's in LOG.last.
# Waits while another apt holds a lock.
run_apt() {
	local deadline=$((SECONDS + LOCK_SECONDS)) said='' status
	while :; do
		status=0
		# Not our lock: a service that a package starts would keep it.
		LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" </dev/null >"$LOG.last" 2>&1 9>&- || status=$?
		cat "$LOG.last" >>"$LOG"
		((status)) || return 0
		grep -qE 'Could not get lock|Unable to lock' "$LOG.last" || return "$status"
		((SECONDS < deadline)) || fail "another apt has held its lock for $((LOCK_SECONDS / 60)) minutes: try again when it is done"
		[[ -n $said ]] || say "another apt is at work: waiting for it"
		said=1
		sleep 3
	done
}

apt_root() { run_apt as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get "${APT_QUIETLY[@]}" "$@"; }

NO_NETWORK='Temporary failure resolving|Could not resolve|Could not connect|Cannot initiate the connection'
NO_NETWORK+='|Connection (failed|timed out|refused)|Network is unreachable|Unable to connect'

# apt_failed WHAT - end with one line: no network, or what apt said.
apt_failed() {
	local reason
	if grep -qE "$NO_NETWORK" "$LOG.last"; then
		fail "no network: apt cannot reach $(apt_site), which is needed to $1 (log: $LOG)"
	fi
	reason=$(grep -E '^E: ' "$LOG.last" | tail -n 1)
	fail "apt could not $1: ${reason#E: } (log: $LOG)"
}

# apt_site - the site of this machine's own suite.
apt_site() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(SITE) $(COMPONENT) $(RELEASE) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
		awk -v suite="$SUITE" '$2 == "main" && ($3 == suite || $4 == suite) && $1 !~ /^cdrom:/ { print $1; exit }'
}

own_lists_are_new=''
# own_update - fresh lists of the machine's own sources. A source that does not
# answer is no error here: what counts is whether the packages can be had.
own_update() {
	[[ -z $own_lists_are_new ]] || return 0
	need_root
	say "asking apt for its package lists"
	apt_root update || apt_failed "read its package lists"
	own_lists_are_new=1
	# apt calls this a success. That another source of this machine may be out of
	# reach is not our affair.
	if grep -E '^(W|E|Err): ?' "$LOG.last" | grep -E "$NO_NETWORK" | grep -qF "$(apt_site)"; then
		apt_failed "install what is missing"
	fi
}

# foreign_init SUITE - from here on ask_apt and get_apt speak of this suite, or of
# the machine's own sources when it is empty.
FOREIGN=()
foreign_init() {
	local site keyring dir=${APT_DIR:-$CACHE/apt}/$1
	FOREIGN=()
	[[ -n $1 ]] || return 0
	site=$(apt_site)
	[[ -n $site ]] || fail "apt has no network source for $SUITE main: add one to /etc/apt/sources.list (man sources.list)"
	for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} ''; do
		[[ -n $keyring && ! -r $keyring ]] || break
	done
	[[ -n $keyring ]] || fail "the package debian-archive-keyring is missing: nothing can be verified"
	mkdir -p "$dir"/{lists/partial,cache/archives/partial}
	echo "deb [signed-by=$keyring] $site $1 main" >"$dir/sources.list"
	FOREIGN=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=)
	say "asking apt for the list of $1"
	run_apt apt-get "${APT_QUIETLY[@]}" "${FOREIGN[@]}" -o APT::Update::Error-Mode=any update ||
		apt_failed "read the list of $1"
}

# machine_suites - SUITE and name (MACHINE) of this machine, and where what it is too old for
# comes from: OTHER_SUITE, empty if the machine's own suite has it.
machine_suites() {
	[[ -x /usr/bin/apt-get && -r /etc/os-release ]] ||
		fail "this is no Debian; see \"Supported kernels\" in README.md for what is needed"
	# shellcheck disable=SC1091
	. /etc/os-release
	[[ $(dpkg --print-architecture) == amd64 ]] || fail "kcoro supports amd64, this is $(dpkg --print-architecture)"
	SUITE=${VERSION_CODENAME-}
	MACHINE=${PRETTY_NAME-Debian}
	# shellcheck disable=SC2034 # for those who source this
	case $ID/$SUITE in
	debian/bookworm) OTHER_SUITE=$SUITE-backports ;;
	debian/trixie) OTHER_SUITE='' ;;
	*) fail "set-up knows Debian 12 and 13, not $MACHINE: install the packages in tests/setup/packages, and build with make KDIR=" ;;
	esac
}

# missing_packages PACKAGE... - those that are not installed.
missing_packages() {
	{ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
		sed -n 's/^installed //p' | sort -u | comm -13 - <(printf '%s\n' "$@" | sort -u)
}

# show_field PACKAGE FIELD - of the version that apt would take.
show_field() {
	apt-cache ${FOREIGN[@]+"${FOREIGN[@]}"} show --no-all-versions "$1" 2>/dev/null |
		sed -n "s/^$2: //p" | head -n 1
}

# download DIR PACKAGE... - the .deb files, verified by apt, into an empty DIR.
download() {
	local dir=$1
	shift
	(cd "$dir" && run_apt apt-get "${APT_QUIETLY[@]}" ${FOREIGN[@]+"${FOREIGN[@]}"} -o APT::Sandbox::User= download "$@")
}
