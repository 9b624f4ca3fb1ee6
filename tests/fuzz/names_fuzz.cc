// SPDX-License-Identifier: GPL-2.0-only
//
// names_fuzz - server names as the command reads them: each line of the input as an argument,
// the input as a --block-file, and its bytes as a key found in the filter's trie.
#include "user/names.cc"
#include "user/output.cc"

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

namespace {

using kcoro::check_name;

std::size_t dots(std::string_view name)
{
	return static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
}

bool is_printable(std::string_view text)
{
	return std::all_of(text.begin(), text.end(),
			   [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

// Does the trie's entry match what the filter looks up: the name backwards, with a NUL?
bool trie_matches(const sni_name_key &entry, std::string_view name)
{
	std::string wanted(name.rbegin(), name.rend());

	wanted += '\0';
	return entry.prefixlen <= wanted.size() * 8 &&
	       !std::memcmp(entry.reversed, wanted.data(), entry.prefixlen / 8);
}

void check_argument(std::string_view given)
{
	const auto checked = check_name(given);

	if (!checked) {
		FUZZ_CHECK(checked.error().code == kcoro::exit_code::usage);
		FUZZ_CHECK(is_printable(checked.error().message));
		return;
	}
	const auto &name = *checked;
	const auto again = check_name(name);
	const auto key = kcoro::name_key(name);
	const auto plain = name.starts_with("*.") ? name.substr(2) : name;

	FUZZ_CHECK(name.size() == given.size() && name.size() <= SNI_NAME_MAX);
	FUZZ_CHECK(!name.empty() && is_printable(name));
	FUZZ_CHECK(std::none_of(name.begin(), name.end(),
				[](char c) { return c >= 'A' && c <= 'Z'; }));
	FUZZ_CHECK(again && *again == name);

	FUZZ_CHECK(key.prefixlen % 8 == 0 && key.prefixlen / 8 <= sizeof(key.reversed));
	FUZZ_CHECK(kcoro::key_name(key) == name);
	// An exact name matches itself alone, a suffix everything below it and not itself.
	FUZZ_CHECK(trie_matches(key, plain) == (plain == name));
	FUZZ_CHECK(trie_matches(key, "a." + plain) == (plain != name));
	FUZZ_CHECK(!trie_matches(key, "a" + plain));
	FUZZ_CHECK(!trie_matches(key, plain + "a"));
	FUZZ_CHECK(dots(plain) == 0 || !trie_matches(key, plain.substr(plain.find('.') + 1)));
}

// What the file says, line by line: the names, or the number of the first wrong line.
struct Expected {
	std::vector<std::string> names;
	unsigned wrong_line = 0;
};

Expected expect_file(std::string_view text)
{
	Expected expected;
	unsigned number = 0;

	while (!text.empty()) {
		const auto end = std::min(text.find('\n'), text.size());
		auto line = text.substr(0, end);
		const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };

		number++;
		text.remove_prefix(std::min(end + 1, text.size()));
		line = line.substr(0, line.find('#'));
		while (!line.empty() && is_blank(line.front()))
			line.remove_prefix(1);
		while (!line.empty() && is_blank(line.back()))
			line.remove_suffix(1);
		if (line.empty())
			continue;
		const auto name = check_name(line);
		if (!name) {
			expected.wrong_line = number;
			return expected;
		}
		expected.names.push_back(*name);
	}
	return expected;
}

void check_file(std::string_view text)
{
	// Made once: libFuzzer calls us a million times.
	static const int file = ::memfd_create("names", MFD_CLOEXEC);
	static const auto path = "/proc/self/fd/" + std::to_string(file);

	FUZZ_CHECK(file >= 0 && ::ftruncate(file, 0) == 0);
	FUZZ_CHECK(::pwrite(file, text.data(), text.size(), 0) ==
		   static_cast<ssize_t>(text.size()));

	const auto expected = expect_file(text);
	const auto names = kcoro::read_name_file(path);

	FUZZ_CHECK(static_cast<bool>(names) == (expected.wrong_line == 0));
	if (names) {
		FUZZ_CHECK(*names == expected.names);
		return;
	}
	const auto &message = names.error().message;
	FUZZ_CHECK(names.error().code == kcoro::exit_code::usage);
	FUZZ_CHECK(message.starts_with(fmt::format("{}:{}: ", path, expected.wrong_line)));
	FUZZ_CHECK(is_printable(message));
}

// A key need not be one of ours: anybody may write to the pinned map.
void check_key(std::string_view bytes)
{
	sni_name_key key{};

	std::memcpy(&key, bytes.data(), std::min(bytes.size(), sizeof(key)));
	const auto name = kcoro::key_name(key);
	FUZZ_CHECK(name.size() <= sizeof(key.reversed) + 1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	std::string_view text(reinterpret_cast<const char *>(data), size);

	check_file(text);
	check_key(text);
	for (;;) {
		const auto end = text.find('\n');

		check_argument(text.substr(0, end));
		if (end == text.npos)
			return 0;
		text.remove_prefix(end + 1);
	}
}
