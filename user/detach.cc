// SPDX-License-Identifier: GPL-2.0-only
// detach.cc - `kcoro detach`: removes links first, then everything else.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/filters.h"
#include "user/module.h"
#include "user/privileges.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <thread>

namespace kcoro {

namespace {

struct detach_request {
	std::string name; // of a filter or of histograms, or empty
	std::string interface;
	bool all = false;
};

// The kernel lets programs go a little after their pins have gone. Waits for that, so that
// `kcoro detach --all && rmmod kcoro` works. Whatever else holds the module may go on.
void wait_for_release()
{
	auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);

	while (module_references() > 0 && std::chrono::steady_clock::now() < limit)
		std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

outcome detach_filter(const filter_kind &kind, const std::string &interface, json &detached,
		      std::string &text)
{
	auto found = find_filters(kind, interface);

	if (!found)
		return found.error();
	for (const auto &one : *found) {
		if (auto removed = remove_pins(one.path()); !removed)
			return removed;
		detached.push_back({{"name", kind.name},
				    {"interface", one.interface()},
				    {"path", one.path()}});
		text += fmt::format("{} detached from {}\n", kind.name, one.title());
	}
	return done{};
}

outcome detach_histograms(const histogram_pins &pins, json &detached, std::string &text)
{
	if (state_of(pins) == pinned_state::none)
		return fail("{} is not attached: `kcoro status` shows what is", pins.name);
	if (auto removed = remove_pins(pins.root()); !removed)
		return removed;
	if (auto removed = remove_pin(pins.map); !removed)
		return removed;
	detached.push_back({{"name", pins.name}});
	text += pins.name + " detached\n";
	return done{};
}

outcome detach_asked(const detach_request &asked, json &detached, std::string &text)
{
	for (const auto *kind : all_filter_kinds)
		if (asked.name == kind->name)
			return detach_filter(*kind, asked.interface, detached, text);
	for (const auto *pins : all_histogram_pins)
		if (asked.name == pins->name)
			return detach_histograms(*pins, detached, text);

	for (const auto *kind : all_filter_kinds)
		if (!filter_attachments(*kind).empty())
			if (auto gone = detach_filter(*kind, "", detached, text); !gone)
				return gone;
	for (const auto *pins : all_histogram_pins)
		if (state_of(*pins) != pinned_state::none)
			if (auto gone = detach_histograms(*pins, detached, text); !gone)
				return gone;
	return done{};
}

bool is_filter(const std::string &name)
{
	return std::any_of(std::begin(all_filter_kinds), std::end(all_filter_kinds),
			   [&](const auto *kind) { return kind->name == name; });
}

std::vector<std::string> all_names()
{
	std::vector<std::string> names;

	for (const auto *kind : all_filter_kinds)
		names.push_back(kind->name);
	for (const auto *pins : all_histogram_pins)
		names.push_back(pins->name);
	return names;
}

outcome detach(const detach_request &asked, const output &out)
{
	json detached = json::array();
	std::string text;

	if (asked.all == !asked.name.empty())
		return misuse("say what: {}, or --all", fmt::join(all_names(), ", "));
	if (!is_filter(asked.name) && !asked.interface.empty())
		return misuse("{} has no interface", asked.all ? "--all" : asked.name);
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (!bpffs_mounted()) {
		if (!asked.all)
			return fail("nothing is attached: no bpffs at {}", bpffs_root);
		return out.report({{"detached", detached}}, "nothing was attached\n");
	}
	auto lock = lock_pins();
	if (!lock)
		return lock.error();
	if (auto removed = detach_asked(asked, detached, text); !removed)
		return removed;
	if (auto tidied = tidy_pins(); !tidied)
		return tidied;
	if (!exists(pin_root))
		wait_for_release();
	return out.report({{"detached", detached}}, text.empty() ? "nothing was attached\n" : text);
}

} // namespace

void add_detach(const cli_verb &app)
{
	auto verb = app.add("detach", "take away what is attached");
	auto wish = std::make_shared<detach_request>();

	verb.footer("EXAMPLES:\n"
		    "  kcoro detach sni eth0\n"
		    "  kcoro detach latency\n"
		    "  kcoro detach --all\n\n"
		    "Also clears what a killed `kcoro attach` left, and filters of interfaces\n"
		    "that have gone; IFACE may be a name or an index.");
	verb.option("NAME", wish->name, fmt::format("{}", fmt::join(all_names(), ", ")))
		.one_of(all_names())
		.value(" ");
	verb.option("IFACE", wish->interface, "from this interface only");
	verb.flag("--all", wish->all, "everything, from everywhere");
	verb.action([=](const output &out) { return detach(*wish, out); });
}

} // namespace kcoro
