// SPDX-License-Identifier: GPL-2.0-only
//
// options_fuzz - command lines: the input's lines are the words of `kcoro attach dns ...`,
// handshake, knock or sni, the last also where the first word is none of them, and of a verb
// with [interval [count]]. What passes the parser is in the range that the help names,
// whatever the words were; what does not pass is refused with a parse error and nothing else.
//
// The parser's own sources are linked in. attach_sni() and the like are here: they get what was
// parsed.
#include "user/output.cc"

#include "user/attach_dns.h"
#include "user/attach_handshake.h"
#include "user/attach_knock.h"
#include "user/attach_sni.h"
#include "user/schedule.h"
#include "user/verbs.h"

#include "tests/fuzz/fuzz.h"

#include <CLI/CLI.hpp>
#include <kcoro/abi.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

bool is_time(double seconds)
{
	return seconds >= 0.001 && seconds <= 86400;
}

bool is_port(unsigned port)
{
	return port >= 1 && port <= 65535;
}

bool is_limit(unsigned most)
{
	return most >= 1 && most <= KCORO_OPS_LIMIT_MAX;
}

// What all filters have whose coroutines are scheduled.
template <typename Request>
void check_ops(const Request &asked, unsigned most, const kcoro::output &out)
{
	FUZZ_CHECK(is_limit(most));
	FUZZ_CHECK(asked.name.size() < KCORO_NAME_LEN);
	FUZZ_CHECK(asked.pool_quota == 0 || asked.pool_quota >= kcoro::smallest_pool_quota);
	FUZZ_CHECK(asked.pool_quota < 1ULL << 63);
	FUZZ_CHECK(!out.is_json() || out.compact || out.pretty);
}

} // namespace

namespace kcoro {

outcome attach_dns(dns_request asked, const output &out)
{
	check_ops(asked, asked.max_queries, out);
	FUZZ_CHECK(is_port(asked.port) && is_time(asked.timeout));
	return done{};
}

outcome attach_handshake(handshake_request asked, const output &out)
{
	check_ops(asked, asked.max_flows, out);
	FUZZ_CHECK(asked.port <= 65535 && is_time(asked.timeout));
	FUZZ_CHECK(asked.limit == 0 || is_limit(asked.limit));
	return done{};
}

outcome attach_knock(knock_request asked, const output &out)
{
	check_ops(asked, asked.max_sources, out);
	FUZZ_CHECK(is_port(asked.open) && is_time(asked.within) && is_time(asked.stay));
	FUZZ_CHECK(std::ranges::all_of(asked.ports, is_port));
	return done{};
}

outcome attach_sni(sni_request asked, const output &out)
{
	FUZZ_CHECK(asked.port <= 65535);
	FUZZ_CHECK(asked.max_flows >= 1 && asked.max_flows <= 1U << 24);
	FUZZ_CHECK(asked.place.mode == ATTACHMENT_TC || asked.place.mode == ATTACHMENT_XDP ||
		   asked.place.mode == ATTACHMENT_XDP_GENERIC);
	FUZZ_CHECK(asked.place.direction == ATTACHMENT_INGRESS ||
		   asked.place.direction == ATTACHMENT_EGRESS);
	FUZZ_CHECK(asked.on_full == ATTACHMENT_OPEN || asked.on_full == ATTACHMENT_CLOSED);
	FUZZ_CHECK(asked.pool.size() < KCORO_NAME_LEN);
	FUZZ_CHECK(asked.pool_quota == 0 || asked.pool_quota >= kcoro::smallest_pool_quota);
	FUZZ_CHECK(asked.pool_quota < 1ULL << 63);
	FUZZ_CHECK(!out.is_json() || out.compact || out.pretty);
	return done{};
}

} // namespace kcoro

namespace {

// As main() does: the first word is the program's name.
void parse(CLI::App &app, const std::vector<std::string> &words)
{
	std::vector<const char *> argv{"kcoro"};

	for (const auto &word : words)
		argv.push_back(word.c_str());
	try {
		app.parse(static_cast<int>(argv.size()), argv.data());
	} catch (const CLI::ParseError &wrong) {
		FUZZ_CHECK(wrong.what() != nullptr);
	}
}

void check_attach(std::vector<std::string> words)
{
	CLI::App app("", "kcoro");
	kcoro::request asked;

	app.fallthrough();
	app.add_flag("-j,--json", asked.out.compact);
	app.add_flag("-p,--pretty", asked.out.pretty);
	const kcoro::cli_verb attach(app, asked);
	kcoro::add_attach_dns(attach);
	kcoro::add_attach_handshake(attach);
	kcoro::add_attach_knock(attach);
	kcoro::add_attach_sni(attach);
	if (words.empty() || (words[0] != "dns" && words[0] != "handshake" && words[0] != "knock"))
		words.insert(words.begin(), "sni");
	parse(app, words);
	if (asked.run)
		// A misuse that only the whole of the options shows is an error with a message.
		if (const auto end = asked.run(); !end)
			FUZZ_CHECK(!end.error().message.empty());
}

void check_schedule(const std::vector<std::string> &words)
{
	CLI::App app("", "kcoro");
	kcoro::request asked;
	kcoro::schedule when;
	bool given = false;

	kcoro::add_schedule(kcoro::cli_verb(app, asked), when);
	app.callback([&] { given = true; });
	parse(app, words);
	if (!given)
		return;
	FUZZ_CHECK(when.interval == 0 || (when.interval >= 0.01 && when.interval <= 86400));
	FUZZ_CHECK(when.count >= 0 && when.count <= 1L << 31);
	FUZZ_CHECK(when.count == 0 || when.interval > 0);
	// As run_schedule() does.
	const auto step = std::chrono::duration_cast<std::chrono::nanoseconds>(
		std::chrono::duration<double>(when.interval));
	FUZZ_CHECK(step.count() >= 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	std::string_view text(reinterpret_cast<const char *>(data), size);
	std::vector<std::string> words;

	while (!text.empty()) {
		const auto end = std::min({text.find('\n'), text.find('\0'), text.size()});

		words.emplace_back(text.substr(0, end));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	check_schedule(words);
	check_attach(words);
	return 0;
}
