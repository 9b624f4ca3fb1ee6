// SPDX-License-Identifier: GPL-2.0-only
// names.cc - see names.h.
#include "user/names.h"

#include "user/output.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace kcoro {

namespace {

constexpr size_t label_max = 63; // RFC 1035

bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What is wrong with one label of a name, or nothing.
std::string label_fault(std::string_view label)
{
	if (label.empty())
		return "has an empty label (two dots, or a dot at an end)";
	if (label.size() > label_max)
		return fmt::format("has a label of {} characters, at most {} are allowed",
				   label.size(), label_max);
	if (label.front() == '-' || label.back() == '-')
		return "has a label that begins or ends with '-'";
	for (char c : label) {
		if (c == '*')
			return "has a '*' that is not a leading \"*.\"";
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return fmt::format("has the character '{}', which no host name has",
					   printable({&c, 1}));
	}
	return {};
}

std::string name_fault(std::string_view name)
{
	std::string_view rest = name;

	if (std::any_of(name.begin(), name.end(), [](char c) { return c & 0x80; }))
		return "is not ASCII: give it as punycode (xn--...), as TLS sends it";
	if (name == "*" || name == "*.")
		return "would match everything; give a suffix, as in \"*.example.com\"";
	if (rest.starts_with("*."))
		rest.remove_prefix(2);
	if (rest.empty())
		return "is empty";
	if (name.size() > SNI_NAME_MAX)
		return fmt::format("has {} characters, at most {} are allowed", name.size(),
				   SNI_NAME_MAX);

	std::string_view label;
	for (;;) {
		auto dot = rest.find('.');

		label = rest.substr(0, dot);
		if (auto fault = label_fault(label); !fault.empty())
			return fault;
		if (dot == rest.npos)
			break;
		rest.remove_prefix(dot + 1);
	}
	// A name's last label is never a number (RFC 3696), an IPv4 address's is.
	if (std::all_of(label.begin(), label.end(), is_digit))
		return "looks like an address; TLS sends names only";
	return {};
}

} // namespace

result<std::string> check_name(std::string_view name)
{
	if (auto fault = name_fault(name); !fault.empty())
		return misuse("name \"{}\" {}", printable(name.substr(0, 80)), fault);

	std::string checked(name);
	std::transform(checked.begin(), checked.end(), checked.begin(), lower);
	return checked;
}

sni_name_key name_key(std::string_view checked)
{
	sni_name_key key{};
	bool suffix = checked.starts_with("*.");
	size_t length;

	if (suffix)
		checked.remove_prefix(1); // the dot stays
	length = std::min(checked.size(), sizeof(key.reversed) - 1);
	std::reverse_copy(checked.begin(), checked.begin() + static_cast<long>(length),
			  key.reversed);
	// The NUL that ends an exact name is part of the key.
	key.prefixlen = static_cast<__u32>(8 * (length + (suffix ? 0 : 1)));
	return key;
}

std::string key_name(const sni_name_key &key)
{
	size_t length = std::min<size_t>(key.prefixlen / 8, sizeof(key.reversed));
	std::string name(key.reversed, length);

	std::reverse(name.begin(), name.end());
	if (!name.empty() && name.front() == '\0')
		return name.substr(1);
	return "*" + name;
}

result<std::vector<std::string>> read_name_file(const std::string &path)
{
	std::ifstream file(path);
	std::vector<std::string> names;
	std::string line;
	unsigned number = 0;

	if (!file)
		return fail("can't read {}: {}", path, std::strerror(errno));
	while (std::getline(file, line)) {
		number++;
		line.erase(std::min(line.find('#'), line.size()));
		auto begin = line.find_first_not_of(" \t\r");
		if (begin == line.npos)
			continue;
		auto end = line.find_last_not_of(" \t\r");
		auto name = check_name(std::string_view(line).substr(begin, end - begin + 1));
		if (!name)
			return misuse("{}:{}: {}", path, number, name.error().message);
		names.push_back(*name);
	}
	if (file.bad())
		return fail("can't read {}: {}", path, std::strerror(errno));
	return names;
}

} // namespace kcoro
