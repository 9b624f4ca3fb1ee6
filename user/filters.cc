// SPDX-License-Identifier: GPL-2.0-only
// filters.cc - see filters.h.
#include "user/filters.h"

#include "user/interface.h"
#include "user/labels.h"

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
	if (directory.find("-both") != directory.npos)
		record.direction = ATTACHMENT_BOTH;
	auto netns = directory.find("-netns");
	record.netns_inode = netns == directory.npos
				     ? init_netns_inode()
				     : std::strtoull(directory.c_str() + netns + 6, nullptr, 10);
	return record;
}

bool is_on(const filter_attachment &one, const std::string &interface)
{
	return interface == one.interface() || interface == one.record.interface ||
	       interface == std::to_string(one.record.ifindex);
}

} // namespace

std::string filter_attachment::interface() const
{
	if (record.netns_inode == netns_inode())
		if (auto name = interface_name(record.ifindex); !name.empty())
			return name;
	return record.interface[0] ? std::string(record.interface)
				   : "ifindex " + std::to_string(record.ifindex);
}

std::string filter_attachment::title() const
{
	return fmt::format("{} ({} {})", interface(), mode_label(record.mode),
			   direction_label(record.direction));
}

std::string filter_directory(unsigned ifindex, attachment_mode mode, attachment_direction direction)
{
	auto name = fmt::format("{}-{}-{}", ifindex, mode == ATTACHMENT_TC ? "tc" : "xdp",
				direction_label(direction));

	if (netns_inode() != init_netns_inode())
		name += fmt::format("-netns{}", netns_inode());
	return name;
}

std::vector<filter_attachment> filter_attachments(const filter_kind &kind)
{
	std::vector<filter_attachment> all;

	for (const auto &directory : list_directory(kind.root())) {
		filter_attachment one;
		__u32 zero = 0;

		one.kind = &kind;
		one.directory = directory;
		one.linked = exists(one.pin(kind.last_link));
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

result<std::vector<filter_attachment>> find_filters(const filter_kind &kind,
						    const std::string &interface)
{
	auto found = filter_attachments(kind);

	if (found.empty())
		return fail("no {} filter is attached: see `kcoro attach {} -h`", kind.name,
			    kind.name);
	if (interface.empty())
		return found;
	std::erase_if(found, [&](const auto &one) { return !is_on(one, interface); });
	if (found.empty())
		return fail("no {} filter is attached to {}: `kcoro status` shows where one is",
			    kind.name, interface);

	// The same name may exist in several network namespaces: this one's comes first.
	auto here = [](const auto &one) { return one.record.netns_inode == netns_inode(); };
	if (std::any_of(found.begin(), found.end(), here))
		std::erase_if(found, [&](const auto &one) { return !here(one); });
	return found;
}

result<std::vector<filter_attachment>> find_whole_filters(const filter_kind &kind,
							  const std::string &interface)
{
	auto found = find_filters(kind, interface);

	if (!found)
		return found;
	std::erase_if(*found, [](const auto &one) { return !one.linked; });
	if (found->empty())
		return fail("the {} filter is half attached: `kcoro detach {}` clears it",
			    kind.name, kind.name);
	return found;
}

} // namespace kcoro
