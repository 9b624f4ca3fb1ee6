// SPDX-License-Identifier: GPL-2.0-only
//
// recordings.h - reads a folder of recorded ClientHellos and its index.tsv.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

namespace recordings {

struct Recording {
	std::string file;
	std::vector<std::uint8_t> bytes;
	std::string server_name;     // empty: none
	std::size_t name_offset = 0; // of the name in bytes; 0: unknown or none
};

using List = std::vector<Recording>;
using Result = std::variant<List, std::string>; // the list, or what is wrong and where

namespace detail {

inline std::vector<std::string> columns(const std::string &line)
{
	std::vector<std::string> parts(1);

	for (const char c : line) {
		if (c == '\t')
			parts.emplace_back();
		else if (c != '\r')
			parts.back() += c;
	}
	return parts;
}

inline bool number(const std::string &text, std::size_t &value)
{
	const auto *end = text.data() + text.size();
	const auto done = std::from_chars(text.data(), end, value);

	return done.ec == std::errc() && done.ptr == end;
}

} // namespace detail

/// Reads `folder`/index.tsv (columns: file, bytes, server_name, name_offset) and the files it names.
inline Result read(const std::string &folder)
{
	const auto index_path = folder + "/index.tsv";
	std::ifstream index(index_path);
	std::string line;
	List list;

	if (!index)
		return "cannot read " + index_path +
		       ": the folder must hold an index.tsv with the columns file, bytes, server_name, name_offset";
	if (!std::getline(index, line))
		return index_path + " is empty";

	const auto header = detail::columns(line);

	if (header.size() < 4 || header[0] != "file" || header[1] != "bytes" ||
	    header[2] != "server_name" || header[3] != "name_offset")
		return index_path +
		       ":1: the first line must be: file, bytes, server_name, name_offset (tab between)";

	for (std::size_t number = 2; std::getline(index, line); number++) {
		const auto where = index_path + ":" + std::to_string(number) + ": ";
		const auto parts = detail::columns(line);
		std::size_t bytes = 0;
		Recording one;

		if (line.empty())
			continue;
		if (parts.size() < 2 || !detail::number(parts[1], bytes) || parts[0].empty() ||
		    parts[0].find('/') != std::string::npos)
			return where +
			       "wanted: file, bytes, server_name, name_offset (tab between)";
		one.file = parts[0];
		if (parts.size() > 2 && parts[2] != "-")
			one.server_name = parts[2];
		if (parts.size() > 3 && !parts[3].empty() && parts[3] != "-" &&
		    !detail::number(parts[3], one.name_offset))
			return where + "name_offset is not a number: " + parts[3];

		std::ifstream file(folder + "/" + one.file, std::ios::binary);

		if (!file)
			return where + "cannot read " + folder + "/" + one.file;
		one.bytes.assign(std::istreambuf_iterator<char>(file), {});
		if (one.bytes.size() != bytes)
			return where + one.file + " has " + std::to_string(one.bytes.size()) +
			       " bytes, the index says " + parts[1];
		list.push_back(std::move(one));
	}
	if (list.empty())
		return index_path + " names no file";
	return list;
}

} // namespace recordings
