// SPDX-License-Identifier: GPL-2.0-only
// status.cc - `kcoro status`: what is attached where, and what it has seen.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/labels.h"
#include "user/module.h"
#include "user/privileges.h"
#include "user/status.h"

#include <iterator>

namespace kcoro {

namespace {

// What only the filter's kind knows.
struct shower {
	const filter_kind *kind;
	outcome (*show)(const filter_attachment &, json &, std::string &);
};
constexpr shower showers[] = {
	{&sni_kind, show_sni},
	{&dns_kind, show_dns},
	{&handshake_kind, show_handshake},
	{&knock_kind, show_knock},
};
static_assert(std::size(showers) == std::size(all_filter_kinds));

void show_half(const filter_attachment &filter, json &list, std::string &text)
{
	list.push_back({{"interface", filter.interface()},
			{"ifindex", filter.record.ifindex},
			{"mode", mode_label(filter.record.mode)},
			{"direction", direction_label(filter.record.direction)},
			{"attached", false},
			{"path", filter.path()}});
	text += fmt::format("{:<8} {}: half made, filters nothing; `kcoro detach {} {}`\n",
			    filter.kind->name, filter.title(), filter.kind->name,
			    filter.record.ifindex);
}

outcome show_filters(const shower &of, json &document, std::string &text)
{
	json list = json::array();

	for (const auto &filter : filter_attachments(*of.kind)) {
		if (!filter.linked || !filter.has_record)
			show_half(filter, list, text);
		else if (auto shown = of.show(filter, list, text); !shown)
			return shown;
	}
	if (list.empty())
		text += fmt::format("{:<8} not attached\n", of.kind->name);
	document[of.kind->name] = list;
	return done{};
}

void show_histograms(const histogram_pins &pins, json &document, std::string &text)
{
	switch (state_of(pins)) {
	case pinned_state::none:
		text += fmt::format("{:<8} not attached\n", pins.name);
		document[pins.name] = {{"attached", false}};
		return;
	case pinned_state::half:
		text += fmt::format("{:<8} half attached; `kcoro detach {}` clears it\n", pins.name,
				    pins.name);
		document[pins.name] = {{"attached", false}, {"half", true}};
		return;
	case pinned_state::whole:
		break;
	}
	auto since = made_at(pins.link(pins.events.back()));
	text += fmt::format("{:<8} since {}\n", pins.name, format_time(since));
	document[pins.name] = {{"attached", true}, {"since", since}, {"map", pins.map}};
}

outcome status(const output &out)
{
	json document = json::object();
	std::string text = "module   loaded\n";

	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;

	document["module"] = {{"loaded", true}, {"references", module_references()}};
	for (const auto *pins : all_histogram_pins)
		show_histograms(*pins, document, text);
	for (const auto &of : showers)
		if (auto shown = show_filters(of, document, text); !shown)
			return shown;
	return out.report(document, text);
}

} // namespace

void add_status(const cli_verb &app)
{
	auto verb = app.add("status", "what is attached, and what it has seen");

	verb.footer("EXAMPLES:\n"
		    "  kcoro status\n"
		    "  kcoro -p status");
	verb.action([](const output &out) { return status(out); });
}

} // namespace kcoro
