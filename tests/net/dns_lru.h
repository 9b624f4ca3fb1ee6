/* SPDX-License-Identifier: GPL-2.0-only */
/* dns_lru.h - what dns_lru.bpf.c and dns_lru.cc agree on. */
#ifndef KCORO_TEST_DNS_LRU_H
#define KCORO_TEST_DNS_LRU_H

struct dns_lru_counters {
	__u64 queries;
	__u64 answers;
	__u64 matched;	/* answers whose query was still in the map */
};

#endif /* KCORO_TEST_DNS_LRU_H */
