// SPDX-License-Identifier: GPL-2.0-only
// dns_message_test.cc - the dns filter's reader of messages, from the filter's own source.
#include <gtest/gtest.h>

#include <linux/types.h>

#include <cstring>
#include <string>
#include <vector>

#include "bpf/filters/dns/message.h"

namespace {

struct seen {
	__u16 id, flags;
	__u32 question;
};

struct outcome {
	std::vector<seen> messages;
	bool malformed = false;
};

// Bytes as TCP has them, skipping what may be skipped if so wished.
outcome read(const std::string &bytes, bool skipping)
{
	dns_message m{};
	outcome out;

	for (size_t i = 0; i < bytes.size();) {
		const auto left = static_cast<__u32>(bytes.size() - i);
		kcoro_input in{};

		if (skipping)
			i += kcoro_body_skip(&m.body, left);
		in.end = skipping ? std::min<__u32>(KCORO_INPUT,
						    static_cast<__u32>(bytes.size() - i))
				  : 1;
		if (!in.end)
			break;
		std::memcpy(in.bytes, bytes.data() + i, in.end);
		const int result = dns_message_body(&m, &in);
		i += in.at;
		if (result == DNS_MALFORMED) {
			out.malformed = true;
			return out;
		}
		if (result == DNS_FOUND)
			out.messages.push_back({m.id, m.flags, m.question});
	}
	return out;
}

std::string number(unsigned value)
{
	return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string name(const std::vector<std::string> &labels)
{
	std::string bytes;

	for (const auto &label : labels)
		bytes += static_cast<char>(label.size()) + label;
	return bytes + '\0';
}

std::string header(unsigned id, unsigned flags, unsigned questions)
{
	return number(id) + number(flags) + number(questions) + std::string(6, '\0');
}

std::string framed(const std::string &message)
{
	return number(static_cast<unsigned>(message.size())) + message;
}

std::string query(unsigned id, const std::vector<std::string> &labels, unsigned type = 1)
{
	return header(id, 0x0100, 1) + name(labels) + number(type) + number(1);
}

__u32 question_of(const std::string &message)
{
	auto out = read(framed(message), false);

	EXPECT_EQ(out.messages.size(), 1U);
	return out.messages.empty() ? 0 : out.messages[0].question;
}

TEST(DnsMessage, StateIsSmall)
{
	EXPECT_LE(sizeof(dns_message), 48U);
}

TEST(DnsMessage, QueryAndAnswerHaveOneQuestion)
{
	auto asked = query(7, {"www", "example", "com"});
	auto answered = header(7, 0x8183, 1) + name({"WWW", "eXample", "com"}) + number(1) +
			number(1) + std::string(300, 'x');
	auto out = read(framed(answered), true);

	ASSERT_EQ(out.messages.size(), 1U);
	EXPECT_EQ(out.messages[0].id, 7);
	EXPECT_EQ(out.messages[0].flags, 0x8183);
	EXPECT_EQ(out.messages[0].question, question_of(asked));
}

TEST(DnsMessage, OtherQuestionsAreOthers)
{
	auto one = question_of(query(1, {"a", "example"}));

	EXPECT_NE(one, question_of(query(1, {"b", "example"})));
	EXPECT_NE(one, question_of(query(1, {"a", "example"}, 28)));
	EXPECT_NE(one, question_of(query(1, {"a.example"})));
	EXPECT_NE(one, question_of(query(1, {})));
	EXPECT_EQ(question_of(header(1, 0x8181, 0)), 0U);
}

TEST(DnsMessage, ManyInAStreamWhateverIsBehind)
{
	auto stream = framed(query(1, {"one"})) +
		      framed(query(2, {"two"}) + std::string(1000, '\xff')) +
		      framed(header(3, 0x8005, 0)) + framed(query(4, {std::string(63, 'l')}));

	for (bool skipping : {false, true}) {
		auto out = read(stream, skipping);

		EXPECT_FALSE(out.malformed);
		ASSERT_EQ(out.messages.size(), 4U);
		for (unsigned i = 0; i < 4; i++)
			EXPECT_EQ(out.messages[i].id, i + 1);
	}
}

TEST(DnsMessage, WholeBeforeItIsFound)
{
	auto bytes = framed(query(1, {"www", "example"}));

	for (size_t cut = 0; cut < bytes.size(); cut++) {
		auto out = read(bytes.substr(0, cut), true);

		EXPECT_FALSE(out.malformed) << cut;
		EXPECT_TRUE(out.messages.empty()) << cut;
	}
}

TEST(DnsMessage, Malformed)
{
	const std::string wrong[] = {
		header(1, 0, 1),				      // no question
		header(1, 0, 1).substr(0, 11),			      // no header
		header(1, 0, 1) + "\3ww",			      // a label that is cut off
		header(1, 0, 1) + name({"a"}) + number(1),	      // no class
		header(1, 0, 1) + "\xc0\x0c" + number(1) + number(1), // points back
		header(1, 0, 1) + "\x40" + std::string(80, 'x'),      // a label of 64
		query(1, std::vector<std::string>(5, std::string(63, 'x'))), // a name too long
	};

	for (const auto &message : wrong)
		EXPECT_TRUE(read(framed(message), true).malformed) << message.size();
	EXPECT_FALSE(read(framed(query(1, {std::string(63, 'x'), std::string(63, 'x'),
					   std::string(63, 'x'), std::string(61, 'x')})),
			  true)
			     .malformed);
}

} // namespace
