# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernels.sh - reads tests/vm/kernels: KERNELS has the names in their order, the
# default one first, and kernel_get NAME KEY prints a value.

KERNELS=()
declare -A kernel_values=()

# kernel NAME KEY=VALUE... - one entry.
kernel() {
	local name=$1 field
	shift
	[[ $name =~ ^[a-z0-9][a-z0-9.-]*$ ]] || fail "tests/vm/kernels: \"$name\" cannot be a name"
	[[ " ${KERNELS[*]-} " != *" $name "* ]] || fail "tests/vm/kernels: there are two kernels called $name"
	KERNELS+=("$name")
	for field; do
		[[ ${field%%=*} =~ ^(from|suite|flavour|root|compiler|package|config|append|cpu|memory|time_factor|notes)$ && $field == *=* ]] ||
			fail "tests/vm/kernels: $name: what is \"$field\"?"
		kernel_values[$name/${field%%=*}]=${field#*=}
	done
}

kernel_get() { echo "${kernel_values[$1/$2]-}"; }

# kernel_want NAME KEY... - these must have been given.
kernel_want() {
	local name=$1 key
	shift
	for key; do
		[[ -n $(kernel_get "$name" "$key") ]] || fail "tests/vm/kernels: $name needs $key="
	done
}

# kernels_read - read the file.
kernels_read() {
	# shellcheck source=tests/vm/kernels
	# shellcheck disable=SC2154 # who sources this sets top
	. "$top/tests/vm/kernels"
	[[ -n ${KERNELS[*]-} && $(kernel_get "${KERNELS[0]}" from) == setup ]] ||
		fail "tests/vm/kernels: the first kernel must be the default, from=setup"
}

# kernel_exists NAME - or end with the list of those that do.
kernel_exists() {
	[[ " ${KERNELS[*]} " == *" $1 "* ]] ||
		fail "there is no kernel \"$1\"; tests/vm/kernels has ${KERNELS[*]}"
}
