// SPDX-License-Identifier: GPL-2.0-only
// body_test.cc - kcoro_body.h and kcoro_stream.bpf.h: a body gets each byte once and in order,
// wherever its input is cut.
#include <gtest/gtest.h>

#include <linux/types.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

// What these headers want of BPF: a packet is a string.
#define KCORO_INLINE static inline __attribute__((unused))
#define barrier_var(x) (void)0
#define bpf_for(i, from, to) for ((i) = (from); (i) < (to); (i)++)

struct kcoro_packet_source {
	const std::string *bytes;
	bool broken = false;
};

long kcoro_packet_load(const kcoro_packet_source *from, __u32 at, void *to, __u32 n)
{
	if (from->broken || at > from->bytes->size() || n > from->bytes->size() - at)
		return -1;
	std::memcpy(to, from->bytes->data() + at, n);
	return 0;
}

#include "bpf/kcoro_stream.bpf.h"

enum result { MORE = KCORO_BODY_SUSPENDED, DONE, TOO_LONG, UNREAD };

// Every macro, a loop, a nested block, and a body that is given records of several kinds.
struct state {
	kcoro_body body;
	__u8 kind;
	__u16 length;
	__u32 left, u24, u32;
	__u8 low;
	__u8 name[4];
	__u16 sum;
	__u32 at;
};

int parse(state *s, kcoro_input *in)
{
	KCORO_BODY_BEGIN(&s->body);
	for (;;) {
		KCORO_BODY_U8(&s->body, in, s->kind);
		if (!s->kind)
			break;
		KCORO_BODY_U16(&s->body, in, s->length);
		s->left = s->length;
		if (s->kind == 1) {
			KCORO_BODY_CLAIM(s->left, 7U, TOO_LONG);
			KCORO_BODY_U24(&s->body, in, s->u24);
			KCORO_BODY_U32(&s->body, in, s->u32);
		} else if (s->kind == 2) {
			KCORO_BODY_COPY(&s->body, in, s->name, s->left);
			s->left = 0;
		} else {
			while (s->left) {
				KCORO_BODY_CLAIM(s->left, 1U, TOO_LONG);
				KCORO_BODY_U8(&s->body, in, s->low);
				s->sum += s->low;
			}
		}
		KCORO_BODY_SKIP(&s->body, in, s->left);
	}
	KCORO_BODY_END(DONE);
}

__u32 skip(void *s, __u32 most)
{
	return kcoro_body_skip(&static_cast<state *>(s)->body, most);
}
int next(void *s, kcoro_input *in)
{
	return parse(static_cast<state *>(s), in);
}

std::string record(char kind, const std::string &content)
{
	return std::string{kind, static_cast<char>(content.size() >> 8),
			   static_cast<char>(content.size())} +
	       content;
}

std::string message()
{
	return record(3, {1, 2, 3}) + record(1, {1, 2, 3, 4, 5, 6, 7}) +
	       record(2, "name and more") +
	       record(1, std::string("\xff\xfe\xfd\xfc\xfb\xfa\xf9", 7) + std::string(300, 9)) +
	       record(3, "") + record(2, "ab") + record(3, std::string(200, 1)) + '\0';
}

void expect_parsed(const state &s)
{
	EXPECT_EQ(s.u24, 0xfffefdU);
	EXPECT_EQ(s.u32, 0xfcfbfaf9U);
	EXPECT_EQ(std::memcmp(s.name, "abme", 4), 0);
	EXPECT_EQ(s.sum, 206);
}

int feed(state &s, const std::string &bytes, __u32 begin, __u32 end)
{
	const kcoro_packet_source from{&bytes};

	return kcoro_feed(&from, &s.at, begin, end, &s, skip, next, UNREAD);
}

TEST(Body, ReadsAtOnce)
{
	const auto bytes = message();
	state s{};

	EXPECT_EQ(feed(s, bytes, 0, static_cast<__u32>(bytes.size())), DONE);
	expect_parsed(s);
	EXPECT_EQ(s.at, bytes.size());
}

TEST(Body, ReadsInTwoWhereverCut)
{
	const auto bytes = message();
	const auto size = static_cast<__u32>(bytes.size());

	for (__u32 cut = 0; cut < size; cut++) {
		state s{};

		EXPECT_EQ(feed(s, bytes, 0, cut), MORE) << cut;
		EXPECT_EQ(feed(s, bytes, cut, size), DONE) << cut;
		expect_parsed(s);
	}
}

TEST(Body, ReadsByteByByte)
{
	const auto bytes = message();
	state s{};

	for (__u32 i = 0; i + 1 < bytes.size(); i++)
		ASSERT_EQ(feed(s, bytes, i, i + 1), MORE) << i;
	EXPECT_EQ(feed(s, bytes, static_cast<__u32>(bytes.size()) - 1,
		       static_cast<__u32>(bytes.size())),
		  DONE);
	expect_parsed(s);
}

TEST(Body, ClaimsNoMoreThanThereIs)
{
	const auto bytes = record(1, "short");
	state s{};

	EXPECT_EQ(feed(s, bytes, 0, static_cast<__u32>(bytes.size())), TOO_LONG);
}

TEST(Body, TellsWhatCannotBeRead)
{
	const auto bytes = message();
	const kcoro_packet_source from{&bytes, true};
	state s{};

	EXPECT_EQ(kcoro_feed(&from, &s.at, 0, 4, &s, skip, next, UNREAD), UNREAD);
}

struct step {
	__u32 seq, length;
	kcoro_stream_found found;
	__u32 old;
};

// From a number on, also where numbers wrap.
void expect_stream(__u32 start)
{
	const step steps[] = {
		{0, 0, KCORO_STREAM_OLD, 0},
		{0, 10, KCORO_STREAM_NEW, 0},
		{0, 10, KCORO_STREAM_OLD, 0},
		{20, 5, KCORO_STREAM_EARLY, 0},
		{10, 10, KCORO_STREAM_NEW, 0},
		{20, 5, KCORO_STREAM_NEW, 0},
		{22, 10, KCORO_STREAM_NEW, 3},
		{5, 3, KCORO_STREAM_OLD, 0},
		{0, 40, KCORO_STREAM_NEW, 32},
		{0U - 1, 5, KCORO_STREAM_FOREIGN, 0},
		{0U - 1, 100, KCORO_STREAM_FOREIGN, 0},
		{40, 0, KCORO_STREAM_OLD, 0},
		{41, 0, KCORO_STREAM_EARLY, 0},
	};
	kcoro_stream stream;

	kcoro_stream_start(&stream, start);
	for (const auto &one : steps) {
		const auto before = stream.next;
		__u32 old = 0;

		EXPECT_EQ(kcoro_stream_take(&stream, start + one.seq, one.length, &old), one.found)
			<< one.seq << " of " << start;
		EXPECT_EQ(old, one.old);
		if (one.found != KCORO_STREAM_NEW) {
			EXPECT_EQ(stream.next, before);
		}
	}
	EXPECT_EQ(stream.next, start + 40);
}

TEST(Stream, TakesEachByteOnce)
{
	expect_stream(1);
	expect_stream(0xffffffffU - 15);
	expect_stream(0x7ffffff0U);
}

} // namespace
