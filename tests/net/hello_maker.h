// SPDX-License-Identifier: GPL-2.0-only
//
// hello_maker.h - builds ClientHellos, right ones and wrong ones, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hello {

using Bytes = std::vector<std::uint8_t>;

inline void put8(Bytes &to, std::size_t value)
{
	to.push_back(static_cast<std::uint8_t>(value));
}

inline void put16(Bytes &to, std::size_t value)
{
	put8(to, value >> 8);
	put8(to, value);
}

inline void put(Bytes &to, const Bytes &from)
{
	to.insert(to.end(), from.begin(), from.end());
}

inline void put(Bytes &to, std::string_view from)
{
	to.insert(to.end(), from.begin(), from.end());
}

struct Extension {
	std::uint16_t type;
	Bytes content;
	int length_error = 0; // added to the length that is written
};

/// A server_name extension with one host name; the errors are added to the lengths written.
inline Extension server_name(std::string_view name, int list_error = 0, int name_error = 0)
{
	Bytes content;

	put16(content, name.size() + 3 + static_cast<std::size_t>(list_error));
	put8(content, 0);
	put16(content, name.size() + static_cast<std::size_t>(name_error));
	put(content, name);
	return {0, content};
}

/// An extension without meaning to the filter, `size` bytes long.
inline Extension padding(std::size_t size)
{
	return {21, Bytes(size, 0)};
}

/// encrypted_client_hello
inline Extension ech()
{
	return {0xfe0d, Bytes(40, 7)};
}

/// A ClientHello message. What is not set is right; errors are added to lengths.
struct Hello {
	Bytes session_id = Bytes(32, 0x5a);
	Bytes cipher_suites = {0x13, 0x01, 0x13, 0x02, 0xc0, 0x2f};
	Bytes compression = {0};
	bool has_extensions = true;
	std::vector<Extension> extensions;
	std::uint8_t type = 1;
	int message_error = 0;
	int session_error = 0;
	int cipher_error = 0;
	int compression_error = 0;
	int extensions_error = 0;

	/// The handshake message with its header.
	[[nodiscard]] Bytes message() const
	{
		Bytes body = {3, 3};

		put(body, Bytes(32, 0xa5));
		put8(body, with(session_id.size(), session_error));
		put(body, session_id);
		put16(body, with(cipher_suites.size(), cipher_error));
		put(body, cipher_suites);
		put8(body, with(compression.size(), compression_error));
		put(body, compression);
		if (has_extensions) {
			Bytes all;

			for (const auto &extension : extensions) {
				put16(all, extension.type);
				put16(all, with(extension.content.size(), extension.length_error));
				put(all, extension.content);
			}
			put16(body, with(all.size(), extensions_error));
			put(body, all);
		}

		Bytes whole = {type};
		const auto length = with(body.size(), message_error);

		put8(whole, length >> 16);
		put16(whole, length);
		put(whole, body);
		return whole;
	}

	/// The message in TLS records of at most `record_size` bytes of content.
	[[nodiscard]] Bytes records(std::size_t record_size = 16384) const;

private:
	static std::size_t with(std::size_t length, int error)
	{
		return length + static_cast<std::size_t>(error);
	}
};

/// One TLS record.
inline Bytes record(const Bytes &content, std::uint8_t type = 22, std::uint8_t major = 3)
{
	Bytes whole = {type, major, 1};

	put16(whole, content.size());
	put(whole, content);
	return whole;
}

/// A byte string in TLS records of at most `record_size` bytes of content.
inline Bytes in_records(const Bytes &content, std::size_t record_size)
{
	Bytes whole;

	for (std::size_t at = 0; at < content.size(); at += record_size) {
		const auto end =
			at + record_size < content.size() ? at + record_size : content.size();

		put(whole, record(Bytes(content.begin() + static_cast<std::ptrdiff_t>(at),
					content.begin() + static_cast<std::ptrdiff_t>(end))));
	}
	return whole;
}

inline Bytes Hello::records(std::size_t record_size) const
{
	return in_records(message(), record_size);
}

/// A right hello for a name, with `padding_size` bytes in front of the name.
inline Hello for_name(std::string_view name, std::size_t padding_size = 0)
{
	Hello hello;

	if (padding_size)
		hello.extensions.push_back(padding(padding_size));
	hello.extensions.push_back(server_name(name));
	hello.extensions.push_back({16, {0, 3, 2, 'h', '2'}});
	return hello;
}

} // namespace hello
