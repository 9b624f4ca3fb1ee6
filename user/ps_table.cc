// SPDX-License-Identifier: GPL-2.0-only
// ps_table.cc - see ps_table.h.
#include "user/ps_table.h"

#include "user/labels.h"
#include "user/output.h"

#include <fmt/format.h>

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ranges>

namespace kcoro {

namespace {

constexpr size_t columns = 80;

struct column {
	const char *heading;
	bool right;
	bool in_tree;
	std::string (*value)(const kcoro_coro_info &);
};

template <size_t N> std::string name_of(const char (&name)[N])
{
	return printable({name, strnlen(name, N)});
}

std::string wait_ms(const kcoro_coro_info &coro)
{
	return coro.wait == KCORO_WAIT_NOTHING ? "-" : std::to_string(coro.wait_ms);
}

// The name, which is last, takes the rest.
constexpr column all[] = {
	{"ID", true, true, [](const auto &c) { return std::to_string(c.id); }},
	{"STAT", false, true, ps_stat},
	{"WAIT", false, true, [](const auto &c) { return std::string(ps_wait(c)); }},
	{"WAIT(ms)", true, true, wait_ms},
	{"CPU", true, true, [](const auto &c) { return std::to_string(c.cpu); }},
	{"EXEC", false, false,
	 [](const auto &c) { return std::string(executor_label(c.executor)); }},
	{"BYTES", true, false, [](const auto &c) { return std::to_string(c.frame_bytes); }},
	{"SCOPE", false, true, [](const auto &c) { return name_of(c.scope); }},
};

std::string cell(const std::string &text, size_t width, bool right)
{
	return right ? fmt::format("{:>{}} ", text, width) : fmt::format("{:<{}} ", text, width);
}

// As ps does it: what is cut ends with a "+".
std::string cut(std::string text, size_t width)
{
	if (text.size() > width) {
		text.resize(width - 1);
		text += '+';
	}
	return text;
}

} // namespace

namespace {

// A function of a template tells its type, too: "task<int> net::read<int>(int)". What stands
// behind the last space that is in no brackets, and in front of the parameters, is the name.
std::string without_type(const std::string &function)
{
	size_t name = 0;
	int depth = 0;

	for (size_t i = 0; i < function.size(); i++) {
		const char c = function[i];

		if (c == '(' && depth == 0)
			break;
		depth += (c == '<' || c == '(') - (c == '>' || c == ')');
		if (c == ' ' && depth == 0)
			name = i + 1;
	}
	return function.substr(name);
}

} // namespace

std::vector<std::string> ps_functions(const kcoro_coro_info &coro)
{
	const std::string_view text(coro.functions,
				    strnlen(coro.functions, sizeof(coro.functions)));
	std::vector<std::string> functions;

	if (text.empty())
		return functions;
	for (auto part : std::views::split(text, ' ')) {
		const std::string name(part.begin(), part.end());
		int status = 0;
		std::unique_ptr<char, decltype(&std::free)> plain(
			abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);

		functions.push_back(printable(plain ? without_type(plain.get()) : name));
	}
	std::ranges::reverse(functions);
	return functions;
}

std::string ps_stat(const kcoro_coro_info &coro)
{
	static constexpr struct {
		unsigned flag;
		char letter;
	} more[] = {{KCORO_CORO_INFO_CANCEL, 'c'},
		    {KCORO_CORO_INFO_TIMEOUT, 't'},
		    {KCORO_CORO_INFO_KILL, 'k'},
		    {KCORO_CORO_INFO_PINNED, 'p'},
		    {KCORO_CORO_INFO_SLEEPS, 'l'}};
	std::string text(1, coro.status < KCORO_STATUS_DONE ? "CQRS"[coro.status] : 'D');

	for (const auto &one : more)
		if (coro.flags & one.flag)
			text += one.letter;
	return text;
}

const char *ps_wait(const kcoro_coro_info &coro)
{
	if (coro.wait != KCORO_WAIT_NOTHING)
		return wait_label(coro.wait);
	return coro.status == KCORO_STATUS_SUSPENDED ? "own" : "-";
}

std::string ps_table(std::span<const kcoro_coro_info> coros, const std::vector<ps_line> &lines,
		     bool tree)
{
	std::string text;
	std::vector<size_t> widths;
	size_t used = 0;

	for (const auto &one : all) {
		size_t width = std::strlen(one.heading);

		if (!tree || one.in_tree)
			for (const auto &line : lines)
				width = std::max(width, one.value(coros[line.index]).size());
		widths.push_back(width);
		if (tree && !one.in_tree)
			continue;
		text += cell(one.heading, width, one.right);
		used += width + 1;
	}
	text += "NAME\n";
	// Columns never take so much that no name is left; see the unit test.
	size_t rest = columns - std::min(used, columns - 7);
	for (const auto &line : lines) {
		const auto &coro = coros[line.index];
		auto branch = tree ? ps_branch(line, rest - 6) : std::string();

		for (size_t i = 0; i < widths.size(); i++)
			if (!tree || all[i].in_tree)
				text += cell(all[i].value(coro), widths[i], all[i].right);
		text += cut(branch + name_of(coro.name), rest) + "\n";
		if (!tree)
			continue;
		auto functions = ps_functions(coro);
		// The outermost one is whose name stands there.
		if (!functions.empty() && functions[0] != "...")
			functions.erase(functions.begin());
		for (const auto &function : functions)
			text += std::string(used, ' ') +
				cut(ps_indent(line, rest - 6) + "  > " + function, rest) + "\n";
	}
	return text;
}

std::string ps_scopes(std::span<const kcoro_scope_info> scopes)
{
	auto text = fmt::format("{:<15} {:>8} {:>8} {:>10} {:>15} {:>10}\n", "SCOPE", "ID", "IN-ID",
				"LIVE", "NEVER-SUSPENDED", "LIMIT");

	for (const auto &one : scopes)
		text += fmt::format("{:<15} {:>8} {:>8} {:>10} {:>15} {:>10}\n", name_of(one.name),
				    one.id, one.parent ? std::to_string(one.parent) : "-", one.live,
				    one.live - one.listed,
				    one.limit ? std::to_string(one.limit) : "-");
	return text;
}

} // namespace kcoro
