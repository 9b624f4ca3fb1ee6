/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * message.h - reads DNS messages (RFC 1035) from a stream of them: each has its length in
 * front, as TCP has it.
 *
 * Plain C for BPF and for user space (C and C++). Whoever includes it brings __u8 .. __u32
 * along.
 *
 * Of a message it wants the id, the flags and the first question, which tell a query and its
 * answer: DNS_FOUND says that they are there, and the next call goes on. The rest passes. So
 * nobody has to understand records, compression or EDNS.
 */
#ifndef KCORO_DNS_MESSAGE_H
#define KCORO_DNS_MESSAGE_H

#include <kcoro_body.h>

#ifdef __BPF__
/* A global function: the verifier looks at it once, not at every call. */
#define DNS_BODY __attribute__((noinline))
#define DNS_NONNULL __arg_nonnull
#else
#define DNS_BODY static __attribute__((noinline, unused))
#define DNS_NONNULL
#endif

#define DNS_FLAG_ANSWER		0x8000
#define DNS_FLAGS_RCODE		0x000f
#define DNS_NAME_MAX		255	/* bytes of a name, lengths included (RFC 1035) */
#define DNS_LABEL_MAX		63
#define DNS_HEADER		12

enum dns_result {
	DNS_MORE = KCORO_BODY_SUSPENDED,
	DNS_FOUND,		/* m->id, m->flags, m->question; there may be more messages */
	DNS_MALFORMED,
};

/* State of the stream; zero at first. */
struct dns_message {
	struct kcoro_body body;
	__u16 left;		/* bytes of the message behind what was read or claimed */
	__u16 id;
	__u16 flags;
	__u16 questions;
	__u32 question;		/* hash of the first one: name, type, class; 0: there is none */
	__u32 type_class;
	__u8 low;
	__u8 label;		/* bytes of the label that are to come */
	__u8 last;		/* it is the empty one */
	__u8 name_len;
};

/* FNV-1a: short, and there are no tables of it to be flooded. The table's hash is keyed. */
#define DNS_HASH_START 2166136261U
#define DNS_HASH(hash, byte) (((hash) ^ (__u8)(byte)) * 16777619U)

#define DNS_LOWER(c) ((c) >= 'A' && (c) <= 'Z' ? (c) - 'A' + 'a' : (c))

DNS_BODY int dns_message_body(struct dns_message *m DNS_NONNULL,
			      struct kcoro_input *in DNS_NONNULL)
{
	KCORO_BODY_BEGIN(&m->body);

	for (;;) {
		KCORO_BODY_U16(&m->body, in, m->left);
		KCORO_BODY_CLAIM(m->left, DNS_HEADER, DNS_MALFORMED);
		KCORO_BODY_U16(&m->body, in, m->id);
		KCORO_BODY_U16(&m->body, in, m->flags);
		KCORO_BODY_U16(&m->body, in, m->questions);
		KCORO_BODY_SKIP(&m->body, in, 6);

		m->question = 0;
		if (m->questions) {
			m->question = DNS_HASH_START;
			m->name_len = 0;
			do {
				KCORO_BODY_CLAIM(m->left, 1, DNS_MALFORMED);
				KCORO_BODY_U8(&m->body, in, m->label);
				/* The first name of a message has nothing to point back to. */
				if (m->label > DNS_LABEL_MAX ||
				    m->name_len + m->label + 1 > DNS_NAME_MAX)
					return DNS_MALFORMED;
				m->name_len += m->label + 1;
				m->question = DNS_HASH(m->question, m->label);
				m->last = !m->label;
				KCORO_BODY_CLAIM(m->left, m->label, DNS_MALFORMED);
				while (m->label) {
					KCORO_BODY_U8(&m->body, in, m->low);
					m->question = DNS_HASH(m->question, DNS_LOWER(m->low));
					m->label--;
				}
			} while (!m->last);
			KCORO_BODY_CLAIM(m->left, 4, DNS_MALFORMED);
			KCORO_BODY_U32(&m->body, in, m->type_class);
			m->question = DNS_HASH(m->question, m->type_class >> 24);
			m->question = DNS_HASH(m->question, m->type_class >> 16);
			m->question = DNS_HASH(m->question, m->type_class >> 8);
			m->question = DNS_HASH(m->question, m->type_class);
		}
		KCORO_BODY_YIELD(&m->body, DNS_FOUND);
		KCORO_BODY_SKIP(&m->body, in, m->left);
	}

	KCORO_BODY_END(DNS_MALFORMED);
}

#endif /* KCORO_DNS_MESSAGE_H */
