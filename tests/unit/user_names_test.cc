// SPDX-License-Identifier: GPL-2.0-only
//
// Server names as the command reads them, and the keys under which the filter finds them.
#define FMT_HEADER_ONLY
#include "../../user/names.cc"
#include "../../user/output.cc"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace {

using kcoro::check_name;
using kcoro::key_name;
using kcoro::name_key;

std::string repeat(const std::string &text, int times)
{
	std::string all;

	while (times-- > 0)
		all += text;
	return all;
}

// 253 characters: as long as a name may be.
const std::string longest = repeat("a23456789.", 25) + "abc";

TEST(UserNames, TakesHostNamesInLowerCase)
{
	for (const auto &[given, wanted] :
	     std::initializer_list<std::pair<std::string, std::string>>{
		     {"example.com", "example.com"},
		     {"EXAMPLE.Com", "example.com"},
		     {"*.Example.com", "*.example.com"},
		     {"*.com", "*.com"},
		     {"localhost", "localhost"},
		     {"a-b.c_d.example", "a-b.c_d.example"},
		     {"xn--bcher-kva.example", "xn--bcher-kva.example"},
		     {"1.example", "1.example"},
		     {"3com.com", "3com.com"},
		     {repeat("a", 63) + ".example", repeat("a", 63) + ".example"},
		     {longest, longest},
	     }) {
		auto checked = check_name(given);

		ASSERT_TRUE(checked) << given << ": " << checked.error().message;
		EXPECT_EQ(*checked, wanted);
	}
}

TEST(UserNames, RefusesOthersAndSaysWhy)
{
	for (const auto &[given, why] : std::initializer_list<std::pair<std::string, std::string>>{
		     {"", "empty"},
		     {".", "empty label"},
		     {"a..b", "empty label"},
		     {".example.com", "empty label"},
		     {"example.com.", "empty label"},
		     {"*", "everything"},
		     {"*.", "everything"},
		     {"*.*.com", "leading"},
		     {"a.*.com", "leading"},
		     {"*example.com", "leading"},
		     {"-a.com", "'-'"},
		     {"a-.com", "'-'"},
		     {"exa mple.com", "character ' '"},
		     {"example.com/path", "character '/'"},
		     {"example.com:443", "character ':'"},
		     {"bücher.example", "punycode"},
		     {std::string("a\0b.com", 7), "\\x00"},
		     {"10.0.0.1", "address"},
		     {repeat("a", 64) + ".example", "64 characters"},
		     {longest + "d", "254 characters"},
	     }) {
		auto checked = check_name(given);

		ASSERT_FALSE(checked) << given;
		EXPECT_EQ(checked.error().code, kcoro::exit_code::usage);
		EXPECT_NE(checked.error().message.find(why), std::string::npos)
			<< given << ": " << checked.error().message;
	}
}

TEST(UserNames, AnExactNameEndsWithNul)
{
	auto key = name_key("example.com");

	EXPECT_EQ(key.prefixlen, 8u * 12);
	EXPECT_EQ(std::string(key.reversed, 12), std::string("moc.elpmaxe\0", 12));
	EXPECT_EQ(key.reversed[12], 0);
}

TEST(UserNames, ASuffixEndsWithTheDot)
{
	auto key = name_key("*.example.com");

	EXPECT_EQ(key.prefixlen, 8u * 12);
	EXPECT_EQ(std::string(key.reversed, 12), "moc.elpmaxe.");
}

TEST(UserNames, KeysAndNamesAreEachOthersReverse)
{
	for (const std::string name : {"example.com", "*.example.com", "a", "*.a"})
		EXPECT_EQ(key_name(name_key(name)), name);
	EXPECT_EQ(key_name(name_key(longest)), longest);
	auto suffix = "*." + longest.substr(2);
	EXPECT_EQ(key_name(name_key(suffix)), suffix);
}

TEST(UserNames, AKeyOfTheKernelIsNeverReadBeyondItsEnd)
{
	sni_name_key key = name_key("example.com");

	key.prefixlen = ~0U;
	EXPECT_LE(key_name(key).size(), sizeof(key.reversed) + 1);
	key.prefixlen = 0;
	EXPECT_EQ(key_name(key), "*");
}

class NameFile : public testing::Test {
protected:
	void write(const std::string &text) { std::ofstream(path_) << text; }
	void TearDown() override { std::remove(path_.c_str()); }

	const std::string path_ = testing::TempDir() + "kcoro_names_" + std::to_string(getpid());
};

TEST_F(NameFile, HasCommentsAndEmptyLines)
{
	write("# a list\n\n  example.com  # one\r\n*.Example.org\nlast.example");
	auto names = kcoro::read_name_file(path_);

	ASSERT_TRUE(names);
	EXPECT_EQ(*names,
		  (std::vector<std::string>{"example.com", "*.example.org", "last.example"}));
}

TEST_F(NameFile, SaysWhereAWrongNameIs)
{
	write("good.example\n\nbad_\xffname\n");
	auto names = kcoro::read_name_file(path_);

	ASSERT_FALSE(names);
	EXPECT_NE(names.error().message.find(path_ + ":3: "), std::string::npos);
}

TEST_F(NameFile, ThatIsNotThereOrNoFile)
{
	EXPECT_NE(kcoro::read_name_file(path_).error().message.find("No such file"),
		  std::string::npos);
	EXPECT_FALSE(kcoro::read_name_file("/"));
}

} // namespace
