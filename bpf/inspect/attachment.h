/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attachment.h - what is known of one attached filter: the only element of the map
 * `attachment` that is pinned beside the filter's links.
 */
#ifndef KCORO_ATTACHMENT_H
#define KCORO_ATTACHMENT_H

#define ATTACHMENT_IFNAME 16

enum attachment_mode {
	ATTACHMENT_TC,
	ATTACHMENT_XDP,
	ATTACHMENT_XDP_GENERIC,
};

enum attachment_direction {
	ATTACHMENT_INGRESS,
	ATTACHMENT_EGRESS,
	ATTACHMENT_BOTH,
};

enum attachment_on_full {
	ATTACHMENT_OPEN,	/* what can't be judged passes */
	ATTACHMENT_CLOSED,	/* what can't be judged is dropped */
};

struct attachment {
	char interface[ATTACHMENT_IFNAME]; /* its name when the filter was attached */
	__u32 ifindex;
	enum attachment_mode mode;
	enum attachment_direction direction;
	enum attachment_on_full on_full;
	__u32 port;		/* 0: all */
	__u32 max_flows;
	__u64 netns_inode;	/* of the network namespace that ifindex belongs to */
	__u64 pool_id;		/* of the flows' frames */
	__u64 timeout_ns;	/* how long an answer is awaited; 0: the filter awaits none */
	__u32 limit;		/* half-open handshakes of a source; 0: none */
	__u32 reserved;		/* 0 */
};

#endif /* KCORO_ATTACHMENT_H */
