// SPDX-License-Identifier: GPL-2.0-only
//
// The ClientHello parser on hand-made messages: each field, each limit, and garbage.
#include <string>

#include "client_hello.h"

namespace {

using namespace client_hello;
using hello::Hello;

Hello plain(std::string_view name)
{
	return hello::for_name(name);
}

TEST(ClientHello, StateIsSmall)
{
	EXPECT_LE(sizeof(sni_hello), 320U);
}

TEST(ClientHello, Name)
{
	expect_everywhere(plain("www.example.com").records(), SNI_FOUND_NAME, "www.example.com");
}

TEST(ClientHello, NameIsKeptAsSent)
{
	EXPECT_EQ(parse(plain("WWW.Example.COM").records()).name, "WWW.Example.COM");
	EXPECT_EQ(sni_lower('A'), 'a');
	EXPECT_EQ(sni_lower('Z'), 'z');
	EXPECT_EQ(sni_lower('@'), '@');
	EXPECT_EQ(sni_lower('['), '[');
	EXPECT_EQ(sni_lower('\xc4'), '\xc4');
}

TEST(ClientHello, TrailingDotIsIgnored)
{
	expect_everywhere(plain("example.com.").records(), SNI_FOUND_NAME, "example.com");
}

TEST(ClientHello, OnlyADot)
{
	expect_everywhere(plain(".").records(), SNI_FOUND_MALFORMED);
}

TEST(ClientHello, LongestName)
{
	const std::string longest(253, 'a');

	expect_everywhere(plain(longest).records(), SNI_FOUND_NAME, longest);
	expect_everywhere(plain(longest + ".").records(), SNI_FOUND_NAME, longest);
	expect_everywhere(plain(longest + "a").records(), SNI_FOUND_MALFORMED);
	expect_everywhere(plain(longest + "a.").records(), SNI_FOUND_MALFORMED);
	expect_everywhere(plain(std::string(1000, 'a')).records(), SNI_FOUND_MALFORMED);
}

TEST(ClientHello, NameOfOneByte)
{
	expect_everywhere(plain("x").records(), SNI_FOUND_NAME, "x");
}

TEST(ClientHello, EmptyName)
{
	expect_everywhere(plain("").records(), SNI_FOUND_MALFORMED);
}

TEST(ClientHello, NulInName)
{
	expect_everywhere(plain(std::string_view("a\0b", 3)).records(), SNI_FOUND_MALFORMED);
}

TEST(ClientHello, FirstHostNameCounts)
{
	Hello two;
	Bytes list;

	// one of another type, then two host names
	hello::put16(list, 3 + 4 + 3 + 1 + 3 + 1);
	hello::put8(list, 7);
	hello::put16(list, 4);
	hello::put(list, "zzzz");
	for (const auto *name : {"a", "b"}) {
		hello::put8(list, 0);
		hello::put16(list, 1);
		hello::put(list, name);
	}
	two.extensions = {{0, list}};
	expect_everywhere(two.records(), SNI_FOUND_NAME, "a");

	auto twice = plain("first.example");

	twice.extensions.push_back(hello::server_name("second.example"));
	expect_everywhere(twice.records(), SNI_FOUND_NAME, "first.example");
}

TEST(ClientHello, OnlyAnotherNameType)
{
	Hello other;

	other.extensions = {{0, {0, 4, 9, 0, 1, 'x'}}, {16, {0, 3, 2, 'h', '2'}}};
	expect_everywhere(other.records(), SNI_FOUND_NO_NAME);
}

TEST(ClientHello, NoName)
{
	Hello none;

	none.extensions = {hello::padding(10), {16, {0, 3, 2, 'h', '2'}}, {23, {}}};
	expect_everywhere(none.records(), SNI_FOUND_NO_NAME);
	// certain only with the message's last byte
	EXPECT_EQ(parse(none.records()).consumed, none.records().size());
}

TEST(ClientHello, NoExtensions)
{
	Hello old;

	old.has_extensions = false;
	expect_everywhere(old.records(), SNI_FOUND_NO_NAME);
	old.has_extensions = true; // the block is there, and empty
	expect_everywhere(old.records(), SNI_FOUND_NO_NAME);
}

TEST(ClientHello, NoSessionId)
{
	auto one = plain("example.com");

	one.session_id.clear();
	expect_everywhere(one.records(), SNI_FOUND_NAME, "example.com");
}

TEST(ClientHello, EchIsNoted)
{
	auto before = plain("public.example");
	Hello alone;

	EXPECT_FALSE(parse(before.records()).ech);
	before.extensions.insert(before.extensions.begin(), hello::ech());
	expect_everywhere(before.records(), SNI_FOUND_NAME, "public.example");
	EXPECT_TRUE(parse(before.records()).ech);
	alone.extensions = {hello::ech()};
	expect_everywhere(alone.records(), SNI_FOUND_NO_NAME);
	EXPECT_TRUE(parse(alone.records()).ech);
}

TEST(Records, EverySizeOfRecord)
{
	const auto one = hello::for_name("www.example.com", 300);

	for (std::size_t size = 1; size <= one.message().size(); size++) {
		const auto bytes = one.records(size);

		ASSERT_EQ(parse(bytes).name, "www.example.com") << size;
		ASSERT_EQ(parse(bytes, 1).name, "www.example.com") << size;
		ASSERT_EQ(parse(bytes, 7).name, "www.example.com") << size;
	}
}

TEST(Records, EmptyOnesAreEndured)
{
	const auto message = plain("example.com").message();
	Bytes some;

	for (int i = 0; i < SNI_EMPTY_RECORDS_MAX; i++)
		hello::put(some, hello::record({}));

	auto right = some;

	hello::put(right, hello::record(message));
	expect_everywhere(right, SNI_FOUND_NAME, "example.com");

	auto wrong = some;

	hello::put(wrong, hello::record({}));
	hello::put(wrong, hello::record(message));
	expect_everywhere(wrong, SNI_FOUND_MALFORMED);
}

TEST(Records, OtherTypeMidway)
{
	const auto message = plain("example.com").message();
	const Bytes first(message.begin(), message.begin() + 20);
	const Bytes rest(message.begin() + 20, message.end());

	for (const int type : {0, 20, 21, 23, 255}) {
		auto bytes = hello::record(first);

		hello::put(bytes, hello::record(rest, static_cast<__u8>(type)));
		expect_everywhere(bytes, SNI_FOUND_MALFORMED);
	}
	auto bytes = hello::record(first);

	hello::put(bytes, hello::record(rest, 22, 2));
	expect_everywhere(bytes, SNI_FOUND_MALFORMED);
}

TEST(Records, TooLong)
{
	Bytes bytes = {22, 3, 1, 0x40, 0x01}; // 16385

	hello::put(bytes, plain("example.com").message());
	expect_everywhere(bytes, SNI_FOUND_MALFORMED);
	bytes[4] = 0; // 16384 is allowed
	EXPECT_EQ(parse(bytes).result, SNI_FOUND_NAME);
}

TEST(NotTls, FirstBytes)
{
	const std::string http = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";

	expect_everywhere(Bytes(http.begin(), http.end()), SNI_FOUND_OTHER);
	expect_everywhere(hello::record({1, 2, 3}, 23), SNI_FOUND_OTHER);
	expect_everywhere(hello::record({1, 2, 3}, 21), SNI_FOUND_OTHER);
	expect_everywhere(hello::record(plain("a").message(), 22, 2), SNI_FOUND_OTHER);
	expect_everywhere(Bytes(1, 0), SNI_FOUND_OTHER);
	// an SSL 2.0 hello
	expect_everywhere({0x80, 0x2e, 0x01, 0x03, 0x01, 0x00}, SNI_FOUND_OTHER);
}

TEST(NotTls, AnotherHandshakeMessage)
{
	auto server_hello = plain("example.com");

	server_hello.type = 2;
	expect_everywhere(server_hello.records(), SNI_FOUND_OTHER);
}

TEST(Malformed, MessageLength)
{
	for (const int error : {-1, -5, -30}) {
		auto one = plain("example.com");

		one.message_error = error;
		expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	}
	// longer than what it contains
	auto one = plain("example.com");

	one.message_error = 1;
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
}

TEST(Malformed, MessageEndsInsideAField)
{
	const auto right = plain("example.com").message();

	// every shorter length: the message header lies, what follows is enough
	for (std::size_t length = 0; length + 4 < right.size(); length++) {
		auto bytes = right;

		bytes[2] = static_cast<__u8>(length >> 8);
		bytes[3] = static_cast<__u8>(length);
		const auto outcome = parse(hello::record(bytes));

		// a hello that ends with its compression methods has no extensions: not malformed
		const bool ends_early = length == 2 + 32 + 1 + 32 + 2 + 6 + 1 + 1;

		ASSERT_EQ(outcome.result, ends_early ? SNI_FOUND_NO_NAME : SNI_FOUND_MALFORMED)
			<< length;
	}
}

TEST(Malformed, SessionId)
{
	auto one = plain("example.com");

	one.session_id.assign(33, 1);
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	one.session_id.assign(255, 1);
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);

	Bytes message = {1, 0, 0, 2 + 32 + 1 + 5, 3, 3}; // 32 bytes claimed, 5 there

	hello::put(message, Bytes(32, 1));
	hello::put8(message, 32);
	hello::put(message, Bytes(32, 1));
	expect_everywhere(hello::record(message), SNI_FOUND_MALFORMED);
}

TEST(Malformed, CipherSuites)
{
	auto one = plain("example.com");

	one.cipher_suites = {};
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	one.cipher_suites = {1, 2, 3};
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	one.cipher_suites = {1, 2};
	one.cipher_error = 0x4000;
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
}

TEST(Malformed, CompressionMethods)
{
	auto one = plain("example.com");

	one.compression = {};
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	one.compression = {0};
	one.compression_error = 200;
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
}

TEST(Malformed, ExtensionsBlock)
{
	for (const int error : {-1, 1, 1000}) {
		auto one = plain("example.com");

		one.extensions_error = error;
		expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	}
}

TEST(Malformed, ExtensionLength)
{
	Hello one;

	one.extensions = {{16, {0, 3, 2, 'h', '2'}, 1}};
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	one.extensions = {{16, {0, 3, 2, 'h', '2'}, 60000}};
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	// one byte that no extension's header fits in
	one.extensions = {{16, {1, 2, 3, 4, 5}, -1}};
	expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
}

TEST(Malformed, NameList)
{
	for (const int error : {-1, 1, 500}) {
		Hello one;

		one.extensions = {hello::server_name("example.com", error)};
		expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	}
	for (const auto &content :
	     {Bytes{}, Bytes{0}, Bytes{0, 0}, Bytes{0, 1, 0}, Bytes{0, 2, 0, 0}}) {
		Hello one;

		one.extensions = {{0, content}};
		expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	}
}

TEST(Malformed, NameLength)
{
	for (const int error : {1, 2, 1000}) {
		Hello one;

		one.extensions = {hello::server_name("example.com", 0, error),
				  hello::padding(2000)};
		expect_everywhere(one.records(), SNI_FOUND_MALFORMED);
	}
}

TEST(TooLarge, Limit)
{
	const auto one = hello::for_name("example.com", 500);
	const auto length = static_cast<__u32>(one.message().size() - 4);

	EXPECT_EQ(parse(one.records(), 1, length).result, SNI_FOUND_NAME);
	EXPECT_EQ(parse(one.records(), 1, length - 1).result, SNI_FOUND_TOO_LARGE);
	// known with the message's header
	EXPECT_EQ(parse(one.records(), 1, length - 1).consumed, 9U);
}

TEST(TooLarge, LengthOf24Bits)
{
	Bytes message = {1, 0xff, 0xff, 0xff};

	EXPECT_EQ(parse(hello::record(message)).result, SNI_FOUND_TOO_LARGE);
	EXPECT_EQ(parse(hello::record(message), 1, 0xffffffff).result, SNI_MORE);
}

TEST(TooLarge, ManyRecordsUnderTheLimit)
{
	// as large as its lengths of 16 bits allow, in full records
	auto one = hello::for_name("example.com", 60000);

	EXPECT_EQ(parse(one.records(), 1448).name, "example.com");
	EXPECT_EQ(parse(one.records(100), 536).name, "example.com");
}

// All 65,536 second and third bytes behind a first one: no crash, no dependence on the cut.
TEST(Garbage, ShortInputs)
{
	for (const int first : {0, 1, 21, 22, 23, 255}) {
		for (int rest = 0; rest < 65536; rest += 7) {
			const Bytes bytes = {static_cast<__u8>(first),
					     static_cast<__u8>(rest >> 8),
					     static_cast<__u8>(rest),
					     0,
					     9,
					     1,
					     0,
					     0,
					     5};

			ASSERT_EQ(parse(bytes), parse(bytes, 1));
		}
	}
}

TEST(Garbage, Random)
{
	__u32 seed = 1;

	for (int round = 0; round < 20000; round++) {
		auto bytes = hello::for_name("www.example.com", 40).records();

		for (int i = 0; i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[(seed >> 8) % bytes.size()] = static_cast<__u8>(seed >> 24);
		}
		ASSERT_EQ(parse(bytes), parse(bytes, 3)) << round;
	}
}

} // namespace
