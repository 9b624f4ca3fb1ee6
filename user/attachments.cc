// SPDX-License-Identifier: GPL-2.0-only
// attachments.cc - see attachments.h.
#include "user/attachments.h"

#include "user/interface.h"
#include "user/labels.h"
#include "user/stats.h"

#include <algorithm>
#include <cstdlib>

namespace kcoro {

namespace {

// Enough of a record to name and detach an attachment that has none.
attachment record_of_name(const std::string &directory)
{
	attachment record{};

	record.ifindex = static_cast<__u32>(std::strtoul(directory.c_str(), nullptr, 10));
	if (directory.find("-xdp-") != directory.npos)
		record.mode = ATTACHMENT_XDP;
	if (directory.find("-egress") != directory.npos)
		record.direction = ATTACHMENT_EGRESS;
	auto netns = directory.find("-netns");
	record.netns_inode = netns == directory.npos
				     ? init_netns_inode()
				     : std::strtoull(directory.c_str() + netns + 6, nullptr, 10);
	return record;
}

bool is_on(const sni_attachment &one, const std::string &interface)
{
	return interface == one.interface() || interface == one.record.interface ||
	       interface == std::to_string(one.record.ifindex);
}

} // namespace

std::string sni_attachment::interface() const
{
	if (record.netns_inode == netns_inode())
		if (auto name = interface_name(record.ifindex); !name.empty())
			return name;
	return record.interface[0] ? std::string(record.interface)
				   : "ifindex " + std::to_string(record.ifindex);
}

std::string sni_attachment::title() const
{
	return fmt::format("{} ({} {})", interface(), mode_label(record.mode),
			   direction_label(record.direction));
}

std::string sni_directory(unsigned ifindex, attachment_mode mode, attachment_direction direction)
{
	auto name = fmt::format("{}-{}-{}", ifindex, mode == ATTACHMENT_TC ? "tc" : "xdp",
				direction_label(direction));

	if (netns_inode() != init_netns_inode())
		name += fmt::format("-netns{}", netns_inode());
	return name;
}

std::vector<sni_attachment> sni_attachments()
{
	std::vector<sni_attachment> all;

	for (const auto &directory : list_directory(sni_root)) {
		sni_attachment one;
		__u32 zero = 0;

		one.directory = directory;
		one.linked = exists(one.pin("link"));
		one.record = record_of_name(directory);
		if (exists(one.pin("attachment"))) {
			auto map = open_pinned(one.pin("attachment"));

			one.has_record =
				map && !bpf_map_lookup_elem(map->get(), &zero, &one.record);
		}
		all.push_back(std::move(one));
	}
	return all;
}

result<std::vector<sni_attachment>> find_sni(const std::string &interface)
{
	auto found = sni_attachments();

	if (found.empty())
		return fail("no sni filter is attached: see `kcoro attach sni -h`");
	if (interface.empty())
		return found;
	std::erase_if(found, [&](const auto &one) { return !is_on(one, interface); });
	if (found.empty())
		return fail("no sni filter is attached to {}: `kcoro status` shows where one is",
			    interface);

	// The same name may exist in several network namespaces: this one's comes first.
	auto here = [](const auto &one) { return one.record.netns_inode == netns_inode(); };
	if (std::any_of(found.begin(), found.end(), here))
		std::erase_if(found, [&](const auto &one) { return !here(one); });
	return found;
}

pinned_state state_of(const histogram_pins &pins)
{
	auto linked = [&](const auto &event) { return exists(pins.link(event)); };

	if (exists(pins.map) && std::all_of(pins.events.begin(), pins.events.end(), linked))
		return pinned_state::whole;
	if (exists(pins.root()) || exists(pins.map))
		return pinned_state::half;
	return pinned_state::none;
}

outcome tidy_pins()
{
	remove_if_empty(sni_root);
	if (exists(sni_root))
		return done{};
	for (const auto *pins : all_histogram_pins)
		if (state_of(*pins) != pinned_state::none)
			return done{};
	if (auto removed = unpin_stats(); !removed)
		return removed;
	remove_if_empty(pin_root);
	return done{};
}

} // namespace kcoro
