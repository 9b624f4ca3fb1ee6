/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * client_hello.h - finds the server name in a TLS ClientHello.
 *
 * Plain C for BPF and for user space (C and C++). Whoever includes it brings
 * __u8 .. __u32 along.
 *
 * Two bodies (kcoro_body.h), one inside the other:
 *
 *   TCP bytes -> sni_record_body: TLS record headers
 *                  -> sni_message_body: the handshake message in the records
 *
 * The driver gives bytes with sni_record_body(), and lets sni_hello_skip() take
 * what nobody wants to look at.
 *
 * A length is tested against the block that encloses it before it is used, the
 * rest of the input is never assumed. The result comes as early as it is certain:
 * a name with its last byte, no name with the last byte of the message.
 */
#ifndef KCORO_SNI_CLIENT_HELLO_H
#define KCORO_SNI_CLIENT_HELLO_H

#include "sni.h"
#include <kcoro_body.h>

#ifdef __BPF__
/* A global function: the verifier looks at it once, not at every call. */
#define SNI_BODY __attribute__((noinline))
#define SNI_NONNULL __arg_nonnull
#else
#define SNI_BODY static __attribute__((noinline, unused))
#define SNI_NONNULL
#endif
#define SNI_INLINE static inline __attribute__((always_inline, unused))

/* Of RFC 8446 and RFC 6066. */
#define SNI_RECORD_HANDSHAKE	22
#define SNI_RECORD_MAJOR	3	/* SSL 3.0 .. TLS 1.3 */
#define SNI_RECORD_MAX		16384	/* bytes in a plaintext record */
#define SNI_CLIENT_HELLO	1
#define SNI_EXTENSION_NAME	0
#define SNI_EXTENSION_ECH	0xfe0d
#define SNI_TYPE_HOST_NAME	0
#define SNI_SESSION_ID_MAX	32

/* Empty records a server may put up with (OpenSSL: 32); more is malformed. */
#define SNI_EMPTY_RECORDS_MAX	32

enum sni_result {
	SNI_MORE = KCORO_BODY_SUSPENDED,	/* wants the next byte */
	SNI_FOUND_NAME,			/* hello->name, hello->name_len */
	SNI_FOUND_NO_NAME,		/* a whole ClientHello without a host name */
	SNI_FOUND_OTHER,		/* not a ClientHello in TLS records */
	SNI_FOUND_MALFORMED,		/* lengths contradict each other, or no possible name */
	SNI_FOUND_TOO_LARGE,		/* longer than hello->max_hello */
};

/* State of one parse: zero, then max_hello set. */
struct sni_hello {
	/* the message body */
	struct kcoro_body body;
	__u16 name_len;		/* bytes in name[]; a trailing dot is not counted */
	__u32 max_hello;	/* bytes of handshake message, header not counted */
	__u32 left;		/* bytes of the message behind what was read or claimed */
	__u16 block;		/* bytes of the extension (or session id, ...) not read yet */
	__u16 type;		/* of the extension */
	__u16 length;		/* of the name entry */
	__u8 ech;		/* an encrypted_client_hello extension was seen */
	__u8 low;		/* a single byte just read */

	/* the record body */
	struct {
		struct kcoro_body body;
		__u16 left;	/* bytes of the record's content to come */
		__u8 byte;
		__u8 empty;	/* empty records so far */
		__u8 begun;	/* the first record's header was TLS's */
	} record;

	char name[SNI_NAME_MAX + 1]; /* as sent; room for the trailing dot */
};

/* May this byte stand in a name that the filter compares? NUL ends the keys of the trie. */
#define SNI_NAME_BYTE(c) ((c) != 0)

/*
 * Reads a handshake message straight down.
 *
 * `left` is what remains of the message after all that has been claimed from it:
 * claiming n bytes is SNI_CLAIM(left, n), and a block cannot claim more than
 * encloses it.
 */
#define SNI_CLAIM(from, n) KCORO_BODY_CLAIM(from, n, SNI_FOUND_MALFORMED)

SNI_BODY int sni_message_body(struct sni_hello *h SNI_NONNULL,
			      struct kcoro_input *in SNI_NONNULL)
{
	KCORO_BODY_BEGIN(&h->body);

	/* header: type, length of three bytes */
	KCORO_BODY_U8(&h->body, in, h->low);
	if (h->low != SNI_CLIENT_HELLO)
		return SNI_FOUND_OTHER;
	KCORO_BODY_U24(&h->body, in, h->left);
	if (h->left > h->max_hello)
		return SNI_FOUND_TOO_LARGE;

	/* legacy_version, random */
	SNI_CLAIM(h->left, 2U + 32U);
	KCORO_BODY_SKIP(&h->body, in, 2U + 32U);

	SNI_CLAIM(h->left, 1U);
	KCORO_BODY_U8(&h->body, in, h->low);
	if (h->low > SNI_SESSION_ID_MAX)
		return SNI_FOUND_MALFORMED;
	SNI_CLAIM(h->left, h->low);
	KCORO_BODY_SKIP(&h->body, in, h->low);

	/* cipher suites, two bytes each */
	SNI_CLAIM(h->left, 2U);
	KCORO_BODY_U16(&h->body, in, h->block);
	if (h->block < 2 || h->block % 2)
		return SNI_FOUND_MALFORMED;
	SNI_CLAIM(h->left, h->block);
	KCORO_BODY_SKIP(&h->body, in, h->block);

	/* compression methods */
	SNI_CLAIM(h->left, 1U);
	KCORO_BODY_U8(&h->body, in, h->low);
	if (h->low < 1)
		return SNI_FOUND_MALFORMED;
	SNI_CLAIM(h->left, h->low);
	KCORO_BODY_SKIP(&h->body, in, h->low);

	/* a hello of TLS 1.2 or older may end here */
	if (!h->left)
		return SNI_FOUND_NO_NAME;
	SNI_CLAIM(h->left, 2U);
	KCORO_BODY_U16(&h->body, in, h->block);
	if (h->block != h->left)
		return SNI_FOUND_MALFORMED;

	while (h->left) {
		SNI_CLAIM(h->left, 4U);
		KCORO_BODY_U16(&h->body, in, h->type);
		KCORO_BODY_U16(&h->body, in, h->block);
		SNI_CLAIM(h->left, h->block);

		if (h->type == SNI_EXTENSION_ECH)
			h->ech = 1;
		if (h->type != SNI_EXTENSION_NAME) {
			KCORO_BODY_SKIP(&h->body, in, h->block);
			continue;
		}

		/* the list of names fills its extension, and is not empty */
		SNI_CLAIM(h->block, 2U);
		KCORO_BODY_U16(&h->body, in, h->length);
		if (h->length != h->block || !h->block)
			return SNI_FOUND_MALFORMED;
		while (h->block) {
			SNI_CLAIM(h->block, 3U);
			KCORO_BODY_U8(&h->body, in, h->low);
			KCORO_BODY_U16(&h->body, in, h->length);
			SNI_CLAIM(h->block, h->length);
			if (h->low != SNI_TYPE_HOST_NAME) {
				KCORO_BODY_SKIP(&h->body, in, h->length);
				continue;
			}

			if (!h->length || h->length > sizeof(h->name))
				return SNI_FOUND_MALFORMED;
			while (h->name_len < h->length) {
				KCORO_BODY_U8(&h->body, in, h->low);
				if (!SNI_NAME_BYTE(h->low) ||
				    h->name_len >= sizeof(h->name))
					return SNI_FOUND_MALFORMED;
				h->name[h->name_len] = (char)h->low;
				h->name_len++;
			}
			/* "example.com." and "example.com" are one host */
			if (h->low == '.')
				h->name_len--;
			if (!h->name_len || h->name_len > SNI_NAME_MAX)
				return SNI_FOUND_MALFORMED;
			return SNI_FOUND_NAME;
		}
	}
	return SNI_FOUND_NO_NAME;

	KCORO_BODY_END(SNI_FOUND_MALFORMED);
}

/* Gives the message body what is at hand of the record's content. */
SNI_INLINE int sni_record_content(struct sni_hello *h, struct kcoro_input *in)
{
	__u32 begin = in->at, end = in->end;
	int result;

	if (end - begin > h->record.left)
		in->end = begin + h->record.left;
	result = sni_message_body(h, in);
	h->record.left -= in->at - begin;
	in->end = end;
	return result;
}

/*
 * Reads record headers, and gives the message body what the records contain.
 * A flow that does not begin like TLS is told from one that goes wrong later.
 */
SNI_BODY int sni_record_body(struct sni_hello *h SNI_NONNULL,
			     struct kcoro_input *in SNI_NONNULL)
{
	int result;

	KCORO_BODY_BEGIN(&h->record.body);

	for (;;) {
		KCORO_BODY_U8(&h->record.body, in, h->record.byte);
		if (h->record.byte != SNI_RECORD_HANDSHAKE)
			return h->record.begun ? SNI_FOUND_MALFORMED : SNI_FOUND_OTHER;
		KCORO_BODY_U8(&h->record.body, in, h->record.byte);
		if (h->record.byte != SNI_RECORD_MAJOR)
			return h->record.begun ? SNI_FOUND_MALFORMED : SNI_FOUND_OTHER;
		h->record.begun = 1;
		KCORO_BODY_U8(&h->record.body, in, h->record.byte);
		KCORO_BODY_U16(&h->record.body, in, h->record.left);
		if (h->record.left > SNI_RECORD_MAX)
			return SNI_FOUND_MALFORMED;
		if (!h->record.left) {
			if (h->record.empty >= SNI_EMPTY_RECORDS_MAX)
				return SNI_FOUND_MALFORMED;
			h->record.empty++;
		}

		while (h->record.left) {
			KCORO_BODY_NEXT(&h->record.body, in);
			result = sni_record_content(h, in);
			if (result)
				return result;
		}
	}

	KCORO_BODY_END(SNI_FOUND_MALFORMED);
}

/* Starts a parse: the state is zero before. */
SNI_INLINE void sni_hello_start(struct sni_hello *h, __u32 max_hello)
{
	h->max_hello = max_hello;
}

/*
 * Throws away what need not be looked at, at most `most` bytes, and tells how
 * many that was. The last byte of a record is never among them: with it the
 * record body goes on to the next header.
 */
SNI_INLINE __u32 sni_hello_skip(struct sni_hello *h, __u32 most)
{
	__u32 n;

	if (h->record.left < 2)
		return 0;
	if (most > h->record.left - 1U)
		most = h->record.left - 1U;
	n = kcoro_body_skip(&h->body, most);
	h->record.left -= n;
	return n;
}

/* The byte as it is compared: host names know no upper case. */
SNI_INLINE char sni_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif /* KCORO_SNI_CLIENT_HELLO_H */
