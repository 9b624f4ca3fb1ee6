// SPDX-License-Identifier: GPL-2.0-only
// sni_names.cc - `kcoro sni add|del|list`: the names of attached filters.
#include "user/sni_names.h"

#include "user/names.h"
#include "user/privileges.h"
#include "user/verbs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace kcoro {

namespace {

struct names_request {
	std::vector<std::string> words; // NAME... [IFACE]
	std::string interface;
};

// The attachments meant. The last word is an interface if a filter is attached to one of
// that name; the words left are the names, checked.
result<std::vector<filter_attachment>> resolve(names_request &asked, bool names_needed)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed.error();
	if (!asked.words.empty() && asked.interface.empty()) {
		bool interface = asked.words.size() > (names_needed ? 1 : 0) &&
				 static_cast<bool>(find_filters(sni_kind, asked.words.back()));

		if (interface || !names_needed) {
			asked.interface = asked.words.back();
			asked.words.pop_back();
		}
	}
	for (auto &word : asked.words) {
		auto checked = check_name(word);

		if (!checked)
			return checked.error();
		word = *checked;
	}
	return find_filters(sni_kind, asked.interface);
}

outcome add_names(names_request asked, const output &out)
{
	auto filters = resolve(asked, true);
	std::string text;

	if (!filters)
		return filters.error();
	for (const auto &filter : *filters) {
		auto map = open_pinned(filter.pin("names"));

		if (!map)
			return map.error();
		for (const auto &name : asked.words) {
			auto key = name_key(name);
			__u8 listed = 1;
			int err = bpf_map_update_elem(map->get(), &key, &listed, BPF_ANY);

			if (err == -ENOSPC)
				return fail("the list of {} is full: detach, and attach with all "
					    "names at once in a --block-file",
					    filter.title());
			if (err)
				return fail("can't list {}: {}", name, std::strerror(-err));
		}
		text += fmt::format("{}: {} added\n", filter.title(), asked.words.size());
	}
	return out.report({{"added", asked.words}, {"filters", filters->size()}}, text);
}

outcome del_names(names_request asked, const output &out)
{
	auto filters = resolve(asked, true);
	std::string text;

	if (!filters)
		return filters.error();
	// All or nothing: a name that is not listed is most likely a slip.
	for (const auto &filter : *filters) {
		auto listed = listed_names(filter);

		if (!listed)
			return listed.error();
		for (const auto &name : asked.words)
			if (!std::binary_search(listed->begin(), listed->end(), name))
				return fail(
					"{} is not listed on {}: `kcoro sni list` shows what is",
					name, filter.title());
	}
	for (const auto &filter : *filters) {
		auto map = open_pinned(filter.pin("names"));

		if (!map)
			return map.error();
		for (const auto &name : asked.words) {
			auto key = name_key(name);
			int err = bpf_map_delete_elem(map->get(), &key);

			if (err && err != -ENOENT) // a name given twice
				return fail("can't unlist {}: {}", name, std::strerror(-err));
		}
		text += fmt::format("{}: {} deleted\n", filter.title(), asked.words.size());
	}
	return out.report({{"deleted", asked.words}, {"filters", filters->size()}}, text);
}

outcome list_names(names_request asked, const output &out)
{
	auto filters = resolve(asked, false);
	json document = json::array();
	std::string text;

	if (!filters)
		return filters.error();
	for (const auto &filter : *filters) {
		auto names = listed_names(filter);

		if (!names)
			return names.error();
		text += filter.title() + "\n";
		for (const auto &name : *names)
			text += "  " + name + "\n";
		document.push_back({{"interface", filter.interface()}, {"names", *names}});
	}
	return out.report({{"filters", document}}, text);
}

} // namespace

result<std::vector<std::string>> listed_names(const filter_attachment &filter)
{
	auto map = open_pinned(filter.pin("names"));
	std::vector<std::string> names;
	sni_name_key key{}, next{};
	void *from = nullptr;

	if (!map)
		return map.error();
	while (bpf_map_get_next_key(map->get(), from, &next) == 0) {
		key = next;
		from = &key;
		names.push_back(key_name(key));
	}
	std::sort(names.begin(), names.end());
	return names;
}

void add_sni(const cli_verb &app)
{
	using action = outcome (*)(names_request, const output &);
	struct subverb {
		const char *name, *help;
		action act;
		bool names;
	};
	static constexpr subverb subverbs[] = {
		{"add", "block more names", add_names, true},
		{"del", "block names no longer", del_names, true},
		{"list", "list the blocked names", list_names, false},
	};

	auto sni = app.add("sni", "change or list the names of attached sni filters");

	sni.footer("EXAMPLES:\n"
		   "  kcoro sni add example.net '*.example.com'\n"
		   "  kcoro sni del example.net eth0\n"
		   "  kcoro sni list\n\n"
		   "Without IFACE: on every interface with an sni filter. Flows that were\n"
		   "judged already stay as they are.");
	for (const auto &one : subverbs) {
		auto verb = sni.add(one.name, one.help);
		auto wish = std::make_shared<names_request>();

		auto words = verb.option(one.names ? "NAME" : "IFACE", wish->words,
					 one.names ? "names, then the interface if need be"
						   : "of this interface only");
		if (one.names)
			words.required();
		else
			words.at_most_one();
		verb.option("--iface", wish->interface, "the interface, whatever its name");
		verb.action([=, act = one.act](const output &out) { return act(*wish, out); });
	}
}

} // namespace kcoro
