# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# topology.sh - two network namespaces joined by veth, the module and the filter;
# sourced by what runs in the VM.
#
#      namespace "client"                    the first namespace
#   +----------------------+             +------------------------+
#   |  c0  10.9.0.2/24     |    veth     |  10.9.0.1/24       s0  |  <- the filter
#   |      fd09::2/64      |-------------|  fd09::1/64            |
#   +----------------------+             +------------------------+
#
# The server stands where the commands run, so that pins in bpffs are seen by all.

# shellcheck source=tests/vm/guest.sh
. /vm/guest.sh

PATH=/kcoro:$PATH
kcoro_root=/sys/fs/bpf/kcoro
pins='' # of the filter; set by attach_sni
export pins # for those who source this

topology_up() {
	ip netns add client
	ip link add s0 address 02:00:00:00:09:01 type veth \
		peer name c0 address 02:00:00:00:09:02 netns client
	offloads off
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

# t0 and t1, 10.9.1.1 and 10.9.1.2: the same two namespaces, joined without Ethernet.
topology_tun() {
	local i
	mkdir -p /dev/net
	[[ -c /dev/net/tun ]] || mknod /dev/net/tun c 10 200
	tun_relay >/tmp/tun_relay &
	for ((i = 0; i < 50; i++)); do
		grep -q ready /tmp/tun_relay && break
		sleep 0.1
	done
	ip address add 10.9.1.1/24 dev t0
	ip link set t0 up
	in_client ip address add 10.9.1.2/24 dev t1
	in_client ip link set t1 up
	in_client ip route change 10.9.1.0/24 dev t1 initcwnd 200
}

# What crafted sends comes from addresses that are nobody's, in VLANs too:
# 100, and 200 inside 100.
topology_crafted() {
	ip link add link s0 name s0.100 type vlan id 100
	ip link add link s0.100 name s0.200 type vlan id 200
	ip address add 10.9.100.1/24 dev s0.100
	ip -6 address add fd09:100::1/64 dev s0.100 nodad
	ip address add 10.9.200.1/24 dev s0.200
	ip link set s0.100 up
	ip link set s0.200 up
	local where
	for where in 10.9.0.9:s0 10.9.100.9:s0.100 10.9.200.9:s0.200; do
		ip neigh replace "${where%%:*}" lladdr 02:00:00:00:09:02 dev "${where#*:}"
	done
	ip -6 neigh replace fd09::9 lladdr 02:00:00:00:09:02 dev s0
	ip -6 neigh replace fd09:100::9 lladdr 02:00:00:00:09:02 dev s0.100
}

# offloads off / what goes over the wire is what TCP cut, one segment per packet.
# offloads on / large packets, as a server with a good network card sees them.
offloads() {
	ethtool -K s0 tso "$1" gso "$1" gro "$1" >/dev/null
	in_client ethtool -K c0 tso "$1" gso "$1" gro "$1" >/dev/null
}

# mtu BYTES / of both ends.
mtu() {
	ip link set s0 mtu "$1"
	in_client ip link set c0 mtu "$1"
}

# By its path: busybox's nsenter would take its own ip for "ip".
in_client() {
	nsenter --net=/run/netns/client "$(type -P "$1")" "${@:2}"
}

# Loads the module. While latency is attached, the frame counters stay pinned.
module_up() {
	insmod /kcoro/kcoro.ko
	kcoro attach latency >&2
}

# attach_sni OPTION... / attaches the filter; $pins is the folder of its pins.
attach_sni() {
	local dirs
	kcoro attach sni "$@" >&2 || return
	dirs=("$kcoro_root"/sni/*)
	pins=${dirs[0]}
}

# The module's frame counters through bpftool: "allocated freed", over all levels and classes.
frames() {
	cat "$kcoro_root/stats" >/dev/null
	bpftool map dump pinned "$kcoro_root/frames" | awk -F'[:,]' '
		/"allocs"/ { allocated += $2 }
		/"frees"/ { freed += $2 }
		END { print allocated + 0, freed + 0 }'
}

# Detaches the filter. Frames and table go a little later; no frame may be left.
detach_sni() {
	local allocated=0 freed=-1 i
	kcoro detach sni >&2 || return
	for ((i = 0; i < 300; i++)); do
		read -r allocated freed < <(frames)
		((allocated != freed)) || break
		sleep 0.1
	done
	echo "frames: $allocated allocated, $freed freed"
	((allocated > 0 && allocated == freed))
}

module_down() {
	kcoro detach --all >&2 && unload
}
