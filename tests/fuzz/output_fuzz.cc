// SPDX-License-Identifier: GPL-2.0-only
//
// output_fuzz - what the command prints of bytes that came off the wire: text that holds
// nothing but printable ASCII and from which the bytes can be had again, and JSON that a
// parser takes.
#include "user/output.cc"

#include "tests/fuzz/fuzz.h"

namespace {

using kcoro::json;

std::string unprintable(std::string_view text)
{
	std::string bytes;

	while (!text.empty()) {
		std::size_t used = 1;

		if (text.starts_with("\\x")) {
			used = 4;
			FUZZ_CHECK(text.size() >= used);
			bytes += static_cast<char>(
				std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
		} else {
			bytes += text.front();
		}
		text.remove_prefix(used);
	}
	return bytes;
}

void check_document(const json &document)
{
	for (const bool pretty : {false, true}) {
		const auto line = kcoro::render(document, pretty);
		const auto parsed = json::parse(line, nullptr, false);

		FUZZ_CHECK(!parsed.is_discarded());
		// Bytes that are no UTF-8 are replaced once; what was rendered is UTF-8.
		FUZZ_CHECK(kcoro::render(parsed, pretty) == line);
		FUZZ_CHECK(pretty || line.find('\n') == line.npos);
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::string bytes(reinterpret_cast<const char *>(data), size);
	const auto text = kcoro::printable(bytes);

	FUZZ_CHECK(std::all_of(text.begin(), text.end(),
			       [](unsigned char c) { return c >= 0x20 && c < 0x7f; }));
	FUZZ_CHECK(unprintable(text) == bytes);
	check_document({{"name", bytes}, {"list", {bytes, 1, nullptr}}});
	check_document(kcoro::error_document({kcoro::exit_code::failed, bytes, bytes}, true));
	return 0;
}
