# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# slips.sh - complaints of a kernel that are chance, and the fault of nothing in here.
#
# A run whose first complaint is one of these is made again, at most twice, and that is
# told; one that comes each time fails the run as all others do. Each is known by its
# words and its place, and stands here with its reason. Needs splat.sh.

# slip_find LOG ACCEL CPU - is the log's first complaint a slip? Prints what it was; status 1
# when it was none. ACCEL is tcg or kvm, CPU what QEMU has as -cpu.
slip_find() {
	local log first before after
	first=$(splat_find "$1" | sed -n 1p)
	[[ -n $first ]] || return 1
	log=$(tr -d '\r' <"$1")
	before=${log%%"$first"*}
	after=${log#"$before"}

	if [[ $2 == tcg && $before != *'kcoro-vm: the command starts'* ]]; then
		# One of the following, or a CPU that the host did not run for long. Nothing of
		# ours has run, so that another try hides nothing.
		echo "the emulated kernel complained while it booted: ${first#*] }"
		return
	fi
	# The kernel itself never sets NT or IOPL, which the flags of the cmpxchg16b below can
	# bring; the direction flag comes along, and what is cleared or copied goes wrong.
	# A CPU without that instruction has no such excuse.
	if [[ $2 == tcg && ($3 != *cx16=off* || $3 == *cx16=on*) && $after =~ RSP:\ 0018:[0-9a-f]+\ EFLAGS:\ ([0-9a-f]{8}) ]] &&
		((0x${BASH_REMATCH[1]} & 0x7000)); then
		echo "the emulated kernel went on with flags that it never sets: ${BASH_REMATCH[1]}"
		return
	fi
	case $first in
	*' int3: '*)
		# Emulated CPUs that run in parallel now and then execute the breakpoint with
		# which the kernel patches its code, after it is gone: the code has none (cc).
		[[ $2 == tcg && $(code_before "$after") =~ [0-9a-f]{2}$ && ${BASH_REMATCH[0]} != cc ]] || return 1
		echo "the emulated kernel met a breakpoint that is not there"
		;;
	*' at arch/x86/kernel/traps.c:'*' exc_debug_kernel+'*)
		# QEMU 7 computes the flags of cmpxchg16b from what CC_OP was before the
		# instructions that precede it (gen_helper_cmpxchg16b* without gen_update_cc_op).
		# An interrupt that comes next saves them, and TF may be among them: the kernel
		# steps the second instruction behind. Only kprobes set TF, and take their trap.
		# Only with --icount and on kernels that need it has the emulated CPU a cmpxchg16b.
		[[ $2 == tcg && $after == *' asm_exc_debug+'* ]] || return 1
		[[ $(code_before "${after#* asm_exc_debug+}") =~ ' 48 0f c7 '[0-9a-f]{2}( [0-9a-f]{2}){0,16}$ ]] ||
			return 1
		echo "the emulated kernel single-stepped behind a cmpxchg16b"
		;;
	*' WARNING: CPU: '*' at kernel/sched/deadline.c:'*)
		# 6.12's deadline server loses count of its bandwidth when a CPU goes offline,
		# warns, and puts it right. SCHED_WARN_ON() prints what it tests.
		[[ ${before%$'\n'} == *'] dl_rq->running_bw > old' && $before == *' smpboot: CPU '[0-9]*' is now offline'* ]] ||
			return 1
		echo "the kernel's deadline server lost count when a CPU went offline"
		;;
	*' WARNING: CPU: '*' at kernel/sched/core.c:'*' sched_cpu_dying+'*)
		# 6.12 counts the deadline server among a CPU's runnable tasks (inc_dl_tasks())
		# and, when the CPU dies, looks whether its last task is alone before it stops
		# the server. Who else is there is printed behind the warning, which ends the run.
		[[ ${before%$'\n'} == *'] Dying CPU not properly vacated!' ]] || return 1
		echo "the kernel took its deadline server for a task of a CPU that goes offline"
		;;
	*' WARNING: CPU: '*' at arch/x86/kernel/apic/ipi.c:'*' native_smp_send_reschedule+'*)
		# The other CPUs have been stopped to switch the machine off, and are no longer
		# online; whoever wakes a task that was on one of them is told so.
		[[ $before == *' reboot: Power down'* &&
			${before%$'\n'} == *'] sched: Unexpected reschedule of offline CPU#'* ]] || return 1
		echo "the kernel woke a task on a CPU that had been switched off with the machine"
		;;
	*) return 1 ;;
	esac
}

# code_before TEXT - the bytes before the instruction at which the first dump was made.
code_before() {
	sed -nE '/\] Code: /{s/.*\] Code: (.*) <[0-9a-f]{2}>.*/\1/p;q}' <<<"$1"
}
