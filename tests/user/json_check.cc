// SPDX-License-Identifier: GPL-2.0-only
//
// json_check [POINTER] - reads JSON documents, one after the other, from standard input.
// Fails if there is none or one is not valid. With a JSON pointer (/total/allocs) it
// prints what that names in the last document, and fails if there is nothing.
#include <nlohmann/json.hpp>

#include <iostream>
#include <iterator>
#include <string>

int main(int argc, char **argv)
{
	using nlohmann::json;

	std::string text{std::istreambuf_iterator<char>(std::cin), {}};
	std::size_t documents = 0;
	json last;

	try {
		// A document ends where its brackets do: outside of strings every { and [ is closed.
		std::size_t begin = 0;
		int depth = 0;
		bool in_string = false, escaped = false;

		for (std::size_t i = 0; i < text.size(); i++) {
			char c = text[i];

			if (in_string) {
				in_string = escaped || c != '"';
				escaped = !escaped && c == '\\';
				continue;
			}
			in_string = c == '"';
			depth += (c == '{' || c == '[') - (c == '}' || c == ']');
			if (depth == 0 && (c == '}' || c == ']')) {
				last = json::parse(text.substr(begin, i + 1 - begin));
				documents++;
				begin = i + 1;
			}
		}
		if (text.find_first_not_of(" \n", begin) != text.npos)
			throw std::runtime_error("text behind the last document: " +
						 text.substr(begin));
		if (documents == 0)
			throw std::runtime_error("no document");
		if (argc > 1) {
			const auto &value = last.at(json::json_pointer(argv[1]));

			std::cout << (value.is_string() ? value.get<std::string>() : value.dump())
				  << "\n";
		}
	} catch (const std::exception &wrong) {
		std::cerr << "json_check: " << wrong.what() << "\n";
		return 1;
	}
	return 0;
}
