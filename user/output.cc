// SPDX-License-Identifier: GPL-2.0-only
// output.cc - see output.h.
#include "user/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace kcoro {

namespace {

// Writes all of it. A reader that has gone ends the command quietly, a full disk does not.
outcome write_all(int fd, std::string_view bytes)
{
	while (!bytes.empty()) {
		ssize_t written = ::write(fd, bytes.data(), bytes.size());

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EPIPE)
			return reader_gone();
		if (written < 0)
			return fail("can't write the output: {}", std::strerror(errno));
		bytes.remove_prefix(static_cast<size_t>(written));
	}
	return done{};
}

std::string clock_now()
{
	char buffer[16] = "";
	std::time_t now = std::time(nullptr);
	std::tm parts{};

	localtime_r(&now, &parts);
	std::strftime(buffer, sizeof(buffer), "%H:%M:%S", &parts);
	return buffer;
}

} // namespace

std::string render(const json &document, bool pretty)
{
	return document.dump(pretty ? 4 : -1, ' ', false, json::error_handler_t::replace);
}

json error_document(const failure &why, bool with_log)
{
	json document{{"error", why.message}};

	if (with_log && !why.log.empty())
		document["log"] = why.log;
	return document;
}

std::string printable(std::string_view text)
{
	std::string out;

	for (unsigned char c : text) {
		if (c >= 0x20 && c < 0x7f && c != '\\')
			out += static_cast<char>(c);
		else
			out += fmt::format("\\x{:02x}", c);
	}
	return out;
}

std::string format_time(long long seconds)
{
	char buffer[32] = "";
	std::time_t time = static_cast<std::time_t>(seconds);
	std::tm parts{};

	localtime_r(&time, &parts);
	std::strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &parts);
	return buffer;
}

outcome output::report(json document, std::string_view text) const
{
	if (is_json()) {
		if (timestamps) {
			json with_time{{"time", clock_now()}};

			with_time.update(document);
			document = std::move(with_time);
		}
		return write_all(STDOUT_FILENO, render(document, pretty) + "\n");
	}
	if (timestamps) {
		if (auto written = write_all(STDOUT_FILENO, clock_now() + "\n"); !written)
			return written;
	}
	return write_all(STDOUT_FILENO, text);
}

outcome output::text(std::string_view text) const
{
	return is_json() ? outcome(done{}) : write_all(STDOUT_FILENO, text);
}

void output::error(const failure &why) const
{
	if (why.message.empty())
		return;
	if (is_json()) {
		auto line = render(error_document(why, verbose), pretty) + "\n";

		if (!write_all(STDOUT_FILENO, line))
			return; // nobody is left to be told
		return;
	}
	auto text = "kcoro: " + why.message + "\n";

	if (!why.log.empty())
		text += verbose ? why.log : "kcoro: --verbose shows what the verifier said\n";
	if (!write_all(STDERR_FILENO, text))
		return;
}

} // namespace kcoro
