# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# splat.sh - what in a kernel log means that the kernel itself is unhappy.
#
# A splat fails a run whose command passed, without exception. What is chance is in
# slips.sh, and is given another try.

# At the start of a message; elsewhere these words are harmless ("MDS: WARNING").
SPLAT_AT_START=(
	'WARNING: '
	'BUG: '
	'UBSAN: '
	'ODEBUG: '
	'INFO: task .* blocked for more than'
	'INFO: trying to register non-static key'
	'INFO: rcu_.* detected'
	'list_(add|del) corruption'
	'stack segment: '
	'double fault: '
	'int3: '
	'divide error: '
	'invalid opcode: '
	'page_pool_release_retry\(\) stalled'
)

# Anywhere in a line.
SPLAT_ANYWHERE=(
	'Call Trace:'
	'Oops: '
	'Kernel panic - not syncing'
	'kernel BUG at '
	'general protection fault'
	'BUG: (KASAN|KCSAN|KFENCE|KMSAN|unable to handle|scheduling while atomic|sleeping function|spinlock|soft lockup|workqueue lockup)'
	'watchdog: .*(hard|soft) LOCKUP|soft lockup - CPU'
	'rcu: INFO: rcu_.* (detected|self-detected)'
	'rcu: .* kthread (timer wakeup didn.t happen|starved)'
	'(possible|inconsistent) (recursive locking|circular locking|irq lock inversion|lock state)'
	'lock held when returning to user space'
	'suspicious RCU usage'
	'DEBUG_LOCKS_WARN_ON'
	'refcount_t: '
	'unregister_netdevice: waiting for'
	'kmemleak: [0-9]+ new suspected memory leaks'
	'Objects remaining in .* on __kmem_cache_shutdown'
	'page allocation failure'
	'Out of memory: Killed process'
	'unchecked MSR access error'
	'irq [0-9]+: nobody cared'
	'bad: scheduling from the idle thread'
	'Bad page (state|map)'
	# Ours: misuse that frame_debug=1 found, a pool that ends with frames in use, and
	# a pool or a scope that its creator forgot.
	'kcoro: frame error: '
	'kcoro: pool ".*" destroyed with -?[0-9]+ live'
	'kcoro: (pool|scope) ".*" was not destroyed by its creator'
)

# splat_find LOG - print the lines that are splats; status 1 when there is none.
# What init asks the kernel to print shortly before the time limit is not one.
splat_find() {
	local IFS='|'
	sed '/kcoro-vm: the time limit is near/,$d' "$1" | tr -d '\r' |
		grep -aE "^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? (${SPLAT_AT_START[*]})|${SPLAT_ANYWHERE[*]}"
}
