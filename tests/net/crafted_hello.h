// SPDX-License-Identifier: GPL-2.0-only
//
// crafted_hello.h - what stands in the hello: names, records, lengths, limits, garbage.
#pragma once

#include "scenario.h"

namespace crafted {

using hello::Bytes;
using hello::Hello;
using net::Path;
using net::Peer;
using net::Scenario;
using namespace std::chrono_literals;
using Case = std::pair<const char *, std::function<void(Scenario &)>>;
using Cases = std::vector<Case>;

inline constexpr auto listed = "blocked.example.org"; // and *.suffix.example
inline constexpr auto unlisted = "www.example.com";

/// Sends all of it, cut at `cut`, and expects it to arrive whole after one verdict.
inline void passes(Scenario &s, sni_verdict verdict, const Bytes &stream, std::size_t verdict_at,
		   std::size_t cut = 1000)
{
	auto &peer = s.connect();

	for (std::size_t at = 0; at < stream.size(); at += cut) {
		peer.client.data(stream, at, at + cut);
		if (at + cut < verdict_at)
			s.expected.suspended++;
		else if (at >= verdict_at)
			s.expected.unknown++;
	}
	s.verdict(verdict);
	s.receives(peer, stream, stream.size());
}

/// Sends all of it, cut at `cut`, and expects everything from the segment that completes the name
/// to be dropped. `name_end` counts from the stream's first byte.
inline void blocked(Scenario &s, const Bytes &stream, std::size_t name_end, std::size_t cut = 1000)
{
	auto &peer = s.connect();
	std::size_t through = 0;

	for (std::size_t at = 0; at < stream.size(); at += cut) {
		peer.client.data(stream, at, at + cut);
		if (at + cut < name_end) {
			s.expected.suspended++;
			through = at + cut;
		} else {
			s.expected.dropped++;
		}
	}
	s.verdict(SNI_BLOCK);
	s.entries = 1;
	s.receives(peer, stream, through);
}

/// Where a name ends in a stream: behind its last byte.
inline std::size_t end_of(const Bytes &stream, std::string_view name)
{
	const auto at = std::search(stream.begin(), stream.end(), name.begin(), name.end());

	return static_cast<std::size_t>(at - stream.begin()) + name.size();
}

inline void block_name(Scenario &s, std::string_view name)
{
	const auto stream = hello::for_name(name).records();

	// "name." is complete with its dot
	blocked(s, stream, end_of(stream, name), 60);
}

inline void pass_name(Scenario &s, std::string_view name)
{
	const auto stream = hello::for_name(name).records();

	passes(s, SNI_PASS, stream, end_of(stream, name), 60);
}

inline Case malformed(const char *title, const Bytes &stream)
{
	// alone in a segment: the verdict comes with it
	return {title,
		[stream](Scenario &s) { passes(s, SNI_MALFORMED, stream, 1, stream.size()); }};
}

inline Hello with(const std::function<void(Hello &)> &change)
{
	auto one = hello::for_name(listed);

	change(one);
	return one;
}

inline Cases hello_cases()
{
	Cases cases = {
		{"listed name", [](Scenario &s) { block_name(s, listed); }},
		{"unlisted name", [](Scenario &s) { pass_name(s, unlisted); }},
		{"upper case", [](Scenario &s) { block_name(s, "BLOCKED.Example.ORG"); }},
		{"trailing dot", [](Scenario &s) { block_name(s, "blocked.example.org."); }},
		{"below a suffix", [](Scenario &s) { block_name(s, "a.b.suffix.example"); }},
		{"below a suffix, upper case",
		 [](Scenario &s) { block_name(s, "A.SUFFIX.example"); }},
		{"the suffix itself", [](Scenario &s) { pass_name(s, "suffix.example"); }},
		{"ends like the suffix", [](Scenario &s) { pass_name(s, "xsuffix.example"); }},
		{"ends like a listed name",
		 [](Scenario &s) { pass_name(s, "not.blocked.example.org"); }},
		{"begins like a listed name",
		 [](Scenario &s) { pass_name(s, "blocked.example.org.uk"); }},
		{"the longest name", [](Scenario &s) { pass_name(s, std::string(253, 'a')); }},
		{"the longest name below a suffix",
		 [](Scenario &s) {
			 block_name(s, std::string(253 - 15, 'a') + ".suffix.example");
		 }},
		{"records of 50 bytes, listed",
		 [](Scenario &s) {
			 const auto message = hello::for_name(listed).message();
			 const auto name_end = end_of(message, listed);
			 const auto stream = hello::in_records(message, 50);

			 // five bytes of header in front of each 50
			 blocked(s, stream, name_end + 5 * ((name_end + 49) / 50), 70);
		 }},
		{"records of one byte, listed",
		 [](Scenario &s) {
			 const auto message = hello::for_name(listed).message();

			 blocked(s, hello::in_records(message, 1), 6 * end_of(message, listed),
				 100);
		 }},
		{"records of 50 bytes, unlisted",
		 [](Scenario &s) {
			 const auto message = hello::for_name(unlisted).message();
			 const auto name_end = end_of(message, unlisted);

			 passes(s, SNI_PASS, hello::in_records(message, 50),
				name_end + 5 * ((name_end + 49) / 50), 70);
		 }},
		{"hello of 60,000 bytes",
		 [](Scenario &s) {
			 const auto stream = hello::for_name(listed, 60000).records();

			 blocked(s, stream, end_of(stream, listed), 1400);
		 }},
		{"ech and a listed outer name",
		 [](Scenario &s) {
			 const auto stream =
				 with([](Hello &h) {
					 h.extensions.insert(h.extensions.begin(), hello::ech());
				 }).records();

			 s.expected.ech = 1;
			 blocked(s, stream, end_of(stream, listed));
		 }},
		{"ech and an unlisted outer name",
		 [](Scenario &s) {
			 auto one = hello::for_name(unlisted);

			 one.extensions.insert(one.extensions.begin(), hello::ech());
			 s.expected.ech = 1;
			 passes(s, SNI_PASS, one.records(), 1);
		 }},
		{"ech behind the name is not waited for",
		 [](Scenario &s) {
			 auto one = hello::for_name(unlisted);

			 one.extensions.push_back(hello::ech());
			 passes(s, SNI_PASS, one.records(), 1);
		 }},
		{"no name",
		 [](Scenario &s) {
			 Hello one;

			 one.extensions = {hello::padding(1500)};
			 const auto stream = one.records();

			 passes(s, SNI_NO_NAME, stream, stream.size());
		 }},
		{"no extensions",
		 [](Scenario &s) {
			 Hello one;

			 one.has_extensions = false;
			 const auto stream = one.records();

			 passes(s, SNI_NO_NAME, stream, stream.size(), 20);
		 }},
		{"http",
		 [](Scenario &s) {
			 const std::string http =
				 "GET / HTTP/1.1\r\nHost: blocked.example.org\r\n\r\n";

			 passes(s, SNI_NOT_TLS, Bytes(http.begin(), http.end()), 1, 10);
		 }},
		{"another handshake message",
		 [](Scenario &s) {
			 passes(s, SNI_NOT_TLS, with([](Hello &h) { h.type = 2; }).records(), 1);
		 }},
		{"an alert first",
		 [](Scenario &s) { passes(s, SNI_NOT_TLS, hello::record({2, 80}, 21), 1); }},
		{"noise",
		 [](Scenario &s) {
			 Bytes noise;

			 for (int i = 0; i < 3000; i++)
				 hello::put8(noise, static_cast<std::size_t>(i * 7919 + 1) >> 3);
			 passes(s, SNI_NOT_TLS, noise, 1);
		 }},
		malformed("record too long",
			  [] {
				  auto stream = hello::for_name(listed).records();

				  stream[3] = 0x41;
				  return stream;
			  }()),
		malformed("another record midway",
			  [] {
				  const auto message = hello::for_name(listed).message();
				  auto stream = hello::record(
					  Bytes(message.begin(), message.begin() + 30));

				  hello::put(stream, hello::record(Bytes(message.begin() + 30,
									 message.end()),
								   23));
				  return stream;
			  }()),
		malformed("message shorter than its contents",
			  with([](Hello &h) { h.message_error = -20; }).records()),
		malformed("message longer than its extensions",
			  with([](Hello &h) { h.message_error = 9; }).records()),
		malformed("session id of 33 bytes",
			  with([](Hello &h) { h.session_id = Bytes(33, 1); }).records()),
		malformed("odd cipher suites",
			  with([](Hello &h) { h.cipher_suites = {1, 2, 3}; }).records()),
		malformed("cipher suites over the end",
			  with([](Hello &h) { h.cipher_error = 30000; }).records()),
		malformed("no compression method",
			  with([](Hello &h) { h.compression = {}; }).records()),
		malformed("extensions over the end",
			  with([](Hello &h) { h.extensions_error = 1; }).records()),
		malformed("an extension over the end",
			  with([](Hello &h) {
				  h.extensions.insert(h.extensions.begin(), {21, {1, 2}, 500});
			  }).records()),
		malformed("name list over the extension",
			  with([](Hello &h) {
				  h.extensions = {hello::server_name(listed, 1)};
			  }).records()),
		malformed("name over the list", with([](Hello &h) {
							h.extensions = {
								hello::server_name(listed, 0, 1)};
						}).records()),
		malformed("empty name", with([](Hello &h) {
						h.extensions = {hello::server_name("")};
					}).records()),
		malformed("name of 255 bytes",
			  with([](Hello &h) {
				  h.extensions = {hello::server_name(std::string(255, 'a'))};
			  }).records()),
	};
	return cases;
}

} // namespace crafted
