// SPDX-License-Identifier: GPL-2.0-only
// status_filter.cc - what `kcoro status` tells of every filter: see status.h.
#include "user/status.h"

#include "user/labels.h"

namespace kcoro {

result<filter_status> begin_status(const filter_attachment &filter, const std::string &idle)
{
	const auto &record = filter.record;
	const auto &name = filter.kind->name;
	auto path = filter.pin(filter.kind->last_link);
	auto since = made_at(path);
	auto link = open_pinned(path);

	if (!link)
		return link.error();
	auto ifindex = link_ifindex(link->get());
	bool cut = ifindex && *ifindex == 0;
	filter_status status;
	status.object = {{"interface", filter.interface()},
			 {"ifindex", record.ifindex},
			 {"mode", mode_label(record.mode)},
			 {"direction", direction_label(record.direction)},
			 {"attached", !cut},
			 {"since", since}};
	status.text = fmt::format("{:<8} {} since {}\n", name, filter.title(), format_time(since));
	if (cut)
		status.text += fmt::format(
			"  {} nothing: the interface has gone, or a detach was killed;\n"
			"  `kcoro detach {} {}` clears it\n",
			idle, name, record.ifindex);
	return status;
}

} // namespace kcoro
