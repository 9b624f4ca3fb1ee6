// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * first_filter - says who knocks at UDP ports 7001, 7002, 7003, in this order and
 * each within a second of the one before.
 *
 * The body lives longer than one packet: each source has a coroutine of its own,
 * whose frame waits in the table for the source's next packet.
 */
#include <vmlinux.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <kcoro.bpf.h>
#include "table.bpf.h"
#include "udp.h"

/* A body is a switch that goes on at the line where it stopped. */
#define COROUTINE(me) switch ((me)->line) case 0:
#define NEXT_PACKET(me) do { (me)->line = __LINE__; return WAITING; case __LINE__:; } while (0)

enum result { WAITING, WRONG, RIGHT };

struct knock { __u32 line; };	/* the frame: what lives from one packet to the next */
KCORO_TABLE(knocks, __u32, struct knock, 1024)

static enum result body(struct knock *me, __u16 port)
{
	COROUTINE (me) {
		if (port != 7001) return WRONG;
		NEXT_PACKET(me);
		if (port != 7002) return WRONG;
		NEXT_PACKET(me);
		if (port != 7003) return WRONG;
	}
	return RIGHT;
}

SEC("tcx/ingress")
int first_filter(struct __sk_buff *skb)
{
	struct kcoro_enter_opts opts = { .flags = KCORO_ENTER_CREATE };
	enum result result = WRONG;
	struct kcoro_entry *entry;
	struct knock *me;
	__u32 source;
	__u16 port;

	if (!udp_read(skb, &source, &port))
		return TCX_NEXT;
	entry = bpf_kcoro_table_enter(knocks_id, &source, sizeof(source), &opts, sizeof(opts));
	if (!entry)
		return TCX_NEXT;
	me = (struct knock *)bpf_kcoro_frame_data(&entry->frame, sizeof(*me));
	if (me)
		result = body(me, port);
	if (result == WAITING)
		bpf_kcoro_table_leave(entry, 1000000000 /* ns: then the table ends it */);
	else
		bpf_kcoro_table_end(entry);
	if (result == RIGHT)
		bpf_printk("%pI4 knocked", &source);
	return TCX_NEXT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
