// SPDX-License-Identifier: GPL-2.0-only
//
// The ClientHello parser on what browsers and OpenSSL really sent.
#include <cstdlib>
#include <string>

#include "../net/recordings.h"
#include "client_hello.h"

namespace {

using namespace client_hello;

std::string data_folder()
{
	const char *folder = std::getenv("KCORO_TEST_DATA");

	return folder ? folder : "tests/data";
}

class Recorded : public testing::Test {
protected:
	void SetUp() override
	{
		auto read = recordings::read(data_folder() + "/clienthello");

		if (const auto *error = std::get_if<std::string>(&read))
			FAIL() << *error
			       << " (run from the top of the checkout, or set KCORO_TEST_DATA)";
		list = std::get<recordings::List>(std::move(read));
		ASSERT_GT(list.size(), 10U);
	}

	recordings::List list;
};

TEST_F(Recorded, NamesAreFound)
{
	for (const auto &one : list) {
		SCOPED_TRACE(one.file);
		const auto outcome = parse(one.bytes);

		ASSERT_EQ(outcome.result, SNI_FOUND_NAME);
		EXPECT_EQ(outcome.name, one.server_name);
		// the result comes with the name's last byte, not earlier, not later
		EXPECT_EQ(outcome.consumed, one.name_offset + one.server_name.size());
	}
}

TEST_F(Recorded, EveryChunkSizeAndEverySplitPoint)
{
	for (const auto &one : list) {
		SCOPED_TRACE(one.file);
		ASSERT_NO_FATAL_FAILURE(
			expect_everywhere(one.bytes, SNI_FOUND_NAME, one.server_name));
	}
}

TEST_F(Recorded, NothingIsFoundInAPartOfIt)
{
	for (const auto &one : list) {
		SCOPED_TRACE(one.file);
		const auto end = one.name_offset + one.server_name.size();

		for (std::size_t size = 0; size < end; size++) {
			Parser parser;

			parser.feed(one.bytes.data(), size);
			ASSERT_EQ(parser.outcome().result, SNI_MORE)
				<< "after " << size << " bytes";
		}
	}
}

TEST_F(Recorded, SplitOverRecords)
{
	for (const auto &one : list) {
		SCOPED_TRACE(one.file);
		const Bytes message(one.bytes.begin() + 5, one.bytes.end());

		for (const std::size_t size : {1, 2, 3, 5, 64, 100, 255, 256, 1000, 1900}) {
			const auto bytes = hello::in_records(message, size);

			for (const std::size_t chunk : {1, 4, 5, 6, 7, 64, 1448}) {
				const auto outcome = parse(bytes, chunk);

				ASSERT_EQ(outcome.result, SNI_FOUND_NAME) << size << " " << chunk;
				ASSERT_EQ(outcome.name, one.server_name) << size << " " << chunk;
			}
			ASSERT_EQ(parse_unskipped(bytes).name, one.server_name) << size;
		}
	}
}

// Whatever a byte is changed to, the parser stays inside its state (the sanitizers watch) and
// does not depend on how the bytes were cut.
TEST_F(Recorded, ChangedBytesAreCutAlike)
{
	for (const auto &one : list) {
		SCOPED_TRACE(one.file);
		for (std::size_t at = 0; at < one.bytes.size(); at += at < 200 ? 3 : 29) {
			for (const int value : {0, 0x7f, 0xff}) {
				auto bytes = one.bytes;

				bytes[at] = static_cast<__u8>(value);
				const auto whole = parse(bytes);

				ASSERT_EQ(parse(bytes, 5), whole) << at << " " << value;
				ASSERT_EQ(parse(bytes, 88), whole) << at << " " << value;
			}
		}
	}
}

} // namespace
