// SPDX-License-Identifier: GPL-2.0-only
// ps.cc - `kcoro ps`: which coroutines live, and what each waits for.
#include "user/verbs.h"

#include "user/coros.h"
#include "user/labels.h"
#include "user/module.h"
#include "user/privileges.h"
#include "user/ps_table.h"

#include <cstring>
#include <memory>

namespace kcoro {

namespace {

struct ps_request {
	coro_filter filter;
	bool tree = false;
};

template <size_t N> std::string text_of(const char (&name)[N])
{
	return {name, strnlen(name, N)};
}

json coro_json(const kcoro_coro_info &coro, const ps_line &line, bool tree)
{
	bool waits = coro.wait != KCORO_WAIT_NOTHING;
	json one{{"id", coro.id},
		 {"name", text_of(coro.name)},
		 {"scope", text_of(coro.scope)},
		 {"scope_id", coro.scope_id},
		 {"status", status_label(coro.status)},
		 {"wait", coro.status == KCORO_STATUS_SUSPENDED ? json(ps_wait(coro)) : json()},
		 {"wait_ms", waits ? json(coro.wait_ms) : json()},
		 {"parent", coro.parent ? json(coro.parent) : json()},
		 {"cpu", coro.cpu},
		 {"executor", executor_label(coro.executor)},
		 {"frame_bytes", coro.frame_bytes},
		 {"cancel", (coro.flags & KCORO_CORO_INFO_CANCEL) != 0},
		 {"timeout", (coro.flags & KCORO_CORO_INFO_TIMEOUT) != 0},
		 {"kill", (coro.flags & KCORO_CORO_INFO_KILL) != 0},
		 {"pinned", (coro.flags & KCORO_CORO_INFO_PINNED) != 0},
		 {"sleeps", (coro.flags & KCORO_CORO_INFO_SLEEPS) != 0}};

	if (auto functions = ps_functions(coro); !functions.empty())
		one["functions"] = std::move(functions);
	if (tree)
		one["depth"] = line.depth;
	return one;
}

json scopes_json(const std::vector<kcoro_scope_info> &scopes)
{
	json list = json::array();

	for (const auto &one : scopes)
		list.push_back({{"id", one.id},
				{"name", text_of(one.name)},
				{"parent", one.parent ? json(one.parent) : json()},
				{"live", one.live},
				{"never_suspended", one.live - one.listed},
				{"limit", one.limit ? json(one.limit) : json()},
				{"closed", one.closed != 0}});
	return list;
}

outcome report(const coro_list &list, const ps_request &asked, const output &out)
{
	auto lines = asked.tree ? ps_tree(list.coros) : ps_sorted(list.coros);

	if (out.is_json()) {
		json coros = json::array();

		for (const auto &line : lines)
			coros.push_back(coro_json(list.coros[line.index], line, asked.tree));
		return out.report({{"coroutines", std::move(coros)},
				   {"more", list.more},
				   {"scopes", scopes_json(list.scopes)}},
				  {});
	}
	auto text = ps_table(list.coros, lines, asked.tree);
	if (list.more)
		text += fmt::format("and {} more\n", list.more);
	return out.report({}, text + "\n" + ps_scopes(list.scopes));
}

outcome ps(const ps_request &asked, const output &out)
{
	if (asked.filter.scope.size() >= KCORO_NAME_LEN)
		return misuse("a scope's name has at most {} characters", KCORO_NAME_LEN - 1);
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	auto list = list_coros(asked.filter);
	if (!list)
		return list.error();
	if (!asked.filter.scope.empty()) {
		std::erase_if(list->scopes, [&](const auto &one) {
			return text_of(one.name) != asked.filter.scope;
		});
		if (list->scopes.empty())
			return fail("no scope is called \"{}\": `kcoro ps` lists them",
				    printable(asked.filter.scope));
	}
	return report(*list, asked, out);
}

constexpr const char *footer =
	R"(STAT: C created, Q queued, R running, S suspended; then c asked to end,
t past its scope's deadline, k being killed, p pinned to its CPU, l may sleep.
WAIT: event, timer, send, receive, join, group, queue, call, key, or own.
With -t the functions that a coroutine in C++ is in stand below it, after ">".
ID and WAIT(ms) are for people: numbers of coroutines begin anew after 2^32.
Those that were never suspended are only counted, by scope.

EXAMPLES:
  kcoro ps                       all of them, and the scopes
  kcoro ps -t                    who awaits whom: the asynchronous stack
  kcoro ps --scope echo -n 20    twenty of a scope
  kcoro ps -C ticker -j | jq '.coroutines[].wait')";

} // namespace

void add_ps(const cli_verb &app)
{
	auto verb = app.add("ps", "live coroutines: state, what each waits for");
	auto wish = std::make_shared<ps_request>();

	verb.flag("-t,--tree", wish->tree, "as a tree: below each whom it awaits");
	verb.option("-C,--name", wish->filter.name, "only those of this name").value("NAME");
	verb.option("-s,--scope", wish->filter.scope, "only those in scopes of this name")
		.value("NAME");
	verb.option("-n,--limit", wish->filter.limit, "at most so many")
		.range(1U, 1U << 24)
		.value("N");
	verb.footer(footer);
	verb.action([=](const output &out) { return ps(*wish, out); });
}

} // namespace kcoro
