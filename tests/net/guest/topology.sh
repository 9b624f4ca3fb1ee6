# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# topology.sh - two network namespaces joined by veth; sourced by what runs in the VM.
#
#      namespace "client"                    the first namespace
#   +----------------------+             +------------------------+
#   |  c0  10.9.0.2/24     |    veth     |  10.9.0.1/24       s0  |  <- the filter (ingress)
#   |      fd09::2/64      |-------------|  fd09::1/64            |
#   +----------------------+             +------------------------+
#
# The server stands where the commands run, so that pins in bpffs are seen by all.

kcoro_root=/sys/fs/bpf/kcoro

topology_up() {
	ip netns add client
	ip link add s0 type veth peer name c0 netns client
	# What goes over the wire shall be what TCP cut, one segment per packet.
	ethtool -K s0 tso off gso off gro off >/dev/null
	in_client ethtool -K c0 tso off gso off gro off >/dev/null
	ip address add 10.9.0.1/24 dev s0
	ip -6 address add fd09::1/64 dev s0 nodad
	ip link set s0 up
	in_client ip address add 10.9.0.2/24 dev c0
	in_client ip -6 address add fd09::2/64 dev c0 nodad
	in_client ip link set lo up
	in_client ip link set c0 up
	# The whole hello leaves at once, also in the smallest segments.
	in_client ip route change 10.9.0.0/24 dev c0 initcwnd 200
	in_client ip -6 route replace fd09::/64 dev c0 metric 100 initcwnd 200
}

# By its path: busybox's nsenter would take its own ip for "ip".
in_client() {
	nsenter --net=/run/netns/client "$(type -P "$1")" "${@:2}"
}

topology_down() {
	ip link delete s0
	ip netns delete client
}

# Attaches the filter and prints the folder of its pins.
attach_sni() {
	kcoro attach sni "$@" >&2
	local pins=("$kcoro_root"/sni/*)
	echo "${pins[0]}"
}

# Detaches everything, then compares what the module's counters say, through bpftool.
# The frames leave the table a little later than the filter its interface.
detach_all() {
	kcoro detach --all >&2
}
